import { expect, test } from 'vitest';
import { FinishedQueue } from '../../../../src/app/store/finished-queue.ts';
import { lane } from '../../../support/indexed-files.ts';

const finished = (path: string, lanes = 1) => ({
  worker: 0,
  file: {
    path,
    bytes: 1,
    packets: 1,
    lanes: Array.from({ length: lanes }, (_, i) => lane(`vni-${i}`, 1, 2)),
  },
});

test('files come out in order, in batches of a bounded number of lanes', () => {
  const queue = new FinishedQueue();
  for (let i = 0; i < 1000; i++) expect(queue.add(finished(`${i}`))).toBe(true);
  const batches = [queue.take(), queue.take(), queue.take()];
  expect(batches.map((batch) => batch.length)).toEqual([512, 488, 0]);
  expect(batches.flat().map(({ file }) => file.path)).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}`));
});

test('what does not fit is refused, and fits again once something was taken', () => {
  const queue = new FinishedQueue(10);
  expect(queue.add(finished('a', 6))).toBe(true);
  expect(queue.add(finished('b', 6))).toBe(false);
  expect(queue.add(finished('c', 4))).toBe(true);
  expect(queue.add(finished('d', 1))).toBe(false);
  expect(queue.take().map(({ file }) => file.path)).toEqual(['a', 'c']);
  expect(queue.add(finished('e', 6))).toBe(true);
  expect(queue.length).toBe(1);
});

test('one file of more lanes than anything else is taken all the same', () => {
  const queue = new FinishedQueue(10);
  expect(queue.add(finished('all', 4096))).toBe(true);
  expect(queue.take()).toHaveLength(1);
});
