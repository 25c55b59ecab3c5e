/** A courier thread for tests of `CourierPool`: does what its order says, and notes how often it began. */
import { parentPort, workerData } from 'node:worker_threads';
import type { CourierStart } from '../../../src/app/couriers/messages.ts';

export interface DyingCourierStart extends CourierStart {
  /** Words: `CourierWord`. */
  readonly words: SharedArrayBuffer;
}

export const CourierWord = { order: 0, begun: 1, begunAgain: 2, stopped: 3, length: 4 } as const;
export const CourierOrder = { live: 0, die: 1, failToBegin: 2, end: 3 } as const;

if (workerData !== null) {
  const { words: memory, isAgain } = workerData as DyingCourierStart;
  const words = new Int32Array(memory);
  const error = { code: 'KAFKA_CLIENT_UNAVAILABLE', message: 'planted', context: {}, cause: undefined };
  const fail = (): void => {
    parentPort?.postMessage({ type: 'failed', error });
    setImmediate(() => process.exit(1));
  };
  if (words[CourierWord.order] === CourierOrder.failToBegin) fail();
  else {
    Atomics.add(words, isAgain ? CourierWord.begunAgain : CourierWord.begun, 1);
    parentPort?.postMessage({ type: 'begun' });
    const timer = setInterval(() => {
      const { end, live } = CourierOrder;
      if (Atomics.compareExchange(words, CourierWord.order, end, live) === end) process.exit(0);
      if (
        Atomics.compareExchange(words, CourierWord.order, CourierOrder.die, CourierOrder.live) !==
        CourierOrder.die
      )
        return;
      fail();
    }, 5);
    parentPort?.on('message', () => {
      clearInterval(timer);
      Atomics.add(words, CourierWord.stopped, 1);
      parentPort?.postMessage({ type: 'stopped' });
      parentPort?.close();
    });
  }
}
