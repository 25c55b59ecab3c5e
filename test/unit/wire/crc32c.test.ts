import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { crc32c } from '../../../src/wire/crc32c.ts';

const range = Uint8Array.from({ length: 32 }, (_none, index) => index);

/** RFC 3720 section B.4, and the check value of the catalogue of CRCs. */
test.each<[string, Uint8Array, number]>([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', range, 0x46dd794e],
  ['31 to 0', range.toReversed(), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
])('of %s', (_name, bytes, checksum) => {
  expect(crc32c(bytes, 0, bytes.length)).toBe(checksum);
});

test('is the division bit by bit, of any part of the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), fc.nat(20), (bytes, skip, drop) => {
      const at = Math.min(skip, bytes.length);
      const end = Math.max(at, bytes.length - drop);
      expect(crc32c(bytes, at, end)).toBe(bitwise(bytes.subarray(at, end)));
    }),
  );
});

function bitwise(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
  }
  return ~crc >>> 0;
}
