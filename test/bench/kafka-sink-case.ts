/**
 * The Kafka sink as `receive` runs it, in a process of its own: this thread is the worker, which copies packets into the channel
 * and waits while that is full; the courier has a thread. Started by the bench: `node kafka-sink-case.ts CASE`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Config } from '../../src/config/settings.ts';
import type { CourierStart, FromCourier } from '../../src/app/couriers/messages.ts';
import { allocateMemory, courierCountersOf, sinkCountersOf } from '../../src/app/shared-memory.ts';
import { packetEntryBytes } from '../../src/format/packet-block.ts';
import { kafkaCounters, kafkaDropReasons } from '../../src/sinks/kafka/names.ts';
import { KafkaPacketsSink } from '../../src/sinks/kafka/packets-sink.ts';
import { TestLanes } from '../support/batches.ts';
import { defaultKafka } from '../support/kafka/kafka-settings.ts';
import { caseOfProcess, type KafkaSample, serve, settingsOf } from './kafka-messages.ts';
import { packetBatches } from './kafka-packets.ts';

/** So much of the ring is filled: several portions. Past half of it a courier would have it emptied elsewhere. */
const FILLED = { frame: 0.2, pcapng: 0.4 } as const;

const benchCase = caseOfProcess();
const settings = defaultKafka(settingsOf(benchCase));
const { bytes, records } = settings.queue;
const sink = 'kafka';
const plan = {
  name: sink,
  kind: 'kafka',
  channel: { bytes, records },
  takes: 'packets',
  dropReasons: kafkaDropReasons,
  counters: kafkaCounters,
} as const;
const memory = allocateMemory(1, 64, [plan]);
const channel = memory.channels[0]?.[0];
if (channel === undefined) throw new Error('This sink has a channel.');
const [own, couriers] = [sinkCountersOf(memory, 0, 0), courierCountersOf(memory, 0, 0)];
const worker = new KafkaPacketsSink({ channel, counters: own, now: Date.now, lanes: new TestLanes() });
const batches = packetBatches(benchCase.frameBytes);
const filled = FILLED[benchCase.encoding];
const waitingMax = Math.min(filled * records, (filled * bytes) / packetEntryBytes(benchCase.frameBytes));
let next = 0;

const workerData: CourierStart = {
  worker: 0,
  sink,
  isAgain: false,
  memory,
  config: { sinks: { [sink]: { kind: 'kafka', ...settings } } } as unknown as Config,
  log: { level: 'error', format: 'json' },
};
const courier = new Worker(new URL('../../src/app/couriers/courier.ts', import.meta.url), { workerData });
await new Promise<void>((resolve, reject) => {
  courier.once('error', reject);
  courier.on('message', (message: FromCourier) => {
    if (message.type === 'begun') resolve();
    if (message.type === 'failed') reject(new Error(JSON.stringify(message.error)));
  });
});
await worker.open();
serve(measure);

/** Feeds until the time is over and all has arrived. */
async function measure(milliseconds: number): Promise<KafkaSample> {
  const before = couriers.written;
  const from = await readAtArrival();
  let to = await read();
  while (to.ms - from.ms < milliseconds) to = await readAtArrival();
  await worker.flush();
  while (couriers.written < own.written) await pause(1);
  if (own.droppedTotal + couriers.droppedTotal > 0) throw new Error('The sink lost packets.');
  return {
    packets: to.packets - from.packets,
    seconds: (to.ms - from.ms) / 1000,
    threadUs: to.threadUs - from.threadUs,
    processUs: to.processUs - from.processUs,
    allPackets: couriers.written - before,
  };
}

interface Reading {
  readonly ms: number;
  readonly packets: number;
  readonly threadUs: number;
  readonly processUs: number;
}

/** Reads as soon as more packets have arrived. */
async function readAtArrival(): Promise<Reading> {
  const seen = couriers.written;
  while (couriers.written === seen) await feed();
  return read();
}

async function read(): Promise<Reading> {
  const [ms, packets] = [performance.now(), couriers.written];
  const all = process.cpuUsage();
  const thread = await courier.cpuUsage();
  return { ms, packets, threadUs: thread.user + thread.system, processUs: all.user + all.system };
}

/** Fills the ring as far as there is room, then lets others work. */
async function feed(): Promise<void> {
  while (own.written - couriers.written < waitingMax) {
    const batch = batches[next++ % batches.length];
    if (batch !== undefined) await worker.write(batch);
  }
  await pause(1);
}
