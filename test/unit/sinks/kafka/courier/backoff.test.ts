import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Backoff } from '../../../../../src/sinks/kafka/courier/backoff.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('waits double up to the longest one, and begin anew after a success', async () => {
  const backoff = new Backoff(300);
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    if (i === 4) backoff.reset();
    const fromMs = Date.now();
    const wait = backoff.wait();
    await vi.runAllTimersAsync();
    await wait;
    waits.push(Date.now() - fromMs);
  }
  expect(waits).toEqual([100, 200, 300, 300, 100]);
});

test('an end wakes all who wait, and who comes later does not wait', async () => {
  const backoff = new Backoff(10_000);
  const waits = [backoff.wait(), backoff.wait(), backoff.wait()];
  backoff.end();
  await Promise.all(waits);
  await backoff.wait();
  expect(vi.getTimerCount()).toBe(0);
});
