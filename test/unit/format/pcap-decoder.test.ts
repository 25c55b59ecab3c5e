import { array, assert, constantFrom, integer, nat, property, record, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_PACKET_BYTES } from '../../../src/format/limits.ts';
import { PcapDecoder } from '../../../src/format/pcap-decoder.ts';
import { pcapHeader, pcapRecord } from '../../support/capture-bytes.ts';
import { decodeAll } from '../../support/decoding.ts';
import { hex, toHex } from '../../support/hex.ts';

const data = hex('00112233445566');

function decode(...parts: readonly Uint8Array[]): ReturnType<typeof decodeAll> {
  return decodeAll(new PcapDecoder(), Buffer.concat(parts));
}

/** Header of draft-ietf-opsawg-pcap section 4, record of section 5. */
const vectors = [
  {
    name: 'little-endian, microseconds',
    bytes: `d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000
            01000000 02000000 02000000 40000000 abcd`,
    packet: { time: '1.000002000', linkType: 1, wireLen: 64, data: 'abcd' },
  },
  {
    name: 'big-endian, microseconds',
    bytes: `a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001
            00000001 000f423f 00000002 00000040 abcd`,
    packet: { time: '1.999999000', linkType: 1, wireLen: 64, data: 'abcd' },
  },
  {
    name: 'little-endian, nanoseconds',
    bytes: `4d3cb2a1 0200 0400 00000000 00000000 ffff0000 65000000
            01000000 02000000 02000000 40000000 abcd`,
    packet: { time: '1.000000002', linkType: 101, wireLen: 64, data: 'abcd' },
  },
  {
    name: 'big-endian, nanoseconds, time of 32 bits',
    bytes: `a1b23c4d 0002 0004 00000000 00000000 0000ffff 00000114
            ffffffff 3b9ac9ff 00000002 00000040 abcd`,
    packet: { time: '4294967295.999999999', linkType: 276, wireLen: 64, data: 'abcd' },
  },
  {
    name: 'link type below the check sequence bits',
    bytes: `d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000024
            00000000 00000000 00000000 40000000`,
    packet: { time: '0.000000000', linkType: 1, wireLen: 64, data: '' },
  },
  {
    name: 'a length on the wire below the captured one is raised to it',
    bytes: `d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000
            00000000 00000000 02000000 01000000 abcd`,
    packet: { time: '0.000000000', linkType: 1, wireLen: 2, data: 'abcd' },
  },
  {
    name: 'microseconds of a second and more are carried',
    bytes: `d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000
            05000000 ffffffff 00000000 00000000`,
    packet: { time: '4299.967295000', linkType: 1, wireLen: 0, data: '' },
  },
];

test.each(vectors)('$name', ({ bytes, packet }) => {
  expect(decode(hex(bytes))).toEqual({ packets: [packet], problem: undefined });
});

const little = { littleEndian: true, nanoseconds: false, linkType: 1 };
const good = { seconds: 1, fraction: 2, data };
const goodSeen = { time: '1.000002000', linkType: 1, wireLen: 7, data: toHex(data) };

test('version 2.2, whose lengths may be swapped, is refused', () => {
  expect(decode(pcapHeader({ ...little, minor: 2 }))).toEqual({
    packets: [],
    problem: expect.objectContaining({
      kind: 'unsupported',
      offset: 0,
      message: 'This is pcap version 2.2, which is not read.',
    }),
  });
});

test('a record that promises more than a packet can have ends the file, at its offset', () => {
  const bad = Buffer.from(pcapRecord(true, good));
  bad.writeUInt32LE(MAX_PACKET_BYTES + 1, 8);
  const { packets, problem } = decode(
    pcapHeader(little),
    pcapRecord(true, good),
    bad,
    pcapRecord(true, good),
  );
  expect(packets).toEqual([goodSeen]);
  expect(problem).toMatchObject({ kind: 'damaged', offset: 24 + 23, found: MAX_PACKET_BYTES + 1 });
});

test('the largest packet is read', () => {
  const largest = { seconds: 0, fraction: 0, data: new Uint8Array(MAX_PACKET_BYTES) };
  const file = Buffer.concat([pcapHeader(little), pcapRecord(true, largest)]);
  const { packets, problem } = decodeAll(new PcapDecoder(), file, { chunks: [70_000] });
  expect(packets.map((packet) => packet.data.length / 2)).toEqual([MAX_PACKET_BYTES]);
  expect(problem).toBeUndefined();
});

test('every prefix of a file gives a prefix of its packets, and says where it was cut', () => {
  const records = [good, { ...good, data: new Uint8Array() }, { ...good, data: data.subarray(2) }];
  const parts = [pcapHeader(little), ...records.map((packet) => pcapRecord(true, packet))];
  const file = Buffer.concat(parts);
  const whole = decode(file).packets;
  const bounds = parts.map((_, index) => Buffer.concat(parts.slice(0, index)).length).concat(file.length);
  for (let length = 0; length <= file.length; length++) {
    const { packets, problem } = decode(file.subarray(0, length));
    const recordAt = Math.max(...bounds.filter((bound) => bound <= length));
    expect(packets).toEqual(whole.slice(0, Math.max(0, bounds.indexOf(recordAt) - 1)));
    if (recordAt === length) expect(problem).toBeUndefined();
    else expect(problem).toMatchObject({ kind: 'cut', offset: recordAt, found: length - recordAt });
  }
});

test('a decoder that has stopped stays where it is', () => {
  const decoder = new PcapDecoder();
  const bad = Buffer.concat([pcapHeader(little), Buffer.alloc(16, 0xff)]);
  const first = decodeAll(decoder, bad);
  const again = decodeAll(decoder, new Uint8Array());
  expect(again).toEqual({ packets: [], problem: first.problem });
  expect(decoder.offset).toBe(24);
});

test('the size of chunks and of batches does not matter', () => {
  const packet = record({
    seconds: nat(0x7fff_ffff),
    fraction: nat(999_999),
    data: uint8Array({ maxLength: 60 }),
    wireLen: integer({ min: 60, max: 9000 }),
  });
  const sizes = array(integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 });
  assert(
    property(
      constantFrom(true, false),
      array(packet, { maxLength: 12 }),
      sizes,
      integer({ min: 1, max: 5 }),
      (littleEndian, packets, chunks, capacity) => {
        const shape = { littleEndian, nanoseconds: true, linkType: 113 };
        const file = Buffer.concat([
          pcapHeader(shape),
          ...packets.map((each) => pcapRecord(littleEndian, each)),
        ]);
        const decoded = decodeAll(new PcapDecoder(), file, { chunks, capacity });
        expect(decoded).toEqual({
          packets: packets.map((each) => ({
            time: `${each.seconds}.${String(each.fraction).padStart(9, '0')}`,
            linkType: 113,
            wireLen: each.wireLen,
            data: toHex(each.data),
          })),
          problem: undefined,
        });
      },
    ),
  );
});
