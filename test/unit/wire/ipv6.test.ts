import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as ipv6 from '../../../src/wire/ipv6.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { ipv6Vectors } from '../../vectors/ipv6.ts';

test.each(ipv6Vectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(ipv6.complete(bytes, 0, bytes.length)).toBe(row.complete);
  if (!row.complete) return;
  expect(ipv6.trafficClass(bytes, 0)).toBe(row.trafficClass);
  expect(ipv6.flowLabel(bytes, 0)).toBe(row.flowLabel);
  expect(ipv6.payloadLength(bytes, 0)).toBe(row.payloadLength);
  expect(ipv6.nextHeader(bytes, 0)).toBe(row.nextHeader);
  expect(ipv6.hopLimit(bytes, 0)).toBe(row.hopLimit);
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const fields = fc.record({
    payloadLength: fc.nat(0xffff),
    nextHeader: fc.nat(255),
    hopLimit: fc.nat(255),
    trafficClass: fc.option(fc.nat(255), { nil: undefined }),
    flowLabel: fc.option(fc.nat(0xf_ffff), { nil: undefined }),
  });
  fc.assert(
    fc.property(fields, address, address, fc.nat(64), (f, source, destination, at) => {
      const written = emission(ipv6.HEADER_LEN, at, (bytes, offset) =>
        ipv6.emit(
          bytes,
          offset,
          f.payloadLength,
          f.nextHeader,
          f.hopLimit,
          source,
          destination,
          f.trafficClass,
          f.flowLabel,
        ),
      );
      expect(ipv6.complete(written, 0, written.length)).toBe(true);
      expect(ipv6.payloadLength(written, 0)).toBe(f.payloadLength);
      expect(ipv6.nextHeader(written, 0)).toBe(f.nextHeader);
      expect(ipv6.hopLimit(written, 0)).toBe(f.hopLimit);
      expect(ipv6.trafficClass(written, 0)).toBe(f.trafficClass ?? 0);
      expect(ipv6.flowLabel(written, 0)).toBe(f.flowLabel ?? 0);
      expect(written.subarray(ipv6.SOURCE, ipv6.DESTINATION)).toEqual(source);
      expect(written.subarray(ipv6.DESTINATION)).toEqual(destination);
    }),
  );
});
