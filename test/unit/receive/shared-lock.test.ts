import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { lock, unlock } from '../../../src/receive/shared-lock.ts';

const ROUNDS = 20_000;

/** Adds to a plain number under the lock: an addition is lost as soon as two threads are inside at once. */
const source = `
  import { workerData, parentPort } from 'node:worker_threads';
  import { lock, unlock } from ${JSON.stringify(new URL('../../../src/receive/shared-lock.ts', import.meta.url).href)};
  const words = new Int32Array(workerData);
  for (let round = 0; round < ${ROUNDS}; round++) {
    lock(words, 0);
    words[1] = words[1] + 1;
    unlock(words, 0);
  }
  parentPort.postMessage('done');
`;

test('only one thread at a time is inside', async () => {
  const memory = new SharedArrayBuffer(8);
  const words = new Int32Array(memory);
  const workers = [0, 1, 2].map(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
          workerData: memory,
        });
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  await Promise.all(workers);
  expect(words[1]).toBe(3 * ROUNDS);
  expect(words[0]).toBe(0);
});

test('a lock whose holder died is taken in the end', () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  words[0] = 1;
  lock(words, 0);
  unlock(words, 0);
  expect(words[0]).toBe(0);
});
