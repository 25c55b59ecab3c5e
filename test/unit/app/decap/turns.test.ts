import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { allocateTurns, Gate, Turns, TurnsFailed } from '../../../../src/app/decap/turns.ts';

const TIMEOUT_MS = 60_000;
const module = new URL('../../../../src/app/decap/turns.ts', import.meta.url).href;

/** A thread that takes the turns `first`, `first + 2`, … and writes down each in shared memory, where it stands. */
function startThread(memory: SharedArrayBuffer, log: SharedArrayBuffer, first: number): Promise<unknown> {
  const worker = new Worker(
    `
    const { parentPort, workerData } = require('node:worker_threads');
    import('${module}').then(({ Turns, Gate }) => {
      const turns = new Turns(workerData.memory);
      const log = new Int32Array(workerData.log);
      try {
        for (let unit = workerData.first; unit < log.length - 1; unit += 2) {
          turns.await(Gate.lanes, unit);
          // neither atomic nor locked: the turn alone sees to it that nothing is lost
          log[++log[0]] = unit;
          turns.pass(Gate.lanes, unit);
        }
        parentPort.postMessage('done');
      } catch (error) {
        parentPort.postMessage(error.name);
      }
    });`,
    { eval: true, workerData: { memory, log, first } },
  );
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('turns of two threads come in order, with all that was written before', {
  timeout: TIMEOUT_MS,
}, async () => {
  const units = 2000;
  const [memory, log] = [allocateTurns(), new SharedArrayBuffer(4 * (units + 1))];
  const threads = [startThread(memory, log, 1), startThread(memory, log, 0)];
  expect(await Promise.all(threads)).toEqual(['done', 'done']);
  expect([...new Int32Array(log)]).toEqual([units, ...Array.from({ length: units }, (_, unit) => unit)]);
});

test('who waits is told that another failed', { timeout: TIMEOUT_MS }, async () => {
  const [memory, log] = [allocateTurns(), new SharedArrayBuffer(400)];
  const thread = startThread(memory, log, 1);
  new Turns(memory).fail();
  expect(await thread).toBe('TurnsFailed');
});

test('gates are apart, and a failure is for all of them', () => {
  const turns = new Turns(allocateTurns());
  turns.await(Gate.decode, 0);
  turns.pass(Gate.decode, 0);
  turns.await(Gate.decode, 1);
  turns.await(Gate.lanes, 0);
  turns.check();
  turns.fail();
  expect(() => turns.check()).toThrow(TurnsFailed);
  expect(() => turns.await(Gate.decode, 1)).toThrow(TurnsFailed);
});

test('to stop is no failure', () => {
  const memory = allocateTurns();
  const turns = new Turns(memory);
  expect(turns.stopped).toBe(false);
  new Turns(memory).stop();
  expect(turns.stopped).toBe(true);
  turns.check();
});
