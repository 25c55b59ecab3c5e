import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockOf } from '../../../src/wire/block.ts';
import { copyBlock, copyBytes } from '../../../src/wire/copy.ts';

test('copies exactly the bytes asked for and returns the offset past them', () => {
  const source = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(
      source,
      fc.nat(400),
      fc.nat(400),
      fc.nat(32),
      fc.boolean(),
      (bytes, a, b, targetAt, asBuffer) => {
        const at = Math.min(a, b, bytes.length);
        const end = Math.min(Math.max(a, b), bytes.length);
        const target = new Uint8Array(targetAt + 440).fill(0xa5);
        const from = asBuffer ? Buffer.from(bytes) : bytes;

        expect(copyBytes(from, at, end, target, targetAt)).toBe(targetAt + end - at);
        expect(target.subarray(targetAt, targetAt + end - at)).toEqual(bytes.subarray(at, end));
        expect(target.subarray(0, targetAt).every((byte) => byte === 0xa5)).toBe(true);
        expect(target.subarray(targetAt + end - at).every((byte) => byte === 0xa5)).toBe(true);
      },
    ),
  );
});

test('regions of one block may overlap', () => {
  const block = Uint8Array.from({ length: 100 }, (_, i) => i);
  expect(copyBytes(block, 0, 80, block, 10)).toBe(90);
  expect([...block.subarray(10, 90)]).toEqual(Array.from({ length: 80 }, (_, i) => i));
});

test('every bit pattern survives, also those that are no number', () => {
  const patterns = Uint8Array.from([
    0x7f, 0xf0, 0, 0, 0, 0, 0, 1, 0xff, 0xf8, 0, 0, 0, 0, 0, 2, 0x7f, 0xa0, 0, 1,
  ]);
  const target = new Uint8Array(patterns.length);
  copyBytes(patterns, 0, patterns.length, target, 0);
  expect(target).toEqual(patterns);
});

test('blocks of any length are copied exactly, and nothing around them is touched', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(20), fc.nat(20), (bytes, at, targetAt) => {
      const source = Buffer.alloc(at + bytes.length + 8, 0x11);
      source.set(bytes, at);
      const target = Buffer.alloc(targetAt + bytes.length + 8, 0xa5);
      const end = at + bytes.length;

      expect(copyBlock(blockOf(source), at, end, blockOf(target), targetAt)).toBe(targetAt + bytes.length);
      expect(target.subarray(targetAt, targetAt + bytes.length).equals(bytes)).toBe(true);
      expect(target.subarray(0, targetAt).every((byte) => byte === 0xa5)).toBe(true);
      expect(target.subarray(targetAt + bytes.length).every((byte) => byte === 0xa5)).toBe(true);
    }),
  );
});
