import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BACKLOG_MAX_US,
  CapturePace,
  CATCH_UP,
  GAP_MAX_US,
  RatePace,
  type Pace,
} from '../../../src/mirror/pace.ts';

/** Lets leave what may leave at each of these times, and returns how many did. */
function poll(pace: Pace, timesUs: readonly number[], limit = 1_000_000): number[] {
  return timesUs.map((nowUs) => {
    let left = 0;
    while (left < limit && pace.dueUs(0, 0, nowUs) <= nowUs) {
      pace.left(nowUs);
      left++;
    }
    return left;
  });
}

/** 0, step, 2 step … up to and with `endUs`. */
function every(stepUs: number, endUs: number): number[] {
  return Array.from({ length: Math.floor(endUs / stepUs) + 1 }, (_, i) => i * stepUs);
}

test.each([
  { rate: 1, stepUs: 1000 },
  { rate: 10, stepUs: 1000 },
  { rate: 999, stepUs: 1000 },
  { rate: 50_000, stepUs: 1000 },
  { rate: 50_000, stepUs: 1087 },
  { rate: 50_000, stepUs: 1900 },
  { rate: 333_333, stepUs: 100 },
])('$rate packets a second, asked every $stepUs µs, holds over ten seconds', ({ rate, stepUs }) => {
  const left = poll(new RatePace(rate, 0), every(stepUs, 10_000_000));
  const total = left.reduce((sum, count) => sum + count, 0);
  expect(total).toBeLessThanOrEqual(10 * rate + 1);
  expect(total).toBeGreaterThanOrEqual(10 * rate - Math.ceil((rate * stepUs) / 1e6));
  const worth = Math.max(1, Math.ceil((rate * stepUs) / 1e6));
  expect(Math.max(...left)).toBeLessThanOrEqual(worth + 1);
});

test('packets of a slow rate leave one at a time', () => {
  expect(poll(new RatePace(4, 0), every(125_000, 1_000_000))).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1]);
});

test('after a pause the rate is made up for, at most at twice the rate', () => {
  const pace = new RatePace(10_000, 0);
  const before = poll(pace, every(1000, 100_000));
  expect(before.at(-1)).toBe(10);
  const after = poll(
    pace,
    every(1000, 400_000).map((us) => 300_000 + us),
  );
  // 200 ms behind: 2,000 packets, then 10 a millisecond again
  expect(Math.max(...after)).toBeLessThanOrEqual(CATCH_UP * 10 + 1);
  expect(after.at(-1)).toBe(10);
  const total = [...before, ...after].reduce((sum, count) => sum + count, 0);
  expect(total).toBe(7001);
});

test('what is more than the longest backlog behind is given up', () => {
  const pace = new RatePace(1000, 0);
  const later = 60_000_000;
  const left = poll(
    pace,
    every(1000, 5_000_000).map((us) => later + us),
  );
  const total = left.reduce((sum, count) => sum + count, 0);
  expect(total).toBe(5000 + BACKLOG_MAX_US / 1000 + 1);
});

test('never early, never faster than the catch-up rate, whatever the times it is asked at', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200_000 }),
      fc.array(fc.nat(50_000), { maxLength: 60 }),
      (rate, steps) => {
        const pace = new RatePace(rate, 0);
        let nowUs = 0;
        let total = 0;
        let bucket = 0;
        for (const step of steps) {
          nowUs += step;
          bucket = Math.max(0, bucket - (step * rate * CATCH_UP) / 1e6);
          const [left = 0] = poll(pace, [nowUs]);
          total += left;
          bucket += left;
          expect(total).toBeLessThanOrEqual((nowUs * rate) / 1e6 + 1.001);
          expect(bucket).toBeLessThanOrEqual((CATCH_UP * rate) / 1000 + 1.001);
        }
      },
    ),
  );
});

/** Times at which packets of these stamps (µs) leave when each may leave as soon as it is due. */
function schedule(pace: CapturePace, stampsUs: readonly number[], startUs = 0): number[] {
  let nowUs = startUs;
  return stampsUs.map((stampUs) => {
    const dueUs = pace.dueUs(1_700_000_000 + Math.floor(stampUs / 1e6), (stampUs % 1e6) * 1000, nowUs);
    nowUs = Math.max(nowUs, dueUs);
    pace.left(nowUs);
    return nowUs;
  });
}

test.each([
  {
    name: 'distances are kept',
    stamps: [500, 600, 1_000_600, 1_000_600],
    left: [0, 100, 1_000_100, 1_000_100],
  },
  {
    name: 'a long pause is cut',
    stamps: [0, 3_600_000_000, 3_600_000_050],
    left: [0, GAP_MAX_US, GAP_MAX_US + 50],
  },
  {
    name: 'an earlier stamp leaves at once and changes nothing',
    stamps: [0, 1000, 900, 1100],
    left: [0, 1000, 1000, 1100],
  },
  {
    name: 'an earlier stamp of the second before changes nothing either',
    stamps: [2_000_000, 2_000_500, 1_999_900, 2_000_700],
    left: [0, 500, 500, 700],
  },
  {
    name: 'a stamp far in the past begins a new timeline',
    stamps: [50_000_000, 50_000_100, 1000, 1300],
    left: [0, 100, 100, 400],
  },
])('capture times: $name', ({ stamps, left }) => {
  expect(schedule(new CapturePace(0), stamps)).toEqual(left);
});

test('capture times: the next pass goes on at once', () => {
  const pace = new CapturePace(0);
  schedule(pace, [0, 2000]);
  pace.restart();
  expect(schedule(pace, [0, 2000], 2000)).toEqual([2000, 4000]);
});

test('capture times: lateness is made up for, up to the longest backlog', () => {
  const pace = new CapturePace(0);
  schedule(pace, [0]);
  expect(schedule(pace, [1000, 501_000], 500_000)).toEqual([500_000, 501_000]);
  expect(schedule(pace, [502_000, 1_502_000, 3_502_000], 9_000_000)).toEqual([
    9_000_000, 9_000_000, 11_000_000,
  ]);
});

test('asking again changes nothing', () => {
  const pace = new CapturePace(0);
  schedule(pace, [0]);
  const dueUs = pace.dueUs(1_700_000_000, 5_000_000, 1000);
  expect(pace.dueUs(1_700_000_000, 5_000_000, 3000)).toBe(dueUs);
  expect(dueUs).toBe(5000);
});
