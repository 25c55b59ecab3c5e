import { describe, expect, test } from 'vitest';
import * as quic from '../../../src/wire/quic-initial.ts';
import { hex } from '../../support/hex.ts';
import { quicFirstId, quicInitialVectors } from '../../vectors/quic-initial.ts';

const header = new quic.LongHeader();

function read(bytes: Uint8Array): boolean {
  return quic.isLongHeader(bytes, 0, bytes.length) && quic.readLongHeader(bytes, 0, bytes.length, header);
}

test.each(quicInitialVectors)('$source', (row) => {
  const bytes = hex(row.bytes);
  expect(read(bytes)).toBe(true);
  expect(header).toMatchObject({
    version: row.version,
    type: quic.PacketType.initial,
    destinationIdAt: 6,
    destinationIdLen: quicFirstId.length / 2,
    packetNumberAt: 18,
    packetEnd: 1200,
  });
  for (let end = 0; end < bytes.length; end++) expect(read(bytes.subarray(0, end))).toBe(false);
});

describe('types', () => {
  // version, no ids, and either an empty token and a length or a length alone
  test.each([
    ['c0 00000001 00 00 00 01 aa', quic.PacketType.initial],
    ['d0 00000001 00 00 01 aa', quic.PacketType.zeroRtt],
    ['e0 00000001 00 00 01 aa', quic.PacketType.handshake],
    ['f0 00000001 00 00 aabb', quic.PacketType.retry],
    ['c0 6b3343cf 00 00 aabb', quic.PacketType.retry],
    ['d0 6b3343cf 00 00 00 01 aa', quic.PacketType.initial],
    ['e0 6b3343cf 00 00 01 aa', quic.PacketType.zeroRtt],
    ['f0 6b3343cf 00 00 01 aa', quic.PacketType.handshake],
  ])('%s', (bytes, type) => {
    expect(read(hex(bytes))).toBe(true);
    expect(header.type).toBe(type);
    expect(header.packetEnd).toBe(hex(bytes).length);
  });
});

test.each([
  ['a short header', '40 00000001 00 00 00 01 aa'],
  ['no fixed bit', '80 00000001 00 00 00 01 aa'],
  ['version negotiation', 'c0 00000000 00 00 00 01 aa'],
  ['a draft', 'c0 ff00001d 00 00 00 01 aa'],
  ['an id of 21 bytes', `c0 00000001 15 ${'aa'.repeat(21)} 00 00 01 aa`],
  ['a source id of 21 bytes', `c0 00000001 00 15 ${'aa'.repeat(21)} 00 01 aa`],
  ['a source id past the end', 'c0 00000001 00 05 aa'],
  ['a token past the end', 'c0 00000001 00 00 3f 01 aa'],
  ['a length past the end', 'c0 00000001 00 00 00 02 aa'],
  ['a token as long as numbers go', 'c0 00000001 00 00 ffffffffffffffff 01 aa'],
  ['a length as long as numbers go', 'c0 00000001 00 00 00 ffffffffffffffff aa'],
  ['half a number', 'c0 00000001 00 00 00 40'],
])('not read: %s', (_, bytes) => {
  expect(read(hex(bytes))).toBe(false);
});

test.each([
  // RFC 9000 appendix A.1
  ['c2197c5eff14e88c', 8, Number(151_288_809_941_952_652n)],
  ['9d7f3e7d', 4, 494_878_333],
  ['7bbd', 2, 15_293],
  ['25', 1, 37],
  ['4025', 2, 37],
])('the number %s', (bytes, len, value) => {
  expect(quic.varintLen(hex(bytes), 0)).toBe(len);
  expect(quic.varint(hex(bytes), 0)).toBe(value);
  expect(quic.varintComplete(hex(bytes), 0, len)).toBe(true);
  expect(quic.varintComplete(hex(bytes), 0, len - 1)).toBe(false);
});
