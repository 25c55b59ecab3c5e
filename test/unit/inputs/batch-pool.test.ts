import { expect, test } from 'vitest';
import { BatchPool } from '../../../src/inputs/batch-pool.ts';

test('a batch that was given back is used again, empty', () => {
  const pool = new BatchPool(4, 64);
  const first = pool.take();
  expect([first.capacity, first.bytes.length]).toEqual([4, 64]);
  first.count = 3;
  first.deliveredCount = 2;
  pool.give(first);
  const again = pool.take();
  expect(again).toBe(first);
  expect([again.count, again.deliveredCount]).toEqual([0, 0]);
});

test('batches that are out at one time have their own bytes', () => {
  const pool = new BatchPool(4, 64);
  const batches = [pool.take(), pool.take(), pool.take()];
  expect(new Set(batches.map(({ bytes }) => bytes.buffer)).size).toBe(3);
});
