import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as ethernet from '../../../src/wire/ethernet.ts';
import { emission } from '../../support/emission.ts';
import { hex, toHex } from '../../support/hex.ts';
import { ethernetVectors } from '../../vectors/ethernet.ts';

test.each(ethernetVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(ethernet.complete(0, bytes.length)).toBe(row.complete);
  if (!row.complete) return;
  expect(ethernet.etherType(bytes, 0)).toBe(row.etherType);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const address = fc.uint8Array({ minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(address, address, fc.nat(0xffff), fc.nat(64), (destination, source, etherType, at) => {
      const written = emission(ethernet.HEADER_LEN, at, (bytes, offset) =>
        ethernet.emit(bytes, offset, destination, source, etherType),
      );
      expect(ethernet.complete(0, written.length)).toBe(true);
      expect(toHex(written.subarray(ethernet.DESTINATION, ethernet.SOURCE))).toBe(toHex(destination));
      expect(toHex(written.subarray(ethernet.SOURCE, 12))).toBe(toHex(source));
      expect(ethernet.etherType(written, 0)).toBe(etherType);
    }),
  );
});
