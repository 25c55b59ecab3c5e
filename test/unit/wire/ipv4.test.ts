import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fold, sum } from '../../../src/wire/checksum.ts';
import * as ipv4 from '../../../src/wire/ipv4.ts';
import { emission } from '../../support/emission.ts';
import { hex } from '../../support/hex.ts';
import { ipv4Incomplete, ipv4Vectors } from '../../vectors/ipv4.ts';

test.each(ipv4Vectors)('$name', (row) => {
  const bytes = hex(row.bytes);
  expect(ipv4.complete(bytes, 0, bytes.length)).toBe(true);
  expect(ipv4.version(bytes, 0)).toBe(4);
  expect(ipv4.headerLen(bytes, 0)).toBe(row.headerLen);
  expect(ipv4.typeOfService(bytes, 0)).toBe(row.typeOfService);
  expect(ipv4.totalLength(bytes, 0)).toBe(row.totalLength);
  expect(ipv4.identification(bytes, 0)).toBe(row.identification);
  expect(ipv4.dontFragment(bytes, 0)).toBe(row.dontFragment);
  expect(ipv4.moreFragments(bytes, 0)).toBe(row.moreFragments);
  expect(ipv4.fragmentOffset(bytes, 0)).toBe(row.fragmentOffset);
  expect(ipv4.isFragment(bytes, 0)).toBe(row.moreFragments || row.fragmentOffset > 0);
  expect(ipv4.ttl(bytes, 0)).toBe(row.ttl);
  expect(ipv4.protocol(bytes, 0)).toBe(row.protocol);
  expect(ipv4.headerChecksum(bytes, 0)).toBe(row.headerChecksum);
});

test.each(ipv4Vectors)('$name: the checksum is right, so all words fold to ones', (row) => {
  const bytes = hex(row.bytes);
  expect(fold(sum(new DataView(bytes.buffer), 0, bytes.length))).toBe(0xffff);
});

test.each(ipv4Incomplete)('not a whole header: $name', (row) => {
  const bytes = hex(row.bytes);
  expect(ipv4.complete(bytes, 0, bytes.length)).toBe(false);
});

test('numbers of the standard', () => {
  expect(ipv4.TOTAL_LEN_MAX).toBe(2 ** 16 - 1);
  expect([ipv4.DONT_FRAGMENT, ipv4.MORE_FRAGMENTS]).toEqual([2 ** 14, 2 ** 13]);
});

test('emit writes what is read with a right checksum, at any offset, and touches nothing else', () => {
  const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const fields = fc.record({
    totalLength: fc.nat(0xffff),
    identification: fc.nat(0xffff),
    flags: fc.constantFrom(0, ipv4.DONT_FRAGMENT, ipv4.MORE_FRAGMENTS),
    offset: fc.nat(0x1fff),
    ttl: fc.nat(255),
    protocol: fc.nat(255),
    typeOfService: fc.option(fc.nat(255), { nil: undefined }),
  });
  fc.assert(
    fc.property(fields, address, address, fc.nat(64), (f, source, destination, at) => {
      const written = emission(ipv4.HEADER_LEN, at, (bytes, offset) =>
        ipv4.emit(
          bytes,
          offset,
          f.totalLength,
          f.identification,
          f.flags | f.offset,
          f.ttl,
          f.protocol,
          source,
          destination,
          f.typeOfService,
        ),
      );
      expect(ipv4.complete(written, 0, written.length)).toBe(true);
      expect(ipv4.headerLen(written, 0)).toBe(ipv4.HEADER_LEN);
      expect(ipv4.typeOfService(written, 0)).toBe(f.typeOfService ?? 0);
      expect(ipv4.totalLength(written, 0)).toBe(f.totalLength);
      expect(ipv4.identification(written, 0)).toBe(f.identification);
      expect(ipv4.dontFragment(written, 0)).toBe(f.flags === ipv4.DONT_FRAGMENT);
      expect(ipv4.moreFragments(written, 0)).toBe(f.flags === ipv4.MORE_FRAGMENTS);
      expect(ipv4.fragmentOffset(written, 0)).toBe(f.offset * 8);
      expect(ipv4.ttl(written, 0)).toBe(f.ttl);
      expect(ipv4.protocol(written, 0)).toBe(f.protocol);
      expect(written.subarray(ipv4.SOURCE, ipv4.DESTINATION)).toEqual(source);
      expect(written.subarray(ipv4.DESTINATION)).toEqual(destination);
      expect(fold(sum(new DataView(written.buffer), 0, written.length))).toBe(0xffff);
    }),
  );
});
