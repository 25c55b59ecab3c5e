import { assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { isoTimestamp, timestampSeconds } from '../../../src/observe/timestamp.ts';

test.each([
  { seconds: 0, nanoseconds: 0, text: '1970-01-01T00:00:00.000000000Z' },
  { seconds: 1_561_629_605, nanoseconds: 250_000_000, text: '2019-06-27T10:00:05.250000000Z' },
  { seconds: 0xffff_ffff, nanoseconds: 999_999_999, text: '2106-02-07T06:28:15.999999999Z' },
])('$text', ({ seconds, nanoseconds, text }) => {
  expect(isoTimestamp(seconds, nanoseconds)).toBe(text);
  expect(timestampSeconds(text)).toBeCloseTo(seconds + nanoseconds / 1e9, 6);
});

test('back and forth keeps the time, and later times are greater texts', () => {
  const time = () => integer({ min: 0, max: 0xffff_ffff });
  const fraction = () => integer({ min: 0, max: 999_999_999 });
  assert(
    property(time(), fraction(), time(), fraction(), (aSeconds, aNanos, bSeconds, bNanos) => {
      const a = isoTimestamp(aSeconds, aNanos);
      const b = isoTimestamp(bSeconds, bNanos);
      expect(timestampSeconds(a)).toBeCloseTo(aSeconds + aNanos / 1e9, 6);
      const earlier = aSeconds === bSeconds ? aNanos < bNanos : aSeconds < bSeconds;
      expect(a < b).toBe(earlier);
    }),
  );
});
