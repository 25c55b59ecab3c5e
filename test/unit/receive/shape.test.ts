import { array, assert, boolean, constantFrom, nat, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ChecksumState,
  echo,
  frame4,
  frame6,
  ipv6Packet,
  type IpFields,
  tcpSegment,
  type Transport,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import type { PacketBatch } from '../../../src/packet/batch.ts';
import { makeLane } from '../../../src/packet/lane.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { Mark } from '../../../src/packet/mark.ts';
import { Verdict } from '../../../src/packet/verdict.ts';
import { type ShapeOptions, Shaper } from '../../../src/receive/shape.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { batchOf, type TestPacket, TestLanes } from '../../support/batches.ts';
import { readFrame } from '../../support/judging.ts';
import { requires } from '../../support/requires.ts';
import { tsharkFields } from '../../support/tshark-fields.ts';
import { change } from '../../support/tunnels.ts';

const RAW_LANE = 9;
const lanes = new TestLanes();
lanes.replace(RAW_LANE, makeLane(2, 1, false, 0, 0, LinkType.raw));

function shaper(options: Partial<ShapeOptions>): Shaper {
  return new Shaper({ repair: 'none', duplicates: 'keep', lanes, ...options });
}

interface Given extends TestPacket {
  readonly marks?: number;
  /** Verification was off for it. */
  readonly unjudged?: boolean;
}

/** A batch as the receiver leaves it. */
function given(packets: readonly Given[]): PacketBatch {
  const batch = batchOf(packets);
  for (const [i, { frame = Buffer.alloc(0), lane, marks = 0, unjudged = false }] of packets.entries()) {
    const slot = batch.delivered[i]!;
    const layers = readFrame(frame, lane === RAW_LANE ? LinkType.raw : LinkType.ethernet);
    batch.transportVerdict[slot] = unjudged ? Verdict.none : layers.transportVerdict;
    batch.frameWireLen[slot] = layers.frameWireLen;
    batch.marks[slot] = marks;
    batch.nanoseconds[slot] = i;
  }
  return batch;
}

function framesOf(batch: PacketBatch): string[] {
  return [...batch.delivered.subarray(0, batch.deliveredCount)].map((slot) =>
    batch.bytes.toString('hex', batch.frameAt[slot], batch.frameEnd[slot]),
  );
}

function column(batch: PacketBatch, name: 'marks' | 'transportVerdict' | 'nanoseconds'): number[] {
  return [...batch.delivered.subarray(0, batch.deliveredCount)].map((slot) => batch[name][slot]!);
}

const data = (length: number): Buffer => Buffer.alloc(length, 0x37);
const tcp = (length = 31): Transport =>
  tcpSegment({
    sourcePort: 1,
    destinationPort: 2,
    sequence: 3,
    acknowledgement: 4,
    flags: 16,
    data: data(length),
  });
const udp = (length = 31): Transport => udpDatagram(1000, 2000, data(length));
const over4 = (inner: Transport, fields: IpFields = {}): Buffer => frame4(client, server, inner, fields);
const over6 = (inner: Transport, fields: IpFields = {}): Buffer => frame6(client, server, inner, fields);
const ping = (length = 9): Transport => echo(IpProtocol.icmp, 8, 1, 2, length);
const ping6 = (length = 9): Transport => echo(IpProtocol.icmpv6, 128, 1, 2, length);

const kinds: [name: string, make: (state: ChecksumState, length?: number) => Buffer][] = [
  ['TCP over IPv4', (checksum, length) => over4(tcp(length), { checksum })],
  ['UDP over IPv4', (checksum, length) => over4(udp(length), { checksum })],
  ['TCP over IPv6', (checksum, length) => over6(tcp(length), { checksum })],
  ['UDP over IPv6', (checksum, length) => over6(udp(length), { checksum })],
  ['ICMPv6', (checksum, length) => over6(ping6(length), { checksum })],
  ['TCP behind two tags', (checksum) => frame4(client, server, tcp(), { checksum }, [7, 8])],
];

describe.each(kinds)('%s', (_name, make) => {
  test.each(['partial', 'all'] as const)('what was left to a network card is completed: %s', (repair) => {
    for (const length of [0, 1, 30, 1400]) {
      for (const unjudged of [false, true]) {
        const batch = given([{ frame: make('partial', length), unjudged, marks: Mark.ingress }]);
        const before = Buffer.from(batch.bytes);
        const shape = shaper({ repair });
        const out = shape.shape(batch);
        expect(framesOf(out)).toEqual([make('valid', length).toString('hex')]);
        expect(column(out, 'marks')).toEqual([Mark.repaired | Mark.ingress]);
        expect(column(out, 'transportVerdict')).toEqual([Verdict.valid]);
        expect([shape.repaired, shape.leftOut]).toEqual([1, 0]);
        expect(batch.bytes.equals(before)).toBe(true);
        expect(batch.marks[batch.delivered[0]!]).toBe(Mark.ingress);
      }
    }
  });

  test('what is wrong is completed only if all is asked for', () => {
    for (const unjudged of [false, true]) {
      const batch = given([{ frame: make('bad'), unjudged }]);
      expect(framesOf(shaper({ repair: 'all' }).shape(batch))).toEqual([make('valid').toString('hex')]);
      expect(shaper({ repair: 'partial' }).shape(batch)).toBe(batch);
    }
  });

  test('what is right, cut, or padded stays as it is', () => {
    const whole = make('partial');
    const shape = shaper({ repair: 'all' });
    const right = given([{ frame: make('valid') }, { frame: make('valid'), unjudged: true }]);
    expect(shape.shape(right)).toBe(right);
    for (let keep = 0; keep < whole.length; keep++) {
      for (const unjudged of [false, true]) {
        const batch = given([{ frame: whole.subarray(0, keep), unjudged }]);
        expect(shape.shape(batch)).toBe(batch);
      }
    }
    const padded = shape.shape(given([{ frame: Buffer.concat([whole, data(3)]) }]));
    expect(framesOf(padded)).toEqual([Buffer.concat([make('valid'), data(3)]).toString('hex')]);
  });
});

test.each([
  ['ICMP', over4(ping(), { checksum: 'bad' }), over4(ping())],
  ['an IPv4 header', change(over4(tcp()), 24, 'dead'), over4(tcp())],
  [
    'an IPv4 header around a bad checksum',
    change(over4(udp(), { checksum: 'bad' }), 24, 'dead'),
    over4(udp()),
  ],
  [
    'the header of a fragment, and nothing else of it',
    change(over4(tcp(), { flagsAndOffset: 0x2000, checksum: 'bad' }), 24, 'dead'),
    over4(tcp(), { flagsAndOffset: 0x2000, checksum: 'bad' }),
  ],
  ['the header around what has no checksum here', change(ofProtocol(132), 24, 'dead'), ofProtocol(132)],
])('all: %s', (_name, frame, expected) => {
  for (const unjudged of [false, true]) {
    const batch = given([{ frame, unjudged }]);
    expect(framesOf(shaper({ repair: 'all' }).shape(batch))).toEqual([expected.toString('hex')]);
    expect(shaper({ repair: 'partial' }).shape(batch)).toBe(batch);
  }
});

function ofProtocol(protocol: number): Buffer {
  return over4({ protocol, bytes: data(20), checksumAt: -1 });
}

/** A frame whose IPv4 header says another total length, its checksum right. */
function withTotalLength(frame: Buffer, length: number): Buffer {
  const copy = Buffer.from(frame);
  const sum = copy.readUInt16BE(24) + copy.readUInt16BE(16) - length;
  copy.writeUInt16BE(((sum % 0xffff) + 0xffff) % 0xffff, 24);
  copy.writeUInt16BE(length, 16);
  return copy;
}

test.each([
  ['UDP without a checksum', over4(udp(), { checksum: 'zero' })],
  ['the same over IPv6', over6(udp(), { checksum: 'zero' })],
  ['a first fragment', over4(tcp(), { checksum: 'bad', flagsAndOffset: 0x2000 })],
  ['a later fragment', over4(tcp(), { checksum: 'bad', flagsAndOffset: 0x0010 })],
  ['an IP length of 0', withTotalLength(over4(tcp(), { checksum: 'partial' }), 0)],
  ['TCP shorter than its header', withTotalLength(over4(tcp(), { checksum: 'bad' }), 39)],
  ['UDP that says it is longer than its packet', change(over4(udp(), { checksum: 'bad' }), 38, '00ff')],
  ['UDP that says it is shorter than its header', change(over4(udp(), { checksum: 'bad' }), 38, '0007')],
  ['ICMP shorter than its checksum', withTotalLength(over4(ping(), { checksum: 'bad' }), 23)],
  ['ICMPv6 over IPv4', over4(ping6(), { checksum: 'bad' })],
  ['an address that is not known', unknownDestination()],
  ['no IP', Buffer.alloc(60, 0xff)],
  ['nothing at all', Buffer.alloc(0)],
])('%s stays as it is', (_name, frame) => {
  for (const unjudged of [false, true]) {
    const batch = given([{ frame, unjudged }]);
    expect(shaper({ repair: 'all' }).shape(batch)).toBe(batch);
  }
});

/** A routing header of a type that does not tell the final destination. */
function unknownDestination(): Buffer {
  const routing = Buffer.from('0600fd0100000000', 'hex');
  const packet = ipv6Packet(client.ipv6, server.ipv6, tcp(), { checksum: 'bad' }, 43, routing);
  return Buffer.concat([over6(tcp()).subarray(0, 14), packet]);
}

test('UDP whose sum is 0 is sent as ffff', () => {
  for (let a = 0; a < 0x10000; a++) {
    const payload = Buffer.from([a >> 8, a & 0xff]);
    const frame = over4(udpDatagram(1, 2, payload));
    if (frame.readUInt16BE(40) !== 0xffff) continue;
    const partial = over4(udpDatagram(1, 2, payload), { checksum: 'partial' });
    expect(framesOf(shaper({ repair: 'partial' }).shape(given([{ frame: partial }])))).toEqual([
      frame.toString('hex'),
    ]);
    return;
  }
  expect.unreachable();
});

test('raw IP is read as its lane says', () => {
  const raw = over6(tcp(), { checksum: 'partial' }).subarray(14);
  const out = shaper({ repair: 'partial' }).shape(given([{ frame: raw, lane: RAW_LANE }]));
  expect(framesOf(out)).toEqual([over6(tcp()).subarray(14).toString('hex')]);
});

test('duplicates are left out, and only if that is asked for', () => {
  const batch = given([
    { frame: over4(tcp(1)) },
    { frame: over4(tcp(2)), marks: Mark.duplicate | Mark.egress },
    { frame: over4(udp(3)), marks: Mark.late },
  ]);
  expect(shaper({ duplicates: 'keep' }).shape(batch)).toBe(batch);
  const shape = shaper({ duplicates: 'drop' });
  const out = shape.shape(batch);
  expect(framesOf(out)).toEqual([over4(tcp(1)).toString('hex'), over4(udp(3)).toString('hex')]);
  expect(column(out, 'marks')).toEqual([Mark.none, Mark.late]);
  expect([shape.leftOut, shape.repaired]).toEqual([1, 0]);
  // no byte changes: none is copied
  expect(out.bytes).toBe(batch.bytes);
  const none = given([{ frame: over4(tcp(1)) }]);
  expect(shape.shape(none)).toBe(none);
  expect([shape.leftOut, shape.repaired]).toEqual([0, 0]);
  const all = shape.shape(given([{ frame: over4(tcp(1)), marks: Mark.duplicate }]));
  expect(all.deliveredCount).toBe(0);
});

const states = ['valid', 'partial', 'bad', 'zero'] as const;

test('batches of anything: in their order, nothing else changed, whatever came before', () => {
  const packet = record({
    kind: nat(kinds.length - 1),
    state: constantFrom(...states),
    length: nat(200),
    marks: constantFrom(Mark.none, Mark.duplicate, Mark.ingress),
    unjudged: boolean(),
    cut: constantFrom(0, 0, 0, 20),
  });
  const shape = shaper({ repair: 'all', duplicates: 'drop' });
  assert(
    property(array(packet, { maxLength: 12 }), (packets) => {
      const frames = packets.map(({ kind, state, length, cut }) => {
        const frame = kinds[kind]![1](state, length);
        return frame.subarray(0, frame.length - cut);
      });
      const batch = given(packets.map(({ marks, unjudged }, i) => ({ frame: frames[i]!, marks, unjudged })));
      const before = framesOf(batch);
      const out = shape.shape(batch);
      const kept = packets.flatMap(({ kind, state, length, cut, marks }, i) => {
        if (marks === Mark.duplicate) return [];
        const isUdp = kinds[kind]![0].startsWith('UDP');
        const repaired =
          cut === 0 && (state === 'partial' || state === 'bad' || (state === 'zero' && !isUdp));
        const frame = repaired ? kinds[kind]![1]('valid', length) : frames[i]!;
        return [{ frame: frame.toString('hex'), marks: marks | (repaired ? Mark.repaired : 0), i }];
      });
      expect(framesOf(out)).toEqual(kept.map(({ frame }) => frame));
      expect(column(out, 'marks')).toEqual(kept.map(({ marks }) => marks));
      expect(column(out, 'nanoseconds')).toEqual(kept.map(({ i }) => i));
      expect(framesOf(batch)).toEqual(before);
      expect(shape.leftOut).toBe(packets.length - kept.length);
    }),
    { numRuns: 300 },
  );
});

test.skipIf(!requires('tshark'))('tshark finds all of them right', () => {
  const frames = [
    ...kinds.flatMap(([, make]) => [make('partial', 100), make('bad', 101)]),
    over4(ping(), { checksum: 'bad' }),
    change(over4(tcp()), 24, 'dead'),
  ];
  const out = shaper({ repair: 'all' }).shape(given(frames.map((frame) => ({ frame }))));
  const repaired = framesOf(out).map((frame) => Buffer.from(frame, 'hex'));
  const fields = [
    'ip.checksum.status',
    'tcp.checksum.status',
    'udp.checksum.status',
    'icmp.checksum.status',
    'icmpv6.checksum.status',
  ];
  const told = (packets: readonly Uint8Array[]): string[] =>
    tsharkFields(packets, LinkType.ethernet, fields).map((row) =>
      fields.every((field) => row[field]!.every((status) => status === '1')) ? 'right' : 'wrong',
    );
  expect(new Set(told(repaired))).toEqual(new Set(['right']));
  expect(told(frames).filter((word) => word === 'wrong').length).toBeGreaterThan(frames.length / 2 - 1);
});
