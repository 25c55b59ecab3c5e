import { assert, bigInt, constantFrom, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { putFineTime, putTime, unitsPerSecond } from '../../../src/format/pcapng-time.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';

const MAX_64 = 2n ** 64n - 1n;
const BILLION = 1_000_000_000n;
const batch = new PacketBatch(1, Buffer.alloc(0));

/** What the decoder does with a time stamp. */
function converted(
  count: bigint,
  resolution: number,
  offsetSeconds = 0,
): [seconds: bigint, nanoseconds: bigint] {
  const high = Number(count >> 32n);
  const low = Number(count & 0xffff_ffffn);
  const units = unitsPerSecond(resolution);
  if (units === 0) putFineTime(batch, 0, high, low, resolution, offsetSeconds);
  else putTime(batch, 0, high, low, units, offsetSeconds);
  return [BigInt(batch.seconds[0] ?? 0), BigInt(batch.nanoseconds[0] ?? 0)];
}

/** The same in whole numbers of any size: draft-ietf-opsawg-pcapng section 4.2, if_tsresol. */
function expected(count: bigint, resolution: number, offsetSeconds = 0): [bigint, bigint] {
  const units = ((resolution & 0x80) === 0 ? 10n : 2n) ** BigInt(resolution & 0x7f);
  const nanoseconds = (count * BILLION) / units;
  const seconds = nanoseconds / BILLION + BigInt(offsetSeconds);
  return [BigInt.asUintN(32, seconds), nanoseconds % BILLION];
}

const vectors = [
  {
    name: 'microseconds',
    resolution: 6,
    count: 1_561_629_600_123_456n,
    seconds: 1_561_629_600n,
    nanoseconds: 123_456_000n,
  },
  {
    name: 'nanoseconds',
    resolution: 9,
    count: 1_561_629_600_123_456_789n,
    seconds: 1_561_629_600n,
    nanoseconds: 123_456_789n,
  },
  { name: 'seconds', resolution: 0, count: 1_561_629_600n, seconds: 1_561_629_600n, nanoseconds: 0n },
  {
    name: 'picoseconds, rounded down',
    resolution: 12,
    count: 5_000_000_000_001_999n,
    seconds: 5000n,
    nanoseconds: 1n,
  },
  { name: 'halves of a second', resolution: 0x81, count: 3n, seconds: 1n, nanoseconds: 500_000_000n },
  {
    name: '2 ** -32, as NTP has it',
    resolution: 0xa0,
    count: (7n << 32n) | 0x8000_0001n,
    seconds: 7n,
    nanoseconds: 500_000_000n,
  },
  {
    name: 'last nanosecond of a second',
    resolution: 9,
    count: 4_294_967_295_999_999_999n,
    seconds: 4_294_967_295n,
    nanoseconds: 999_999_999n,
  },
];

test.each(vectors)('$name', ({ resolution, count, seconds, nanoseconds }) => {
  expect(converted(count, resolution)).toEqual([seconds, nanoseconds]);
});

test('every resolution is exact for every count of 64 bits, rounded down', () => {
  const count = bigInt({ min: 0n, max: MAX_64 });
  assert(
    property(count, integer({ min: 0, max: 255 }), (value, resolution) => {
      expect(converted(value, resolution)).toEqual(expected(value, resolution));
    }),
    { numRuns: 20_000 },
  );
});

test('every resolution is exact around whole seconds, which is where an estimate goes wrong', () => {
  const seconds = bigInt({ min: 0n, max: 2n ** 33n });
  const resolution = constantFrom(
    3,
    6,
    7,
    8,
    9,
    10,
    12,
    0x80 | 10,
    0x80 | 20,
    0x80 | 30,
    0x80 | 31,
    0x80 | 32,
  );
  const step = bigInt({ min: -2n, max: 2n });
  const offset = integer({ min: -0x8000_0000, max: 0x7fff_ffff });
  assert(
    property(seconds, resolution, step, offset, (whole, code, beside, offsetSeconds) => {
      const units = ((code & 0x80) === 0 ? 10n : 2n) ** BigInt(code & 0x7f);
      const value = BigInt.asUintN(64, whole * units + beside);
      expect(converted(value, code, offsetSeconds)).toEqual(expected(value, code, offsetSeconds));
    }),
    { numRuns: 20_000 },
  );
});
