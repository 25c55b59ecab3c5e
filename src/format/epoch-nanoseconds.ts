import { putCount } from './json-bytes.ts';

/** Ten digits of seconds, nine of nanoseconds. */
export const EPOCH_NANOSECONDS_BYTES_MAX = 19;

const DIGIT_0 = 0x30;
const DIGITS = 9;

/**
 * Writes nanoseconds since the epoch in decimal digits, exact although they are more than 2^53, and returns the offset just
 * past them.
 *
 * @param out         room for EPOCH_NANOSECONDS_BYTES_MAX at `at`
 * @param seconds     32 bits without sign
 * @param nanoseconds 0..999,999,999
 */
export function putEpochNanoseconds(out: Buffer, at: number, seconds: number, nanoseconds: number): number {
  if (seconds === 0) return putCount(out, at, nanoseconds);
  const next = putCount(out, at, seconds);
  let rest = nanoseconds | 0;
  for (let i = next + DIGITS - 1; i >= next; i--) {
    out[i] = DIGIT_0 + (rest % 10);
    rest = (rest / 10) | 0;
  }
  return next + DIGITS;
}
