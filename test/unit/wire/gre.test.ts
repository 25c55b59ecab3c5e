import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as gre from '../../../src/wire/gre.ts';
import { emission } from '../../support/emission.ts';
import { guardedBytes } from '../../support/guarded-bytes.ts';
import { hex } from '../../support/hex.ts';
import { greVectors } from '../../vectors/gre.ts';

const AT = 5;

test.each(greVectors)('$name', (row) => {
  const header = hex(row.bytes);
  const block = new Uint8Array(AT + header.length + 20).fill(0xff);
  block.set(header, AT);
  const end = AT + header.length;
  const bytes = guardedBytes(block, AT, end);
  expect(gre.complete(bytes, AT, end)).toBe(row.headerLen !== undefined);
  if (row.headerLen === undefined) return;
  expect(gre.headerLen(bytes, AT)).toBe(row.headerLen);
  expect(gre.protocolType(bytes, AT)).toBe(row.protocolType);
  expect(gre.hasKey(bytes, AT)).toBe(row.key !== undefined);
  if (row.key !== undefined) expect(gre.key(bytes, AT)).toBe(row.key);
});

test('no bytes make it read outside, and none that are cut pass', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(9), (header, at) => {
      const block = new Uint8Array(at + header.length + 20).fill(0xff);
      block.set(header, at);
      const end = at + header.length;
      const bytes = guardedBytes(block, at, end);
      if (!gre.complete(bytes, at, end)) return;
      expect(gre.headerLen(bytes, at)).toBeLessThanOrEqual(end - at);
      if (gre.hasKey(bytes, at)) expect(gre.key(bytes, at)).toBeLessThanOrEqual(0xffff_ffff);
    }),
  );
});

test('emit writes what is read, at any offset, and touches nothing else', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff_ffff), fc.nat(64), (type, key, at) => {
      const written = emission(8, at, (bytes, offset) => gre.emit(bytes, offset, type, key));
      expect(gre.complete(written, 0, written.length)).toBe(true);
      expect(gre.headerLen(written, 0)).toBe(8);
      expect(gre.protocolType(written, 0)).toBe(type);
      expect(gre.key(written, 0)).toBe(key);
    }),
  );
});
