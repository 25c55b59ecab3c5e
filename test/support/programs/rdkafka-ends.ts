/**
 * A worker thread whose Kafka producer is at work, and one of the ways in which thread and process end. Prints nothing;
 * the status is 3 where the end is ours to choose.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { defaultKafka } from '../kafka/kafka-settings.ts';

const nothing = (): void => undefined;
const silentLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Nobody listens there: threads of the library go on trying. */
const NOBODY = '127.0.0.1:9';

type End =
  | 'close'
  | 'close and terminate'
  | 'terminate'
  | 'terminate twice'
  | 'exit of the process'
  | 'exit of the thread';

async function start(end: End): Promise<Worker> {
  const worker = new Worker(new URL(import.meta.url), { workerData: end });
  await once(worker, 'message');
  return worker;
}

async function endAll(end: End): Promise<void> {
  const worker = await start(end);
  const gone = once(worker, 'exit');
  if (end === 'exit of the process') process.exit(3);
  if (end.startsWith('terminate')) await worker.terminate();
  else worker.postMessage('end');
  if (end === 'close and terminate') await worker.terminate();
  else await gone;
  if (end === 'terminate twice') await (await start(end)).terminate();
  // time for the threads that were left behind
  setTimeout(() => process.exit(3), 300);
}

async function work(end: End): Promise<void> {
  const { makeKafkaClient } = await import('../../../src/sinks/kafka/clients/index.ts');
  const settings = defaultKafka({ client: 'librdkafka', brokers: [NOBODY], requestTimeoutMs: 30_000 });
  const client = await makeKafkaClient({ settings, worker: 0, log: silentLog });
  parentPort?.once('message', () => {
    if (end === 'exit of the thread') process.exit(5);
    void client.close();
  });
  await client.connect().catch(() => undefined);
  const record = {
    key: Buffer.from('key'),
    value: Buffer.alloc(1000),
    timestampMs: Date.now(),
    headers: new Map(),
    count: 1,
  };
  const batch = { topic: 'topic', partition: 0, records: Array.from({ length: 100 }, () => record) };
  void client.sendBatch([batch]);
  parentPort?.postMessage('at work');
}

if (isMainThread) await endAll(process.argv[2] as End);
else await work(workerData as End);
