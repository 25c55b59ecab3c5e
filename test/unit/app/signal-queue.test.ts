import { afterEach, expect, test } from 'vitest';
import { SignalQueue } from '../../../src/app/signal-queue.ts';

const queues: SignalQueue[] = [];
afterEach(() => {
  for (const queue of queues.splice(0)) queue.close();
});

function makeQueue(most: number): { queue: SignalQueue; ended: number[] } {
  const ended: number[] = [];
  const queue = new SignalQueue(most, (status) => ended.push(status));
  queues.push(queue);
  return { queue, ended };
}

test('signals wait in order until somebody asks, and somebody who asks waits for them', async () => {
  const { queue, ended } = makeQueue(10);
  process.emit('SIGINT', 'SIGINT');
  process.emit('SIGTERM', 'SIGTERM');
  expect([await queue.next(), await queue.next()]).toEqual(['SIGINT', 'SIGTERM']);
  const next = queue.next();
  process.emit('SIGTERM', 'SIGTERM');
  expect(await next).toBe('SIGTERM');
  expect(ended).toEqual([]);
});

test('one who no longer cares takes no signal away from the one who asked later', async () => {
  const { queue } = makeQueue(10);
  const first = await Promise.race([queue.next(), Promise.resolve('elsewhere')]);
  expect(first).toBe('elsewhere');
  const second = queue.next();
  process.emit('SIGINT', 'SIGINT');
  expect(await second).toBe('SIGINT');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('one too many ends the process, asked for or not: %s', (signal, status) => {
  const { ended } = makeQueue(3);
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGINT', 'SIGINT');
  expect(ended).toEqual([]);
  process.emit(signal, signal);
  expect(ended).toEqual([status]);
});

test('closed, it leaves signals to their usual end', () => {
  const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
  const { queue } = makeQueue(3);
  queue.close();
  expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before);
});
