import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as icmp from '../../../src/wire/icmp.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { icmpVectors } from '../../vectors/icmp.ts';

/** Source: Community ID specification version 1: echo, router discovery (RFC 1256), timestamp, information, address mask (RFC 950). */
const PAIRS = [
  [0, 8],
  [9, 10],
  [13, 14],
  [15, 16],
  [17, 18],
];

test.each(icmpVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(icmp.complete(0, bytes.length)).toBe(row.complete);
  if (!row.complete) return;
  expect(icmp.type(bytes, 0)).toBe(row.type);
  expect(icmp.code(bytes, 0)).toBe(row.code);
  expect(icmp.checksum(bytes, 0)).toBe(row.checksum);
  expect(icmp.echoId(bytes, 0)).toBe(row.echoId);
  expect(icmp.echoSequence(bytes, 0)).toBe(row.echoSequence);
});

test('a type that has a counterpart is its counterpart, and every other goes one way', () => {
  const pairs = Array.from(icmp.COUNTERPART, (answer, type) => [type, answer] as const).filter(
    ([type, answer]) => answer !== icmp.ONE_WAY && type < answer,
  );
  expect(pairs).toEqual(PAIRS);
  for (const [type, answer] of pairs) expect(icmp.COUNTERPART[answer]).toBe(type);
  expect(icmp.COUNTERPART.filter((answer) => answer !== icmp.ONE_WAY)).toHaveLength(2 * pairs.length);
  expect(icmp.COUNTERPART).toHaveLength(256);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const u8 = fc.nat(0xff);
  const u16 = fc.nat(0xffff);
  fc.assert(
    fc.property(u8, u8, u16, u16, u16, fc.nat(64), (type, code, checksum, id, sequence, at) => {
      const written = emission(icmp.HEADER_LEN, at, (bytes, offset) =>
        icmp.emit(bytes, offset, type, code, checksum, id, sequence),
      );
      expect(icmp.type(written, 0)).toBe(type);
      expect(icmp.code(written, 0)).toBe(code);
      expect(icmp.checksum(written, 0)).toBe(checksum);
      expect(icmp.echoId(written, 0)).toBe(id);
      expect(icmp.echoSequence(written, 0)).toBe(sequence);
    }),
  );
});
