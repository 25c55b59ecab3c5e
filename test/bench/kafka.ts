/**
 * The Kafka sink against the client libraries alone, which send the same records, and against Kafka's own producer, with a real
 * broker beside them on this machine.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaSettings } from '../../src/sinks/kafka/settings.ts';
import { KafkaBroker } from '../support/kafka/broker.ts';
import { defaultKafka } from '../support/kafka/kafka-settings.ts';
import { producerPerformance } from '../support/kafka/producer-performance.ts';
import { KafkaContender } from './kafka-contender.ts';
import type { KafkaCase, KafkaSample } from './kafka-messages.ts';
import { type Encoding, PARTITIONS } from './kafka-packets.ts';

/** What is sent, and how, but for the client. */
export interface KafkaGroup {
  readonly encoding: Encoding;
  readonly frameBytes: number;
  readonly compression: KafkaCase['compression'];
}

/** A measurement, and how many records it was. */
export interface KafkaRun extends KafkaSample {
  readonly recordsAPacket: number;
}

export interface KafkaClientResult {
  readonly client: KafkaSettings['client'];
  readonly sink: readonly KafkaRun[];
  readonly alone: readonly KafkaRun[];
}

export interface KafkaGroupResult extends KafkaGroup {
  readonly clients: readonly KafkaClientResult[];
  /** Bytes of values a second of `ProducerPerformance`. */
  readonly performance: readonly number[];
}

export interface KafkaBenchOptions {
  readonly groups: readonly KafkaGroup[];
  readonly clients: readonly KafkaSettings['client'][];
  readonly runs: number;
  readonly milliseconds: number;
  readonly progress: (text: string) => void;
}

const WARM_UP_MS = 700;
const MEBIBYTE = 1_048_576;
/** What `ProducerPerformance` is given to send: as many bytes as these, or as many records. */
const PERFORMANCE_BYTES = 150_000_000;
const PERFORMANCE_RECORDS_MAX = 500_000;
/** A topic keeps 64 MiB a partition, so that what is sent need not go to the disk. */
const KEPT_BYTES = String(64 * MEBIBYTE);
const topicSettings = { 'segment.bytes': KEPT_BYTES, 'retention.bytes': KEPT_BYTES };
const brokerSettings = {
  'log.retention.check.interval.ms': '1000',
  'log.initial.task.delay.ms': '1000',
  'log.segment.delete.delay.ms': '0',
};

/** Runs each group's contenders one after the other, round by round. */
export async function benchKafka(options: KafkaBenchOptions): Promise<KafkaGroupResult[]> {
  await using broker = await KafkaBroker.start({ heapMb: 512, properties: brokerSettings });
  const results: KafkaGroupResult[] = [];
  for (const [index, group] of options.groups.entries()) {
    results.push(await benchGroup(broker, `group-${index}`, group, options));
  }
  return results;
}

/** Two processes that take turns. */
interface Pair extends KafkaClientResult {
  readonly topic: string;
  readonly processes: readonly (readonly [KafkaContender, KafkaRun[]])[];
}

async function benchGroup(
  broker: KafkaBroker,
  name: string,
  group: KafkaGroup,
  { clients, runs, milliseconds, progress }: KafkaBenchOptions,
): Promise<KafkaGroupResult> {
  const performance: number[] = [];
  const pairs: Pair[] = [];
  try {
    for (const client of clients) pairs.push(await startPair(broker, `${name}-${client}`, group, client));
    const javaTopic = `${name}-java`;
    await broker.admin.createTopic(javaTopic, PARTITIONS, topicSettings);
    for (let run = 0; run < runs; run++) {
      for (const { topic, processes } of pairs) {
        for (const [contender, list] of processes)
          list.push(await measure(broker, topic, contender, group, milliseconds));
      }
      performance.push(await javaBytesPerSecond(broker, javaTopic, group, pairs[0]?.sink[0]));
    }
    for (const { topic } of [...pairs, { topic: javaTopic }]) await broker.admin.deleteTopic(topic);
  } finally {
    for (const { processes } of pairs) for (const [contender] of processes) await contender.end();
  }
  for (const { client, sink, alone } of pairs) progress(progressLine(group, client, sink, alone));
  return { ...group, clients: pairs, performance };
}

async function startPair(
  broker: KafkaBroker,
  topic: string,
  group: KafkaGroup,
  client: KafkaSettings['client'],
): Promise<Pair> {
  await broker.admin.createTopic(topic, PARTITIONS, topicSettings);
  const { bootstrap } = broker;
  const [sink, alone]: [KafkaRun[], KafkaRun[]] = [[], []];
  const processes: [KafkaContender, KafkaRun[]][] = [];
  for (const [program, list] of [
    ['sink', sink],
    ['library', alone],
  ] as const) {
    const contender = await KafkaContender.start(program, { ...group, bootstrap, topic, client });
    processes.push([contender, list]);
    await contender.measure(WARM_UP_MS);
  }
  return { client, topic, processes, sink, alone };
}

/** @throws Error where the topic does not have what the contender says it sent */
async function measure(
  { admin }: KafkaBroker,
  topic: string,
  contender: KafkaContender,
  { encoding }: KafkaGroup,
  milliseconds: number,
): Promise<KafkaRun> {
  const before = sum(await admin.endOffsets(topic));
  const sample = await contender.measure(milliseconds);
  const records = sum(await admin.endOffsets(topic)) - before;
  if (encoding === 'frame' && records !== sample.allPackets)
    throw new Error(`${topic} has ${records} records of ${sample.allPackets} packets.`);
  return { ...sample, recordsAPacket: records / sample.allPackets };
}

/** Kafka's own producer, values of the size that the sink's are of, without what a pcapng adds. */
async function javaBytesPerSecond(
  { bootstrap }: KafkaBroker,
  topic: string,
  { frameBytes, compression }: KafkaGroup,
  run: KafkaRun | undefined,
): Promise<number> {
  const valueBytes = Math.round(frameBytes / (run?.recordsAPacket ?? 1));
  const { mebibytesPerSecond } = await producerPerformance({
    bootstrap,
    topic,
    valueBytes,
    records: Math.min(PERFORMANCE_RECORDS_MAX, Math.ceil(PERFORMANCE_BYTES / valueBytes)),
    properties: {
      acks: 'all',
      'enable.idempotence': 'true',
      'compression.type': compression,
      'linger.ms': '100',
      'batch.size': String(defaultKafka().batchBytes),
    },
  });
  // what it left to be written to the disk is not to be on the next one's account
  await pause(50);
  return mebibytesPerSecond * MEBIBYTE;
}

function progressLine(
  { encoding, frameBytes, compression }: KafkaGroup,
  client: string,
  sink: readonly KafkaRun[],
  alone: readonly KafkaRun[],
): string {
  const rates = (list: readonly KafkaRun[]): string =>
    list.map(({ packets, seconds }) => Math.round(packets / seconds)).join(' ');
  return `${encoding}, ${frameBytes} bytes, ${compression}, ${client}: ${rates(sink)}; alone ${rates(alone)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
