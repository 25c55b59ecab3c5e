import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { waitForQuiet } from '../../../src/app/wait-for-quiet.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How long a wait takes in virtual time, milliseconds; `packets` says how many had come by then. */
async function duration(
  seconds: number,
  quietSeconds: number,
  packets: (ms: number) => number,
  signal?: AbortSignal,
): Promise<number> {
  const startMs = performance.now();
  let endMs: number | undefined;
  void waitForQuiet({
    seconds,
    quietSeconds,
    received: () => packets(performance.now() - startMs),
    ...(signal === undefined ? {} : { signal }),
  }).then(() => {
    endMs = performance.now() - startMs;
  });
  for (let steps = 0; steps < 10_000; steps++) {
    await vi.advanceTimersByTimeAsync(10);
    if (endMs !== undefined) return endMs;
  }
  return Infinity;
}

test.each([
  { name: 'nothing to wait for', seconds: 0, quietSeconds: 5, packets: () => 0, from: 0, to: 10 },
  {
    name: 'it lasts its time while packets come',
    seconds: 9,
    quietSeconds: 5,
    packets: (ms: number) => ms,
    from: 9000,
    to: 9010,
  },
  {
    name: 'it lasts its time where quiet does not count',
    seconds: 9,
    quietSeconds: Infinity,
    packets: () => 0,
    from: 9000,
    to: 9010,
  },
  {
    name: 'it ends once it was quiet for so long',
    seconds: 90,
    quietSeconds: 5,
    packets: () => 7,
    from: 5000,
    to: 5260,
  },
  {
    name: 'quiet is counted from the last packet on',
    seconds: 90,
    quietSeconds: 5,
    packets: (ms: number) => Math.min(ms, 20_000),
    from: 25_000,
    to: 25_510,
  },
])('$name', async ({ seconds, quietSeconds, packets, from, to }) => {
  const took = await duration(seconds, quietSeconds, packets);
  expect(took).toBeGreaterThanOrEqual(from);
  expect(took).toBeLessThanOrEqual(to);
});

test('a signal ends it', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 1000);
  const took = await duration(90, Infinity, (ms) => ms, controller.signal);
  expect(took).toBeGreaterThanOrEqual(1000);
  expect(took).toBeLessThanOrEqual(1260);
});
