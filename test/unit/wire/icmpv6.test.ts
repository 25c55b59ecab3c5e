import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as icmpv6 from '../../../src/wire/icmpv6.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { icmpv6Vectors } from '../../vectors/icmpv6.ts';

/** Source: Community ID specification version 1: echo, listeners (RFC 2710), routers and neighbors (RFC 4861), node information (RFC 4620), home agents (RFC 6275). */
const PAIRS = [
  [128, 129],
  [130, 131],
  [133, 134],
  [135, 136],
  [139, 140],
  [144, 145],
];

test.each(icmpv6Vectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(icmpv6.complete(0, bytes.length)).toBe(row.complete);
  if (!row.complete) return;
  expect(icmpv6.type(bytes, 0)).toBe(row.type);
  expect(icmpv6.code(bytes, 0)).toBe(row.code);
  expect(icmpv6.checksum(bytes, 0)).toBe(row.checksum);
  expect(icmpv6.echoId(bytes, 0)).toBe(row.echoId);
  expect(icmpv6.echoSequence(bytes, 0)).toBe(row.echoSequence);
});

test('a type that has a counterpart is its counterpart, and every other goes one way', () => {
  const pairs = Array.from(icmpv6.COUNTERPART, (answer, type) => [type, answer] as const).filter(
    ([type, answer]) => answer !== icmpv6.ONE_WAY && type < answer,
  );
  expect(pairs).toEqual(PAIRS);
  for (const [type, answer] of pairs) expect(icmpv6.COUNTERPART[answer]).toBe(type);
  expect(icmpv6.COUNTERPART.filter((answer) => answer !== icmpv6.ONE_WAY)).toHaveLength(2 * pairs.length);
  expect(icmpv6.COUNTERPART).toHaveLength(256);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const u8 = fc.nat(0xff);
  const u16 = fc.nat(0xffff);
  fc.assert(
    fc.property(u8, u8, u16, u16, u16, fc.nat(64), (type, code, checksum, id, sequence, at) => {
      const written = emission(icmpv6.HEADER_LEN, at, (bytes, offset) =>
        icmpv6.emit(bytes, offset, type, code, checksum, id, sequence),
      );
      expect(icmpv6.type(written, 0)).toBe(type);
      expect(icmpv6.code(written, 0)).toBe(code);
      expect(icmpv6.checksum(written, 0)).toBe(checksum);
      expect(icmpv6.echoId(written, 0)).toBe(id);
      expect(icmpv6.echoSequence(written, 0)).toBe(sequence);
    }),
  );
});
