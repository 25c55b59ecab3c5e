/** A thread that reads rings, marks the number at the end of each packet, and dies as it is told: a `RingWorkerStart`. */
import { parentPort, workerData } from 'node:worker_threads';
import type { RingHandle } from '../../../src/inputs/ring/ring-handle.ts';
import { RingInput } from '../../../src/inputs/ring/ring-input.ts';

export interface RingWorkerStart {
  readonly rings: readonly RingHandle[];
  /** 32-bit words: how often each number was seen. */
  readonly seen: SharedArrayBuffer;
  /** Dies after so many packets, in the middle of what it does; 0: never. */
  readonly diesAfter: number;
}

const { rings, seen, diesAfter } = workerData as RingWorkerStart;
const counts = new Int32Array(seen);
const input = new RingInput({ rings });
let packets = 0;

parentPort?.once('message', () => void input.close());
await input.open();
await input.run((batch) => {
  for (let slot = 0; slot < batch.count; slot++) {
    Atomics.add(counts, batch.bytes.readUInt32BE((batch.end[slot] ?? 0) - 4), 1);
  }
  packets += batch.count;
  if (diesAfter > 0 && packets >= diesAfter) throw new Error('planted');
  // one that dies gives nothing back
  return diesAfter > 0 ? new Promise(() => {}) : Promise.resolve();
});
parentPort?.close();
