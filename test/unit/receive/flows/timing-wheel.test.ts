import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocateRows, NO_ROW } from '../../../../src/receive/flows/flow-layout.ts';
import { TimingWheel, WHEEL_SECONDS } from '../../../../src/receive/flows/timing-wheel.ts';
import { scaled } from '../../../support/scale.ts';

const ROWS = 12;
const START = 1_795_233_600;

const step = fc.record({
  row: fc.nat(ROWS - 1),
  does: fc.constantFrom('put', 'take'),
  ahead: fc.oneof(fc.integer({ min: -2, max: 20 }), fc.constantFrom(1023, 1024, 1025, 5000)),
  later: fc.oneof(
    { weight: 9, arbitrary: fc.nat(3) },
    fc.constantFrom(500, 1023, 1024, 100_000, 3_000_000_000),
  ),
});

test('rows come in their second, never before another time, and each once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const wheel = new TimingWheel(allocateRows(ROWS));
      const due = new Map<number, number>();
      let now = START;
      expect(wheel.next(now)).toBe(NO_ROW);
      for (const { row, does, ahead, later } of steps) {
        if (does === 'put' && !due.has(row)) {
          wheel.put(row, now + ahead, now);
          due.set(row, Math.max(now + 1, Math.min(now + ahead, now + WHEEL_SECONDS - 1)));
        } else if (does === 'take' && due.has(row)) {
          wheel.take(row);
          due.delete(row);
        }
        now += later;
        const expected = [...due].filter(([, second]) => second <= now).map(([number]) => number);
        const found: number[] = [];
        for (let next = wheel.next(now); next !== NO_ROW; next = wheel.next(now)) found.push(next);
        expect(found.toSorted()).toEqual(expected.toSorted());
        for (const number of found) due.delete(number);
      }
    }),
    { numRuns: scaled(3000) },
  );
});

test('rows that are put back while others are fetched come with the next call', () => {
  const wheel = new TimingWheel(allocateRows(ROWS));
  for (let row = 0; row < ROWS; row++) wheel.put(row, START + row * 100, START);
  const now = START + 10_000;
  const fetched: number[] = [];
  for (let row = wheel.next(now); row !== NO_ROW && fetched.length < 100; row = wheel.next(now)) {
    fetched.push(row);
    wheel.put(row, now + 1 + row, now);
  }
  // in the sweep over all seconds that were left out, a row may be met at its new second again, and no more
  expect(fetched.length).toBeLessThanOrEqual(2 * ROWS);
  expect(new Set(fetched).size).toBe(ROWS);
});
