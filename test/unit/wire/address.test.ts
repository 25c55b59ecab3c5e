import { isIP } from 'node:net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, formatAddress, parseAddress, parseCidr } from '../../../src/wire/address.ts';
import { hex, toHex } from '../../support/hex.ts';
import { addressSpellings, addressVectors, notAddresses } from '../../vectors/address.ts';

test.each(addressVectors)('$text ($source)', ({ bytes, text }) => {
  const address = hex(bytes);
  const version = address.length === 4 ? 4 : 6;
  expect(formatAddress(hex(`ff ${bytes} ff`), 1, version)).toBe(text);
  expect(parseAddress(text)).toEqual({ version, bytes: address });
});

test.each(addressSpellings)('$text is read ($source)', ({ bytes, text }) => {
  expect(toHex(parseAddress(text)!.bytes)).toBe(bytes);
});

test.each(notAddresses)('no address: "%s"', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test('every address is read back from its text', () => {
  const sparse = fc.array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 });
  const any = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(
      fc.oneof(any, sparse.map(Uint8Array.from.bind(Uint8Array))),
      fc.constantFrom(4, 6),
      (bytes, version) => {
        const text = formatAddress(bytes, 0, version);
        expect(parseAddress(text)).toEqual({ version, bytes: bytes.slice(0, version === 4 ? 4 : 16) });
      },
    ),
    { numRuns: 500 },
  );
});

test('what is read as an address is one for Node too, and the other way round', () => {
  const digits = fc.string({ unit: fc.constantFrom('0', '1', '2', '5', 'f', ':', '.', '::'), maxLength: 24 });
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), digits), (text) => {
      expect(parseAddress(text)?.version ?? 0).toBe(isIP(text));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  { text: '10.0.0.0/8', bytes: '0a000000', prefixLength: 8 },
  { text: '10.1.2.3/8', bytes: '0a000000', prefixLength: 8 },
  { text: '10.1.2.255/25', bytes: '0a010280', prefixLength: 25 },
  { text: '0.0.0.0/0', bytes: '00000000', prefixLength: 0 },
  { text: '192.0.2.1', bytes: 'c0000201', prefixLength: 32 },
  { text: '2001:db8::1/32', bytes: '20010db8000000000000000000000000', prefixLength: 32 },
  { text: 'ffff::/3', bytes: 'e0000000000000000000000000000000', prefixLength: 3 },
  { text: '::1', bytes: '00000000000000000000000000000001', prefixLength: 128 },
])('network $text', ({ text, bytes, prefixLength }) => {
  const address = hex(bytes);
  expect(parseCidr(text)).toEqual({ version: address.length === 4 ? 4 : 6, bytes: address, prefixLength });
});

test.each([
  '',
  '/',
  '10.0.0.0/',
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/08',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10/8',
  'x/8',
])('no network: "%s"', (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test.each([
  { network: '10.0.0.0/8', address: '10.255.0.1', inside: true },
  { network: '10.0.0.0/8', address: '11.0.0.0', inside: false },
  { network: '192.0.2.128/25', address: '192.0.2.129', inside: true },
  { network: '192.0.2.128/25', address: '192.0.2.127', inside: false },
  { network: '192.0.2.1', address: '192.0.2.1', inside: true },
  { network: '192.0.2.1', address: '192.0.2.0', inside: false },
  { network: '0.0.0.0/0', address: '255.255.255.255', inside: true },
  { network: '0.0.0.0/0', address: '::', inside: false },
  { network: '2001:db8::/33', address: '2001:db8:7fff::', inside: true },
  { network: '2001:db8::/33', address: '2001:db8:8000::', inside: false },
])('$address in $network: $inside', ({ network, address, inside }) => {
  const { version, bytes } = parseAddress(address)!;
  expect(contains(parseCidr(network)!, Uint8Array.from([7, ...bytes]), 1, version)).toBe(inside);
});
