import { expect, test } from 'vitest';
import { LookInterval } from '../../../../src/inputs/mmsg/look-interval.ts';

/** The waits of looks that find so many packets, one after the other. */
function waits(interval: LookInterval, found: readonly number[]): number[] {
  return found.map((packets) => interval.next(packets));
}

/** Waits until nothing has come for so long; the last one. */
function waitAfter(interval: LookInterval, quietMs: number): number {
  let last = interval.next(1);
  for (let sum = last; sum < quietMs; sum += last) last = interval.next(0);
  return interval.next(0);
}

test.each([
  { name: 'a large buffer', bytes: 8_388_608, busy: 3, idle: 25 },
  { name: 'a small buffer', bytes: 425_984, busy: 1, idle: 8 },
])('$name: the longer nothing comes, the later it looks', ({ bytes, busy, idle }) => {
  const interval = new LookInterval(bytes);
  expect(waits(interval, [0, 5, 0, 700])).toEqual([busy, busy, busy, busy]);
  expect(waitAfter(interval, 90)).toBe(busy);
  expect(waitAfter(interval, 110)).toBe(8);
  expect(waitAfter(interval, 900)).toBe(8);
  expect(waitAfter(interval, 1100)).toBe(idle);
  expect(waitAfter(interval, 100_000)).toBe(idle);
  expect(interval.next(1)).toBe(busy);
});
