import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { finish, fold, pseudoSum, sum } from '../../../src/wire/checksum.ts';
import { hex } from '../../support/hex.ts';
import { checksumVectors } from '../../vectors/checksum.ts';

test.each(checksumVectors)('$name', ({ bytes, folded }) => {
  const data = hex(bytes);
  const total = sum(new DataView(data.buffer), 0, data.length);
  expect(fold(total)).toBe(folded);
  expect(finish(total)).toBe(0xffff - folded);
});

/** The sum as RFC 1071 section 4.1 writes it down: word by word, odd byte on the left of a last one. */
function slowFold(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total % 0x1_0000) + Math.floor(total / 0x1_0000);
  return total;
}

test('any bytes at any offset sum as RFC 1071 says, whatever stands around them', () => {
  const data = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(data, fc.nat(16), (bytes, at) => {
      const block = new Uint8Array(at + bytes.length + 8).fill(0xa5);
      block.set(bytes, at);
      expect(fold(sum(new DataView(block.buffer), at, at + bytes.length))).toBe(slowFold(bytes));
    }),
    { numRuns: 500 },
  );
});

test('sums of pieces that begin at even positions add up to the sum of the whole', () => {
  const data = fc.uint8Array({ minLength: 2, maxLength: 300 });
  fc.assert(
    fc.property(data, fc.nat(300), (bytes, where) => {
      const cut = Math.min(where, bytes.length) & ~1;
      const view = new DataView(bytes.buffer);
      const pieces = sum(view, 0, cut) + sum(view, cut, bytes.length);
      expect(fold(pieces)).toBe(fold(sum(view, 0, bytes.length)));
    }),
  );
});

test.each([9_000, 65_535, 65_536])('%i bytes of ones stay exact', (length) => {
  const bytes = new Uint8Array(length).fill(0xff);
  const total = sum(new DataView(bytes.buffer), 0, length);
  expect(total).toBeLessThan(2 ** 18);
  expect(fold(total)).toBe(slowFold(bytes));
});

test('folding is arithmetic modulo 0xffff in which only zero is 0', () => {
  const sums = fc.oneof(fc.nat(0x7fff_ffff), fc.nat(0x4_0000), fc.constantFrom(0x1_ffff, 0x7fff_ffff));
  fc.assert(
    fc.property(sums, (total) => {
      expect(fold(total)).toBe(total === 0 ? 0 : ((total - 1) % 0xffff) + 1);
    }),
    { numRuns: 2_000 },
  );
});

test('a checksum put where the zeros were makes everything fold to ones', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 100 }), (bytes) => {
      const view = new DataView(bytes.buffer);
      view.setUint16(2, 0);
      view.setUint16(2, finish(sum(view, 0, bytes.length)));
      expect(fold(sum(view, 0, bytes.length))).toBe(0xffff);
    }),
  );
});

test('the IPv4 pseudo-header is the twelve bytes of RFC 768', () => {
  const packet = hex('ffff c0000201 c0000202');
  const pseudoHeader = hex('c0000201 c0000202 00 11 1234');
  const view = new DataView(packet.buffer);
  expect(fold(pseudoSum(view, 4, 2, 6, 17, 0x1234))).toBe(slowFold(pseudoHeader));
});

test('the IPv6 pseudo-header is the forty bytes of RFC 8200 section 8.1', () => {
  const source = '20010db800000000fffefdfc00000001';
  const destination = '20010db8000000000000000000000002';
  const packet = hex(`00 ${source} ffff ${destination}`);
  const pseudoHeader = hex(`${source} ${destination} 00012345 000000 3a`);
  const view = new DataView(packet.buffer);
  expect(fold(pseudoSum(view, 6, 1, 19, 58, 0x1_2345))).toBe(slowFold(pseudoHeader));
});
