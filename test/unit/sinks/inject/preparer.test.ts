import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { frame4, udpDatagram } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { numberedFrame } from '../../../support/batches.ts';
import { FakeNetwork } from '../../../support/fake-network.ts';
import { cut, data, makeInject, tcp, whole, zeroed } from '../../../support/injected.ts';
import { requiresNative } from '../../../support/native.ts';

const native = await requiresNative();
const { EMSGSIZE } = constants.errno;

describe.skipIf(!native)('cut packets', () => {
  const shortUdp = frame4(client, server, udpDatagram(50_001, 50_003, data));
  const padded = frame4(client, server, tcp(zeroed(10)));
  const shortened = frame4(client, server, tcp(data.subarray(0, 10)));

  test.each([
    ['pad', padded, { padded: 1 }, {}],
    ['shorten', shortened, { shortened: 1 }, {}],
    ['pass', whole.subarray(0, 64), { passed: 1 }, {}],
    ['drop', undefined, {}, { cut: 1 }],
  ] as const)('%s', async (mode, expected, further, dropped) => {
    const { network, context, write, further: counted } = await makeInject({ cut: mode });
    await write({ frame: whole }, cut(whole, 64), { frame: shortUdp });
    expect(network.frames()).toEqual([whole, ...(expected === undefined ? [] : [expected]), shortUdp]);
    expect([counted(), context.dropped()]).toEqual([further, dropped]);
    expect(context.counters.written).toBe(expected === undefined ? 2 : 3);
  });

  test.each([
    ['pad', 0, {}, { cutHeader: 3 }],
    ['shorten', 0, {}, { cutHeader: 3 }],
    // the kernel takes nothing shorter than an Ethernet header
    ['pass', 2, { passed: 2 }, { cutHeader: 1 }],
    ['drop', 0, {}, { cut: 3 }],
  ] as const)('%s: those cut in their headers', async (mode, sent, further, dropped) => {
    const { network, context, write, further: counted } = await makeInject({ cut: mode });
    await write(cut(whole, 13), cut(whole, 14), cut(whole, 53));
    expect(network.frames()).toHaveLength(sent);
    expect([counted(), context.dropped()]).toEqual([further, dropped]);
  });

  test('more than the own memory takes at a time', async () => {
    const long = frame4(client, server, tcp(Buffer.alloc(60_000, 7)));
    const { network, context, write } = await makeInject({}, new FakeNetwork({ mirror0: 65_535 }));
    await write(...Array.from({ length: 100 }, () => cut(long, 64)));
    const first = network.frames()[0];
    expect(first).toHaveLength(long.length);
    expect(network.frames().every((frame) => first?.equals(frame))).toBe(true);
    expect(context.counters.further('padded')).toBe(100);
  });
});

describe.skipIf(!native)('frames longer than the interface takes', () => {
  const network = (): FakeNetwork => new FakeNetwork({ mirror0: 200 });
  const most = 214;
  const fitting = frame4(client, server, tcp(data.subarray(0, most - 54)));

  test.each([
    ['pad', { shortened: 2 }, {}],
    ['shorten', { shortened: 2 }, {}],
    ['pass', {}, { tooLong: 1 }],
    ['drop', {}, { tooLong: 1, cut: 1 }],
  ] as const)('%s', async (mode, further, dropped) => {
    const { network: to, context, write, further: counted } = await makeInject({ cut: mode }, network());
    await write({ frame: fitting }, { frame: whole }, cut(whole, 100));
    expect(to.frames()[0]).toEqual(fitting);
    expect(counted()).toEqual(mode === 'pass' ? { passed: 1 } : further);
    expect(context.dropped()).toEqual(dropped);
    if (mode === 'pad') expect(to.frames()[1]).toEqual(fitting);
    if (mode === 'pad')
      expect(to.frames()[2]).toEqual(frame4(client, server, tcp(zeroed(46).subarray(0, most - 54))));
  });

  test('one VLAN tag of its own is not counted, two are', async () => {
    const { network: to, write, further } = await makeInject({}, network());
    const tagged = (tags: readonly number[], bytes: number): Buffer =>
      frame4(client, server, tcp(data.subarray(0, bytes)), {}, tags);
    await write({ frame: tagged([5], most - 54) }, { frame: tagged([5], most - 53) });
    expect(to.frames().map(({ length }) => length)).toEqual([most + 4, most + 4]);
    expect(further()).toEqual({ shortened: 1 });
  });

  test('what is no IP packet is dropped', async () => {
    const { context, write } = await makeInject({}, network());
    await write({ frame: numberedFrame(1, most) }, { frame: numberedFrame(1, most + 1) });
    expect([context.counters.written, context.dropped()]).toEqual([1, { tooLong: 1 }]);
  });

  test('a small MTU is said when the sink is opened, by one worker', async () => {
    const { context } = await makeInject({}, network());
    expect(context.lines).toEqual([
      'warn: Sources in a VPC send longer packets than this interface takes: those are shortened.',
    ]);
    expect((await makeInject()).context.lines).toEqual([]);
  });

  test('an MTU that was made smaller meanwhile is noticed', async () => {
    const { network: to, context, write, further } = await makeInject();
    to.mtus.set('mirror0', 200);
    to.refusals.set(1, EMSGSIZE);
    await write({ frame: whole });
    expect(context.dropped()).toEqual({ tooLong: 1 });
    to.refusals.clear();
    await write({ frame: whole });
    expect([to.frames()[0]?.length, further()]).toEqual([most, { shortened: 1 }]);
  });
});
