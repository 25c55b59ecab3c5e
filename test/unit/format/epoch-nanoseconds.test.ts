import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EPOCH_NANOSECONDS_BYTES_MAX, putEpochNanoseconds } from '../../../src/format/epoch-nanoseconds.ts';

function textOf(seconds: number, nanoseconds: number): string {
  const out = Buffer.alloc(3 + EPOCH_NANOSECONDS_BYTES_MAX, 0xa5);
  const end = putEpochNanoseconds(out, 3, seconds, nanoseconds);
  expect(out.subarray(end).every((byte) => byte === 0xa5)).toBe(true);
  return out.toString('latin1', 3, end);
}

const rows = [
  { seconds: 0, nanoseconds: 0, text: '0' },
  { seconds: 0, nanoseconds: 70, text: '70' },
  { seconds: 1, nanoseconds: 0, text: '1000000000' },
  { seconds: 1_795_233_600, nanoseconds: 1, text: '1795233600000000001' },
  { seconds: 0xffff_ffff, nanoseconds: 999_999_999, text: '4294967295999999999' },
];

test.each(rows)('$seconds s and $nanoseconds ns: $text', ({ seconds, nanoseconds, text }) => {
  expect(textOf(seconds, nanoseconds)).toBe(text);
});

test('every time is exact', () => {
  const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
  const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });
  fc.assert(
    fc.property(seconds, nanoseconds, (s, ns) => {
      expect(textOf(s, ns)).toBe(String(BigInt(s) * 1_000_000_000n + BigInt(ns)));
    }),
  );
});
