import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress } from '../../../src/wire/address.ts';
import { putIpv4, putIpv6 } from '../../../src/wire/address-text.ts';
import { NameText } from '../../../src/wire/name-text.ts';
import { hex } from '../../support/hex.ts';

const group = fc.constantFrom(0, 0, 0, 1, 0xf, 0x10, 0xff, 0x100, 0xfff, 0x1000, 0xffff);

test('an IPv4 address is what formatAddress makes of it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.nat(5), (address, at) => {
      const bytes = Buffer.concat([Buffer.alloc(at, 0xee), address]);
      const text = new NameText();
      putIpv4(bytes, at, text);
      expect(text.toString()).toBe(formatAddress(bytes, at, 4));
    }),
  );
});

test('an IPv6 address is what formatAddress makes of it', () => {
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(5), (groups, at) => {
      const bytes = Buffer.alloc(at + 16, 0xee);
      groups.forEach((value, i) => bytes.writeUInt16BE(value, at + 2 * i));
      const text = new NameText();
      putIpv6(bytes, at, text);
      expect(text.toString()).toBe(formatAddress(bytes, at, 6));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['00010000000000000000000000000000', '1::'],
  ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
  ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['20010db8000100000001000100010001', '2001:db8:1:0:1:1:1:1'],
  ['00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
])('%s', (digits, expected) => {
  const text = new NameText();
  putIpv6(hex(digits), 0, text);
  expect(text.toString()).toBe(expected);
});
