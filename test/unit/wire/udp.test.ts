import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as udp from '../../../src/wire/udp.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { udpVectors } from '../../vectors/udp.ts';

test.each(udpVectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(udp.complete(0, bytes.length)).toBe(row.complete);
  if (!row.complete) return;
  expect(udp.sourcePort(bytes, 0)).toBe(row.sourcePort);
  expect(udp.destinationPort(bytes, 0)).toBe(row.destinationPort);
  expect(udp.length(bytes, 0)).toBe(row.length);
  expect(udp.checksum(bytes, 0)).toBe(row.checksum);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const u16 = fc.nat(0xffff);
  fc.assert(
    fc.property(u16, u16, u16, u16, fc.nat(64), (sourcePort, destinationPort, length, checksum, at) => {
      const written = emission(udp.HEADER_LEN, at, (bytes, offset) =>
        udp.emit(bytes, offset, sourcePort, destinationPort, length, checksum),
      );
      expect(udp.sourcePort(written, 0)).toBe(sourcePort);
      expect(udp.destinationPort(written, 0)).toBe(destinationPort);
      expect(udp.length(written, 0)).toBe(length);
      expect(udp.checksum(written, 0)).toBe(checksum);
    }),
  );
});
