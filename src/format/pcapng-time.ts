/**
 * Time stamps of pcapng: 64-bit counts of a unit that each interface chooses, turned into seconds and nanoseconds.
 *
 * `if_tsresol` is one byte: with the top bit clear the unit is 10 ** -n seconds, with it set 2 ** -n, where n is the
 * other seven bits. The result is exact, rounded down to the nanosecond where the unit is finer or is no multiple
 * of one. Seconds are kept modulo 2 ** 32: times before 1970 and after 2106 come out wrong by a multiple of that.
 *
 * Source: draft-ietf-opsawg-pcapng, sections 4.2 (if_tsresol, if_tsoffset) and 4.3 (time stamp halves).
 */
import type { PacketBatch } from '../packet/batch.ts';

/** The resolution of an interface that does not say: microseconds. */
export const DEFAULT_RESOLUTION = 6;

const BASE_TWO = 0x80;
const EXPONENT = 0x7f;
const TWO_32 = 0x1_0000_0000;
const NANOSECONDS_PER_SECOND = 1_000_000_000;
/** 10 ** 9 = 2 ** 9 * 5 ** 9. */
const FIVE_9 = 1_953_125;

/**
 * How many units make a second; 0 where they are too fine for `putTime` (more than 10 ** 9 or 2 ** 30), so that
 * `putFineTime` must be called.
 */
export function unitsPerSecond(resolution: number): number {
  const exponent = resolution & EXPONENT;
  if ((resolution & BASE_TWO) !== 0) return exponent <= 30 ? 2 ** exponent : 0;
  return exponent <= 9 ? 10 ** exponent : 0;
}

/**
 * Writes the time of one slot. `high` and `low` are the halves of the count.
 *
 * The quotient is estimated in doubles, a little off at most; the rest, computed modulo 2 ** 32, shows by how much.
 * It fits in 32 bits, since the estimate's error, times the unit, is below 2 ** 12 plus one second of units.
 *
 * @param units         units a second, 1..10 ** 9 or a power of two up to 2 ** 30
 * @param offsetSeconds added to the seconds, modulo 2 ** 32
 */
export function putTime(
  batch: PacketBatch,
  slot: number,
  high: number,
  low: number,
  units: number,
  offsetSeconds: number,
): void {
  const estimate = Math.floor((high * TWO_32 + low) / units) | 0;
  const estimateRest = (low - Math.imul(estimate, units)) | 0;
  const wrong = estimateRest < 0 || estimateRest >= units;
  const correction = wrong ? Math.floor(estimateRest / units) : 0;
  const rest = estimateRest - correction * units;
  batch.seconds[slot] = estimate + correction + offsetSeconds;
  // Exact: 10 ** 9 / units is a whole number or has at most 21 significant bits, and rest has at most 30.
  batch.nanoseconds[slot] =
    units === NANOSECONDS_PER_SECOND ? rest : Math.floor(rest * (NANOSECONDS_PER_SECOND / units));
}

/** The same for units finer than `putTime` takes: brings the count to nanoseconds first. */
export function putFineTime(
  batch: PacketBatch,
  slot: number,
  high: number,
  low: number,
  resolution: number,
  offsetSeconds: number,
): void {
  const exponent = resolution & EXPONENT;
  if ((resolution & BASE_TWO) !== 0) putBinaryTime(batch, slot, high, low, exponent, offsetSeconds);
  else putDecimalTime(batch, slot, high, low, exponent, offsetSeconds);
}

/** Divides the count by 10 ** (exponent - 9), at most 10 ** 6 at a time so that every step is exact in doubles. */
function putDecimalTime(
  batch: PacketBatch,
  slot: number,
  high: number,
  low: number,
  exponent: number,
  offsetSeconds: number,
): void {
  let upper = high;
  let lower = low;
  for (let left = exponent - 9; left > 0 && upper + lower > 0; left -= 6) {
    const divisor = 10 ** Math.min(left, 6);
    const quotient = Math.floor(upper / divisor);
    lower = Math.floor(((upper - quotient * divisor) * TWO_32 + lower) / divisor);
    upper = quotient;
  }
  putTime(batch, slot, upper, lower, NANOSECONDS_PER_SECOND, offsetSeconds);
}

/** Nanoseconds are count * 5 ** 9 / 2 ** (exponent - 9): a product of up to 85 bits in three words, shifted. */
function putBinaryTime(
  batch: PacketBatch,
  slot: number,
  high: number,
  low: number,
  exponent: number,
  offsetSeconds: number,
): void {
  const lowProduct = low * FIVE_9;
  const highProduct = high * FIVE_9 + Math.floor(lowProduct / TWO_32);
  let word0 = lowProduct >>> 0;
  let word1 = highProduct >>> 0;
  let word2 = Math.floor(highProduct / TWO_32);
  let shift = exponent - 9;
  for (; shift >= 32; shift -= 32) {
    word0 = word1;
    word1 = word2;
    word2 = 0;
  }
  const lower = shift === 0 ? word0 : ((word0 >>> shift) | (word1 << (32 - shift))) >>> 0;
  const upper = shift === 0 ? word1 : ((word1 >>> shift) | (word2 << (32 - shift))) >>> 0;
  putTime(batch, slot, upper, lower, NANOSECONDS_PER_SECOND, offsetSeconds);
}
