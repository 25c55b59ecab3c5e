import {
  array,
  assert,
  bigInt,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  tuple,
  uint8Array,
} from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_INTERFACES, MAX_PACKET_BYTES, MAX_RECORD_BYTES } from '../../../src/format/limits.ts';
import { PcapngDecoder } from '../../../src/format/pcapng-decoder.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';
import {
  block,
  enhancedPacket,
  interfaceBytes,
  obsoletePacket,
  option,
  sectionBlock,
  simplePacket,
} from '../../support/capture-bytes.ts';
import { decodeAll } from '../../support/decoding.ts';
import { hex, toHex } from '../../support/hex.ts';

const data = hex('0011223344');
const seen = { time: '1.000000000', linkType: 1, wireLen: 5, data: toHex(data) };
const packet = { time: 1_000_000n, data };
const text = new TextEncoder();

function decode(...parts: readonly Uint8Array[]): ReturnType<typeof decodeAll> {
  return decodeAll(new PcapngDecoder(), Buffer.concat(parts));
}

/** Sections of draft-ietf-opsawg-pcapng; the bytes are grouped as its figures are. */
const vectors = [
  {
    name: 'little-endian (4.1 to 4.3)',
    bytes: `0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000
            01000000 14000000 0100 0000 00000000 14000000
            06000000 24000000 00000000 02000000 15cd5b07 02000000 40000000 abcd 0000 24000000`,
    packet: { time: '8713.391381000', linkType: 1, wireLen: 64, data: 'abcd' },
  },
  {
    name: 'big-endian, nanoseconds (if_tsresol 9)',
    bytes: `0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
            00000001 00000020 0065 0000 00000000 0009 0001 09000000 0000 0000 00000020
            00000006 00000024 00000000 00000000 3b9aca01 00000002 00000040 abcd 0000 00000024`,
    packet: { time: '1.000000001', linkType: 101, wireLen: 64, data: 'abcd' },
  },
  {
    name: 'big-endian, negative if_tsoffset (4.2)',
    bytes: `0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
            00000001 00000024 0001 0000 00000000 000e 0008 fffffffffffffffe 0000 0000 00000024
            00000006 00000024 00000000 00000000 003d0900 00000002 00000040 abcd 0000 00000024`,
    packet: { time: '2.000000000', linkType: 1, wireLen: 64, data: 'abcd' },
  },
  {
    name: 'simple packet, cut by the snap length (4.4)',
    bytes: `0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000
            01000000 14000000 0100 0000 03000000 14000000
            03000000 14000000 40000000 abcdef 00 14000000`,
    packet: { time: '0.000000000', linkType: 1, wireLen: 64, data: 'abcdef' },
  },
  {
    name: 'obsolete packet (appendix A), drop count beside the interface',
    bytes: `0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
            00000001 00000014 0001 0000 00000000 00000014
            00000002 00000024 0000 ffff 00000000 000f4240 00000002 00000040 abcd 0000 00000024`,
    packet: { time: '1.000000000', linkType: 1, wireLen: 64, data: 'abcd' },
  },
];

test.each(vectors)('$name', ({ bytes, packet: expected }) => {
  expect(decode(hex(bytes))).toEqual({ packets: [expected], problem: undefined });
});

test('interfaces of one section keep their link type, unit and offset', () => {
  const file = [
    sectionBlock(true),
    interfaceBytes(true, { linkType: 1 }),
    interfaceBytes(true, { linkType: 101, resolution: 9 }),
    interfaceBytes(true, { linkType: 276, resolution: 0x80 | 40, offsetSeconds: 100n }),
    enhancedPacket(true, { interfaceId: 2, time: 1n << 39n, data }),
    enhancedPacket(true, { interfaceId: 0, time: 1_500_000n, data }),
    enhancedPacket(true, { interfaceId: 1, time: 1n, data }),
  ];
  expect(decode(...file).packets).toEqual([
    { ...seen, time: '100.500000000', linkType: 276 },
    { ...seen, time: '1.500000000' },
    { ...seen, time: '0.000000001', linkType: 101 },
  ]);
});

test('a length on the wire below the captured one is raised to it', () => {
  const short = enhancedPacket(true, { ...packet, wireLen: 1 });
  const obsolete = obsoletePacket(true, { ...packet, wireLen: 1 }, 0);
  expect(decode(sectionBlock(true), interfaceBytes(true), short, obsolete).packets).toEqual([seen, seen]);
});

test('a new section brings its own byte order and interfaces', () => {
  const sections = [true, false, true].flatMap((littleEndian, index) => [
    sectionBlock(littleEndian),
    interfaceBytes(littleEndian, { linkType: 1 + index }),
    enhancedPacket(littleEndian, packet),
  ]);
  expect(decode(...sections)).toEqual({
    packets: [seen, { ...seen, linkType: 2 }, { ...seen, linkType: 3 }],
    problem: undefined,
  });
  const second = [
    sectionBlock(true),
    interfaceBytes(true),
    sectionBlock(false),
    enhancedPacket(false, packet),
  ];
  expect(decode(...second).problem).toMatchObject({
    offset: 28 + 20 + 28,
    found: 0,
    expected: 'less than 0',
  });
});

test('options are passed over, whatever they say', () => {
  const comment = option(true, 1, text.encode('a comment, é'));
  const custom = option(true, 2988, new Uint8Array(60_000));
  const end = option(true, 0, new Uint8Array());
  const file = [
    sectionBlock(true, comment, end),
    block(true, 1, hex('0100 0000 00000000'), custom, option(true, 9, Uint8Array.of(9)), end, hex('ffff')),
    enhancedPacket(true, {
      time: 7n,
      data,
      options: [custom, comment, option(true, 2, hex('01020000')), end],
    }),
  ];
  expect(decode(...file)).toEqual({ packets: [{ ...seen, time: '0.000000007' }], problem: undefined });
});

test('blocks of other kinds are skipped without being held, however large', () => {
  const large = block(true, 0x0bad, new Uint8Array(3 * MAX_RECORD_BYTES));
  const parts = [
    sectionBlock(true),
    interfaceBytes(true),
    large,
    block(true, 5),
    enhancedPacket(true, packet),
  ];
  const whole = decodeAll(new PcapngDecoder(), Buffer.concat(parts), { chunks: [1000] });
  expect(whole).toEqual({ packets: [seen], problem: undefined });
});

test('interfaces without end are refused', () => {
  const parts = [sectionBlock(true), ...Array<Buffer>(MAX_INTERFACES).fill(interfaceBytes(true))];
  const last = enhancedPacket(true, { ...packet, interfaceId: MAX_INTERFACES - 1 });
  const { packets, problem } = decode(...parts, last, interfaceBytes(true));
  expect(packets).toEqual([seen]);
  expect(problem).toMatchObject({ kind: 'unsupported', offset: 28 + MAX_INTERFACES * 20 + last.length });
});

/** Blocks that contradict themselves; each comes after a good packet. */
const damages: { name: string; damage: Uint8Array; found: number; inBlockOf?: number }[] = [
  { name: 'length that is no multiple of 4', damage: hex('06000000 21000000 00000000'), found: 0x21 },
  { name: 'length of less than a block', damage: hex('00000f00 08000000 08000000'), found: 8 },
  { name: 'packet block of less than its fields', damage: block(true, 6, new Uint8Array(12)), found: 24 },
  { name: 'simple packet block of less than its fields', damage: block(true, 3), found: 12 },
  { name: 'interface block of less than its fields', damage: block(true, 1, new Uint8Array(4)), found: 16 },
  {
    name: 'packet block beyond the limit',
    damage: hex('06000000 04000800 00000000'),
    found: MAX_RECORD_BYTES + 4,
  },
  {
    name: 'other length at the end of a packet',
    damage: hex('06000000 10000000 00000000 14000000'),
    found: 0x14,
  },
  { name: 'other length at the end of a whole packet', damage: withTrailer(0x2c), found: 0x2c },
  {
    name: 'other length at the end of a skipped block',
    damage: hex('05000000 10000000 00000000 14000000'),
    found: 0x14,
  },
  { name: 'unknown interface', damage: enhancedPacket(true, { interfaceId: 1, data }), found: 1 },
  {
    name: 'unknown interface of an obsolete packet',
    damage: obsoletePacket(true, { interfaceId: 1, data }, 0),
    found: 1,
  },
  { name: 'more data than the block', damage: packetOf(9, 8), found: 9 },
  {
    name: 'more data than a packet can have',
    damage: packetOf(MAX_PACKET_BYTES + 1, MAX_PACKET_BYTES + 4),
    found: MAX_PACKET_BYTES + 1,
  },
  { name: 'more simple data than the block', damage: simplePacket(true, data, 9), found: 9 },
  { name: 'section without magic', damage: hex('0a0d0d0a 1c000000 4d3c2b1b'), found: 0x1b2b_3c4d },
  { name: 'section of less than its fields', damage: hex('0a0d0d0a 18000000 4d3c2b1a'), found: 24 },
  {
    name: 'option beyond its block',
    damage: block(true, 1, hex('0100 0000 00000000 0200 0500 61626364')),
    found: 28,
  },
];

/** An enhanced packet block that ends in another length. */
function withTrailer(length: number): Buffer {
  const bytes = Buffer.from(enhancedPacket(true, { data }));
  bytes.writeUInt32LE(length, bytes.length - 4);
  return bytes;
}

/** An enhanced packet block with room for `room` bytes that promises `kept`. */
function packetOf(kept: number, room: number): Buffer {
  const bytes = Buffer.from(enhancedPacket(true, { data: new Uint8Array(room) }));
  bytes.writeUInt32LE(kept, 20);
  return bytes;
}

test.each(damages)('damage: $name', ({ damage, found }) => {
  const before = [sectionBlock(true), interfaceBytes(true), enhancedPacket(true, packet)];
  const { packets, problem } = decode(...before, damage, enhancedPacket(true, packet));
  expect(packets).toEqual([seen]);
  expect(problem).toMatchObject({ kind: 'damaged', offset: Buffer.concat(before).length, found });
});

test('a stream that begins with another block, and a later version, are refused', () => {
  expect(decode(interfaceBytes(true)).problem).toMatchObject({
    kind: 'damaged',
    offset: 0,
    expected: 'a section header',
  });
  const later = Buffer.from(sectionBlock(true));
  later.writeUInt16LE(2, 12);
  expect(decode(later).problem).toMatchObject({ kind: 'unsupported', offset: 0, found: 2 });
});

test('every prefix of a file gives a prefix of its packets, and says where it was cut', () => {
  const parts = [
    sectionBlock(true, option(true, 4, text.encode('me'))),
    interfaceBytes(true, { resolution: 9 }),
    enhancedPacket(true, packet),
    block(true, 5, new Uint8Array(40)),
    simplePacket(true, data),
    sectionBlock(false),
    interfaceBytes(false, { offsetSeconds: 3n }),
    obsoletePacket(false, packet, 9),
  ];
  const file = Buffer.concat(parts);
  const bounds = parts.map((_, index) => Buffer.concat(parts.slice(0, index)).length).concat(file.length);
  const packetEnds = [3, 5, 8].map((index) => bounds[index] ?? 0);
  const whole = decode(file).packets;
  expect(whole).toHaveLength(3);
  for (let length = 0; length <= file.length; length++) {
    const { packets, problem } = decode(file.subarray(0, length));
    const blockAt = Math.max(...bounds.filter((bound) => bound <= length));
    expect(packets).toEqual(whole.slice(0, packetEnds.filter((end) => end <= length).length));
    if (blockAt === length) expect(problem).toBeUndefined();
    else expect(problem).toMatchObject({ kind: 'cut', offset: blockAt, found: length - blockAt });
  }
});

test('a full batch is left alone, and reading goes on with the next', () => {
  const file = Buffer.concat([
    sectionBlock(true),
    interfaceBytes(true),
    enhancedPacket(true, packet),
    simplePacket(true, data),
  ]);
  const decoder = new PcapngDecoder();
  const batch = new PacketBatch(1, file);
  const first = decoder.decode(batch, 0, file.length);
  expect(decoder.decode(batch, first, file.length)).toBe(first);
  batch.clear();
  expect(decoder.decode(batch, first, file.length)).toBe(file.length);
  expect(batch.count).toBe(1);
});

const shape = record({
  interfaceId: constantFrom(0, 1),
  time: bigInt({ min: 0n, max: 2n ** 62n }),
  data: uint8Array({ maxLength: 40 }),
  wireLen: integer({ min: 40, max: 9000 }),
});
const anyBlock = oneof(
  tuple(constant('enhanced' as const), shape),
  tuple(constant('obsolete' as const), shape),
  tuple(constant('simple' as const), shape),
  tuple(constant('other' as const), shape),
  tuple(constant('section' as const), shape),
);

test('the size of chunks and of batches does not matter', () => {
  const sizes = array(integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });
  const blocks = array(anyBlock, { maxLength: 12 });
  assert(
    property(
      boolean(),
      blocks,
      sizes,
      integer({ min: 1, max: 5 }),
      nat(255),
      (littleEndian, made, chunks, capacity, resolution) => {
        const section = [
          sectionBlock(littleEndian),
          interfaceBytes(littleEndian, { resolution }),
          interfaceBytes(littleEndian, { linkType: 101 }),
        ];
        const parts = made.flatMap(([kind, each]) => {
          if (kind === 'enhanced') return [enhancedPacket(littleEndian, each)];
          if (kind === 'obsolete') return [obsoletePacket(littleEndian, each, 1)];
          if (kind === 'simple') return [simplePacket(littleEndian, each.data)];
          return kind === 'other' ? [block(littleEndian, 0x8000_0001, each.data)] : section;
        });
        const file = Buffer.concat([...section, ...parts]);
        const inOne = decodeAll(new PcapngDecoder(), file, { capacity: 100 });
        expect(inOne.problem).toBeUndefined();
        const packets = made.filter(([kind]) => kind !== 'other' && kind !== 'section');
        expect(inOne.packets.map((each) => each.data)).toEqual(packets.map(([, each]) => toHex(each.data)));
        expect(decodeAll(new PcapngDecoder(), file, { chunks, capacity })).toEqual(inOne);
      },
    ),
  );
});
