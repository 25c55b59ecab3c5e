import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import {
  frame4,
  frame6,
  ipv4Packet,
  ipv6Packet,
  tcpSegment,
  udpDatagram,
} from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { makeLane } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { liveInject } from '../../../../src/sinks/inject/create.ts';
import { injectCounters, injectDropReasons } from '../../../../src/sinks/inject/drop-reasons.ts';
import type { InjectSettings } from '../../../../src/sinks/inject/settings.ts';
import { batchOf, numbered, numberedFrame, type TestPacket } from '../../../support/batches.ts';
import { FakeNetwork, injecting } from '../../../support/fake-network.ts';
import { hex } from '../../../support/hex.ts';
import { requiresNative } from '../../../support/native.ts';
import { sinkContext, type TestSinkContext } from '../../../support/sink-context.ts';

const native = await requiresNative();
const { EMSGSIZE, ENETDOWN, ENXIO, EPERM } = constants.errno;

const data = Buffer.from(Array.from({ length: 300 }, (_, i) => (i % 250) + 1));
const tcp = (bytes: Buffer = data) =>
  tcpSegment({
    sourcePort: 50_001,
    destinationPort: 50_003,
    sequence: 7,
    acknowledgement: 9,
    flags: 16,
    data: bytes,
  });
const whole = frame4(client, server, tcp());
/** The frame of which `keep` bytes arrived. */
const cut = (frame: Buffer, keep: number): TestPacket => ({
  frame: frame.subarray(0, keep),
  wireLen: frame.length,
});
const zeroed = (bytes: number): Buffer => Buffer.concat([data.subarray(0, bytes), Buffer.alloc(300 - bytes)]);

interface Made {
  readonly network: FakeNetwork;
  readonly context: TestSinkContext;
  /** Gives the sink a batch as the pipeline does. */
  readonly write: (...packets: readonly TestPacket[]) => Promise<void>;
  readonly close: () => Promise<void>;
  readonly further: () => Record<string, number>;
}

async function make(
  some: Partial<InjectSettings> = {},
  network = new FakeNetwork(),
  prepare: (context: TestSinkContext) => void = () => undefined,
): Promise<Made> {
  const context = sinkContext(injectDropReasons, 0, injectCounters);
  prepare(context);
  const sink = liveInject(injecting(some), context, network);
  await sink.open();
  const { counters } = context;
  return {
    network,
    context,
    write: async (...packets) => {
      counters.addDelivered(packets.length);
      await sink.write(batchOf(packets));
      expect(counters.pending).toBe(0);
    },
    close: () => sink.close(),
    further: () =>
      Object.fromEntries(
        counters.names.map((name) => [name, counters.further(name)] as const).filter(([, n]) => n > 0),
      ),
  };
}

describe.skipIf(!native)('frames that are whole', () => {
  test('leave byte for byte, in order, whatever their length', async () => {
    const { network, context, write, close } = await make();
    const frames = [
      numberedFrame(1, 14),
      numberedFrame(2, 60),
      whole,
      numberedFrame(3, 9015),
      frame6(client, server, tcp()),
    ];
    await write(...frames.map((frame) => ({ frame })));
    expect(network.frames()).toEqual(frames);
    expect([context.counters.written, context.dropped()]).toEqual([5, {}]);
    await close();
    expect([network.opened, network.closed]).toEqual([1, 1]);
  });

  test('many of them take few calls', async () => {
    const { network, context, write } = await make();
    await write(...Array.from({ length: 1000 }, (_, i) => ({ frame: numberedFrame(i) })));
    expect(network.frames().map((frame) => frame.readUInt32BE(0))).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    );
    expect([network.calls, context.counters.written]).toEqual([4, 1000]);
  });

  test('a call that takes some of them is made again for the rest', async () => {
    const { network, write } = await make();
    network.atATime = 7;
    await write(...Array.from({ length: 300 }, (_, i) => ({ frame: numberedFrame(i) })));
    expect(network.frames()).toHaveLength(300);
  });
});

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
    const { network, context, write, further: counted } = await make({ cut: mode });
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
    const { network, context, write, further: counted } = await make({ cut: mode });
    await write(cut(whole, 13), cut(whole, 14), cut(whole, 53));
    expect(network.frames()).toHaveLength(sent);
    expect([counted(), context.dropped()]).toEqual([further, dropped]);
  });

  test('more than the own memory takes at a time', async () => {
    const long = frame4(client, server, tcp(Buffer.alloc(60_000, 7)));
    const { network, context, write } = await make({}, new FakeNetwork({ mirror0: 65_535 }));
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
    const { network: to, context, write, further: counted } = await make({ cut: mode }, network());
    await write({ frame: fitting }, { frame: whole }, cut(whole, 100));
    expect(to.frames()[0]).toEqual(fitting);
    expect(counted()).toEqual(mode === 'pass' ? { passed: 1 } : further);
    expect(context.dropped()).toEqual(dropped);
    if (mode === 'pad') expect(to.frames()[1]).toEqual(fitting);
    if (mode === 'pad')
      expect(to.frames()[2]).toEqual(frame4(client, server, tcp(zeroed(46).subarray(0, most - 54))));
  });

  test('one VLAN tag of its own is not counted, two are', async () => {
    const { network: to, write, further } = await make({}, network());
    const tagged = (tags: readonly number[], bytes: number): Buffer =>
      frame4(client, server, tcp(data.subarray(0, bytes)), {}, tags);
    await write({ frame: tagged([5], most - 54) }, { frame: tagged([5], most - 53) });
    expect(to.frames().map(({ length }) => length)).toEqual([most + 4, most + 4]);
    expect(further()).toEqual({ shortened: 1 });
  });

  test('what is no IP packet is dropped', async () => {
    const { context, write } = await make({}, network());
    await write({ frame: numberedFrame(1, most) }, { frame: numberedFrame(1, most + 1) });
    expect([context.counters.written, context.dropped()]).toEqual([1, { tooLong: 1 }]);
  });

  test('a small MTU is said when the sink is opened, by one worker', async () => {
    const { context } = await make({}, network());
    expect(context.lines).toEqual([
      'warn: Sources in a VPC send longer packets than this interface takes: those are shortened.',
    ]);
    expect((await make()).context.lines).toEqual([]);
  });

  test('an MTU that was made smaller meanwhile is noticed', async () => {
    const { network: to, context, write, further } = await make();
    to.mtus.set('mirror0', 200);
    to.refusals.set(1, EMSGSIZE);
    await write({ frame: whole });
    expect(context.dropped()).toEqual({ tooLong: 1 });
    to.refusals.clear();
    await write({ frame: whole });
    expect([to.frames()[0]?.length, further()]).toEqual([most, { shortened: 1 }]);
  });
});

describe.skipIf(!native)('lanes', () => {
  const raw = (context: TestSinkContext): void =>
    context.lanes.replace(7, makeLane(2, 7, true, 0, 1, LinkType.raw));
  const ethernet = '020000000002020000000001';

  test('frames without Ethernet get a header that is made up', async () => {
    const four = ipv4Packet(client.ipv4, server.ipv4, tcp());
    const six = ipv6Packet(client.ipv6, server.ipv6, tcp());
    const { network, context, write } = await make({}, undefined, raw);
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
    const { network, write } = await make({}, new FakeNetwork({ mirror0: 200 }), raw);
    await write({ lane: 7, ...cut(four, 50) });
    expect(network.frames()[0]).toHaveLength(214);
  });

  test('VLAN tags by VNI, or listed', async () => {
    const { network, context, write } = await make(
      { vlan: 'vni', vlans: [{ vni: 70_000, id: 12 }] },
      undefined,
      raw,
    );
    const frame = whole.subarray(0, 60);
    const packets = [1, 4094, 70_000, 0, 4095].map((lane) => ({ lane, frame: whole }));
    await write(...packets, { lane: 7, frame: whole.subarray(14) });
    const tagged = (id: string, rest: Buffer, head = whole.subarray(0, 12)): Buffer =>
      Buffer.concat([head, hex(`8100${id}`), rest]);
    expect(network.frames()).toEqual([
      tagged('0001', whole.subarray(12)),
      tagged('0ffe', whole.subarray(12)),
      tagged('000c', whole.subarray(12)),
      tagged('0007', whole.subarray(12), hex(ethernet)),
    ]);
    expect(context.dropped()).toEqual({ noVlan: 2 });
    expect(frame).toHaveLength(60);
  });

  test('a cut packet with a tag', async () => {
    const { network, write } = await make({ vlans: [{ vni: 1, id: 2 }] });
    await write({ lane: 1, ...cut(whole, 64) }, { lane: 3, ...cut(whole, 64) });
    const padded = frame4(client, server, tcp(zeroed(10)));
    expect(network.frames()).toEqual([
      Buffer.concat([padded.subarray(0, 12), hex('8100 0002'), padded.subarray(12)]),
      padded,
    ]);
  });

  test('interfaces by VNI or lane, each opened once', async () => {
    const network = new FakeNetwork({ m1: 9001, m2: 9001, 'mvni-3': 9001 });
    const { context, write } = await make({ interface: 'm{vni}' }, network);
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
    const other = await make({ interface: 'm{lane}' }, network);
    await other.write({ lane: 3, frame: numberedFrame(9) });
    expect(network.sent.at(-1)?.to).toBe(3);
  });

  test('no more interfaces than are allowed; an idle one gives its place', async () => {
    const network = new FakeNetwork({ m1: 9001, m2: 9001, m3: 9001 });
    const { context, write } = await make({ interface: 'm{vni}', maxInterfaces: 2 }, network);
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
    const { context, write } = await make({ interface: 'm{vni}' }, network);
    await write({ lane: 1, frame: numberedFrame(0) });
    context.lanes.replace(1, makeLane(1, 2, false, 0, 0, LinkType.ethernet));
    await write({ lane: 1, frame: numberedFrame(1) });
    expect(network.sent.map((one) => one.to)).toEqual([1, 2]);
  });

  test('a name that is too long for an interface is none', async () => {
    const { network, context, write } = await make({ interface: 'really-too-long-{vni}' });
    await write({ lane: 1, frame: whole });
    expect([context.dropped(), network.asked]).toEqual([{ interfaceGone: 1 }, []]);
  });
});

describe.skipIf(!native)('an interface that refuses', () => {
  test('is gone: counted, said once, failing; back: with its new number', async () => {
    const { network, context, write } = await make();
    await write({ frame: whole });
    network.goAway('mirror0');
    await write({ frame: whole }, { frame: whole });
    await write({ frame: whole });
    expect(context.dropped()).toEqual({ interfaceGone: 3 });
    expect(context.counters.failingReason).toBe('interfaceGone');
    network.mtus.set('other', 9001);
    network.mtus.set('mirror0', 9001);
    context.clock.ms += 1000;
    await write({ frame: whole });
    expect(network.sent.map((one) => one.to)).toEqual([1, 2]);
    expect(context.counters.failingReason).toBeUndefined();
    expect(context.lines).toEqual([
      'warn: An interface cannot be written to: its packets are dropped.',
      'info: Packets are written to the interface again.',
    ]);
  });

  test('made anew between two looks: what came first is lost, the rest of the batch is not', async () => {
    const { network, context, write } = await make();
    network.goAway('mirror0');
    network.mtus.set('other', 9001);
    network.mtus.set('mirror0', 9001);
    await write({ frame: whole }, { frame: whole }, { frame: whole });
    expect(context.dropped()).toEqual({ interfaceGone: 1 });
    expect(network.sent.map((one) => one.to)).toEqual([2, 2]);
  });

  test.each([ENETDOWN, ENXIO])(
    'errno %i while it is said to be there: each frame is lost, none holds up the others',
    async (errno) => {
      const network = new FakeNetwork({ m1: 9001, m2: 9001 });
      const { context, write } = await make({ interface: 'm{vni}' }, network);
      network.refusals.set(1, errno);
      await write(...[1, 2, 1, 1, 2].map((lane) => ({ lane, frame: whole })));
      expect(network.sent.map((one) => one.to)).toEqual([2, 2]);
      expect(context.dropped()).toEqual({ interfaceGone: 3 });
    },
  );

  test('for another reason: counted, said once', async () => {
    const { network, context, write } = await make();
    network.refusals.set(1, EPERM);
    await write({ frame: whole }, { frame: whole });
    expect(context.dropped()).toEqual({ refused: 2 });
    expect(context.lines).toEqual([
      'warn: The kernel refuses to send a frame. It is said once for each reason.',
    ]);
  });

  test('has no room for a while: nothing is lost', async () => {
    const { network, context, write } = await make();
    network.fullCalls = 5;
    await write(...Array.from({ length: 600 }, () => ({ frame: whole })));
    expect([context.counters.written, context.dropped(), context.counters.failingReason]).toEqual([
      600,
      {},
      undefined,
    ]);
  });

  test('has no room for long: the batch is lost, counted, and said by readiness until there is', async () => {
    const { network, context, write } = await make();
    network.fullCalls = Infinity;
    await write(...Array.from({ length: 600 }, () => ({ frame: whole })));
    expect(context.dropped()).toEqual({ interfaceFull: 600 });
    expect(context.counters.failingReason).toBe('interfaceFull');
    expect(network.calls).toBeLessThan(30);
    network.fullCalls = 0;
    await write({ frame: whole });
    expect([context.counters.written, context.counters.failingReason]).toEqual([1, undefined]);
  });

  test('comes back while nothing is written: readiness notices all the same', async () => {
    const { network, context, write } = await make();
    network.goAway('mirror0');
    await write({ frame: whole });
    expect(context.counters.failingReason).toBe('interfaceGone');
    network.comeBack('mirror0', 9001);
    await expect.poll(() => context.counters.failingReason, { timeout: 20_000 }).toBeUndefined();
  });
});

describe.skipIf(!native)('opening', () => {
  test('an interface that is not there', async () => {
    await expect(make({ interface: 'nowhere' })).rejects.toMatchObject({ code: 'INTERFACE_UNKNOWN' });
  });

  test('one that is away while a worker is replaced is waited for', async () => {
    const { network, context, write } = await make({}, new FakeNetwork({}), (made) =>
      Object.assign(made, { restarted: true }),
    );
    expect(context.counters.failingReason).toBe('interfaceGone');
    network.comeBack('mirror0', 9001);
    context.clock.ms += 1000;
    await write({ frame: whole });
    expect([context.counters.written, context.counters.failingReason]).toEqual([1, undefined]);
  });

  test('nobody who completes packets is our own mistake', () => {
    const { completer: _, ...context } = sinkContext(injectDropReasons, 0, injectCounters);
    expect(() => liveInject(injecting(), context, new FakeNetwork())).toThrow('completes');
  });

  test('a batch of nothing makes no call', async () => {
    const { network, context, write } = await make();
    await write();
    expect([network.calls, numbered(0).deliveredCount, context.counters.written]).toEqual([0, 0, 0]);
  });
});
