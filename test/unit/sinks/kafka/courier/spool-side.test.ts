import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Spool, SpoolEntry } from '../../../../../src/sinks/kafka/spool/spool.ts';
import { SpoolSide } from '../../../../../src/sinks/kafka/courier/spool-side.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const entry = (records: number): SpoolEntry => ({ bytes: Buffer.alloc(1), records, timeMs: 0 });

/** A spool of which only reading is asked: each answer in its turn, then nothing. */
function reading(...answers: readonly (readonly SpoolEntry[] | Error)[]) {
  const rest = [...answers];
  const read = (): Promise<readonly SpoolEntry[]> => {
    const answer = rest.shift() ?? [];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const failures: unknown[] = [];
  const side = new SpoolSide({ records: 5, read } as unknown as Spool, (error) => failures.push(error));
  return { side, failures };
}

test('what is to be read is counted down, and what is missing at the end is not waited for', async () => {
  const { side } = reading([entry(1), entry(2)], [entry(1)]);
  expect([await side.next(1), side.isToRead]).toMatchObject([[{ records: 1 }, { records: 2 }], true]);
  expect([await side.next(1), side.isToRead]).toMatchObject([[{ records: 1 }], true]);
  expect([await side.next(1), side.isToRead]).toEqual([[], false]);
});

test('a disk that cannot be read for a while is tried again, and each failure is told', async () => {
  const { side, failures } = reading(new Error('EIO'), new Error('EIO'), [entry(1)], [entry(2)]);
  const found = side.readBack(2);
  await vi.advanceTimersByTimeAsync(2000);
  expect(await found).toEqual([entry(1), entry(2)]);
  expect(failures).toHaveLength(2);
});

test('a disk that cannot be read any more does not keep an end waiting', async () => {
  const { side } = reading(...Array.from({ length: 1000 }, () => new Error('EIO')));
  const found = side.readBack(1);
  await vi.advanceTimersByTimeAsync(5000);
  side.end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await found).toEqual([]);
});
