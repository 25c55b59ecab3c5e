import { describe, expect, test } from 'vitest';
import { frame4, ipv4Packet, ipv6Packet } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { makeLane } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { numberedFrame } from '../../../support/batches.ts';
import { FakeNetwork } from '../../../support/fake-network.ts';
import { hex } from '../../../support/hex.ts';
import { cut, makeInject, tcp, whole, zeroed } from '../../../support/injected.ts';
import { requiresNative } from '../../../support/native.ts';
import type { TestSinkContext } from '../../../support/sink-context.ts';

const native = await requiresNative();

describe.skipIf(!native)('lanes', () => {
  const raw = (context: TestSinkContext): void =>
    context.lanes.replace(7, makeLane(2, 7, true, 0, 1, LinkType.raw));
  const ethernet = '020000000002020000000001';

  test('frames without Ethernet get a header that is made up', async () => {
    const four = ipv4Packet(client.ipv4, server.ipv4, tcp());
    const six = ipv6Packet(client.ipv6, server.ipv6, tcp());
    const { network, context, write } = await makeInject({}, undefined, raw);
    await write(
      { lane: 7, frame: four },
      { lane: 7, frame: six },
      { lane: 7, frame: hex('5500') },
      { lane: 7, frame: Buffer.alloc(0) },
    );
    expect(network.frames()).toEqual([
      Buffer.concat([hex(`${ethernet} 0800`), four]),
      Buffer.concat([hex(`${ethernet} 86dd`), six]),
    ]);
    expect(context.dropped()).toEqual({ cutHeader: 2 });
  });

  test('a cut one too, as long as the MTU and no longer', async () => {
    const four = ipv4Packet(client.ipv4, server.ipv4, tcp());
    const { network, write } = await makeInject({}, new FakeNetwork({ mirror0: 200 }), raw);
    await write({ lane: 7, ...cut(four, 50) });
    expect(network.frames()[0]).toHaveLength(214);
  });

  test('VLAN tags by VNI, or listed', async () => {
    const { network, context, write } = await makeInject(
      { vlan: 'vni', vlans: [{ vni: 70_000, id: 12 }] },
      undefined,
      raw,
    );
    const packets = [1, 4094, 70_000, 0, 4095].map((lane) => ({ lane, frame: whole }));
    await write(...packets, { lane: 7, frame: whole.subarray(14) });
    const tagged = (id: string, rest: Uint8Array, head: Uint8Array = whole.subarray(0, 12)): Buffer =>
      Buffer.concat([head, hex(`8100${id}`), rest]);
    expect(network.frames()).toEqual([
      tagged('0001', whole.subarray(12)),
      tagged('0ffe', whole.subarray(12)),
      tagged('000c', whole.subarray(12)),
      tagged('0007', whole.subarray(12), hex(ethernet)),
    ]);
    expect(context.dropped()).toEqual({ noVlan: 2 });
  });

  test('a cut packet with a tag', async () => {
    const { network, write } = await makeInject({ vlans: [{ vni: 1, id: 2 }] });
    await write({ lane: 1, ...cut(whole, 64) }, { lane: 3, ...cut(whole, 64) });
    const padded = frame4(client, server, tcp(zeroed(10)));
    expect(network.frames()).toEqual([
      Buffer.concat([padded.subarray(0, 12), hex('8100 0002'), padded.subarray(12)]),
      padded,
    ]);
  });

  test('interfaces by VNI or lane, each opened once', async () => {
    const network = new FakeNetwork({ m1: 9001, m2: 9001, 'mvni-3': 9001 });
    const { context, write } = await makeInject({ interface: 'm{vni}' }, network);
    await write(...[1, 2, 1, 5, 2].map((lane, i) => ({ lane, frame: numberedFrame(i) })));
    expect(network.sent.map(({ to, frame }) => [to, frame.readUInt32BE(0)])).toEqual([
      [1, 0],
      [2, 1],
      [1, 2],
      [2, 4],
    ]);
    expect(network.asked).toEqual(['m1', 'm2', 'm5']);
    expect(context.dropped()).toEqual({ interfaceGone: 1 });
    expect(context.counters.failingReason).toBeUndefined();
    expect(context.lines).toEqual(['warn: An interface cannot be written to: its packets are dropped.']);
    const other = await makeInject({ interface: 'm{lane}' }, network);
    await other.write({ lane: 3, frame: numberedFrame(9) });
    expect(network.sent.at(-1)?.to).toBe(3);
  });

  test('no more interfaces than are allowed; an idle one gives its place', async () => {
    const network = new FakeNetwork({ m1: 9001, m2: 9001, m3: 9001 });
    const { context, write } = await makeInject({ interface: 'm{vni}', maxInterfaces: 2 }, network);
    const to = (lane: number) => write({ lane, frame: numberedFrame(lane) });
    await to(1);
    await to(2);
    await to(3);
    expect(context.dropped()).toEqual({ tooManyInterfaces: 1 });
    context.clock.ms += 60_000;
    await to(2);
    await to(3);
    await to(1);
    expect(network.sent.map((one) => one.to)).toEqual([1, 2, 2, 3]);
    expect(context.dropped()).toEqual({ tooManyInterfaces: 2 });
  });

  test('a lane that takes the place of another goes its own way', async () => {
    const network = new FakeNetwork({ m1: 9001, m2: 9001 });
    const { context, write } = await makeInject({ interface: 'm{vni}' }, network);
    await write({ lane: 1, frame: numberedFrame(0) });
    context.lanes.replace(1, makeLane(1, 2, false, 0, 0, LinkType.ethernet));
    await write({ lane: 1, frame: numberedFrame(1) });
    expect(network.sent.map((one) => one.to)).toEqual([1, 2]);
  });

  test('a name that is too long for an interface is none', async () => {
    const { network, context, write } = await makeInject({ interface: 'really-too-long-{vni}' });
    await write({ lane: 1, frame: whole });
    expect([context.dropped(), network.asked]).toEqual([{ interfaceGone: 1 }, []]);
  });
});
