/**
 * A worker thread that does what a test tells it to, in place of the one that receives: `workerData` has a shared
 * `orders` besides what every worker is started with.
 */
import { parentPort, workerData } from 'node:worker_threads';
import {
  analysisTallyOf,
  type SharedMemory,
  sinkCountersOf,
  tallyOf,
} from '../../../src/app/shared-memory.ts';
import {
  type FromWorker,
  packError,
  type ToWorker,
  type WorkerStart,
} from '../../../src/app/worker-messages.ts';
import { MirrorError } from '../../../src/observe/error.ts';
import { AnalysisTally } from '../../../src/receive/analysis-tally.ts';
import { count, Tally } from '../../../src/receive/tally.ts';

/** What a test makes the worker do. The words of `orders`, by worker. */
export const Order = {
  live: 0,
  refuseToStart: 1,
  dieAtOnce: 2,
  dieHolding: 3,
  dieStopping: 4,
  dieWaiting: 5,
} as const;

export interface DyingStart extends Omit<WorkerStart, 'intake'> {
  readonly orders: SharedArrayBuffer;
}

/**
 * What it holds when it dies holding: a batch of which some packets, of 30 bytes each, are in a bucket already, and the
 * batch's bytes are not told yet; and packets that are pending.
 */
export const HELD = { batch: 5, delivered: 2, bytes: 30, pending: 5, pendingBytes: 500 } as const;

/** What it has when it dies waiting: packets of 30 bytes in the resequencer, flows, and flow records that are pending. */
export const WAITING = { packets: 3, bytes: 30, flows: 7, records: 4 } as const;

const LOOK_MS = 5;

if (parentPort !== null) run(workerData as DyingStart);

function run({ worker, memory, orders }: DyingStart): void {
  const words = new Int32Array(orders);
  const order = (): number => Atomics.load(words, worker);
  const tell = (message: FromWorker): void => parentPort?.postMessage(message);

  if (order() === Order.refuseToStart) {
    const error = new MirrorError('UDP_BIND_FAILED', 'Cannot receive.', { port: 4789 });
    tell({ type: 'failed', error: packError(error) });
    setImmediate(() => process.exit(1));
    return;
  }
  tell({ type: 'listening', sockets: [{ worker, port: 4789, receiveBufferBytes: 1 + worker }] });
  const timer = setInterval(() => {
    if (order() === Order.dieAtOnce) throw new Error('planted');
    if (order() === Order.dieWaiting) {
      waitForMore(memory, worker);
      throw new Error('planted');
    }
    if (order() !== Order.dieHolding) return;
    const tally = tallyOf(memory, worker);
    tally[Tally.received]! += HELD.batch;
    for (let packet = 0; packet < HELD.delivered; packet++) count(tally, Tally.delivered, HELD.bytes);
    const sink = sinkCountersOf(memory, worker, 0);
    sink.addDelivered(HELD.pending);
    sink.addPendingBytes(HELD.pendingBytes);
    sink.failing('writeFailed', 1);
    throw new Error('planted');
  }, LOOK_MS);
  parentPort?.on('message', (message: ToWorker) => {
    if (message.type !== 'stop') return;
    if (order() === Order.dieStopping) throw new Error('planted');
    clearInterval(timer);
    tell({ type: 'stopped' });
    parentPort?.close();
  });
}

function waitForMore(memory: SharedMemory, worker: number): void {
  const tally = tallyOf(memory, worker);
  for (let packet = 0; packet < WAITING.packets; packet++) {
    count(tally, Tally.received, WAITING.bytes);
    count(tally, Tally.held, WAITING.bytes);
  }
  const analysis = analysisTallyOf(memory, worker);
  analysis[AnalysisTally.flowsActive] = WAITING.flows;
  analysis[AnalysisTally.heldPackets] = WAITING.packets;
  sinkCountersOf(memory, worker, 1).addDelivered(WAITING.records);
}
