/**
 * A client library alone, in a process of its own: it sends records that the sink has made before, as its documentation says, one
 * call after the other. Started by the bench: `node kafka-library-case.ts CASE`.
 */
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { ProduceAcks, Producer } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import type { PartitionBatch } from '../../src/sinks/kafka/client.ts';
import { countOf } from '../../src/sinks/kafka/courier/pending-batches.ts';
import { newClient } from '../support/kafka/clients.ts';
import { defaultKafka } from '../support/kafka/kafka-settings.ts';
import { caseOfProcess, type KafkaCase, type KafkaSample, serve, settingsOf } from './kafka-messages.ts';
import { prebuiltPortions } from './kafka-packets.ts';

type Send = () => Promise<unknown>;

const ACKS_ALL = -1;
const clientId = 'bench';
const openers = { platformatic, kafkajs: ofKafkajs, librdkafka };

const benchCase = caseOfProcess();
const { topic, encoding, frameBytes, compression } = benchCase;
const { batchBytes } = defaultKafka();
const portions = (await prebuiltPortions(topic, encoding, frameBytes, batchBytes)).flatMap(roundsOf);
const counts = portions.map((batches) => batches.reduce((sum, batch) => sum + countOf(batch), 0));
const sends = await openers[benchCase.client](benchCase, portions);
let next = 0;
serve(measure);

async function measure(milliseconds: number): Promise<KafkaSample> {
  let packets = 0;
  const startMs = performance.now();
  const [thread, all] = [process.threadCpuUsage(), process.cpuUsage()];
  while (performance.now() - startMs < milliseconds) {
    const index = next++ % sends.length;
    await sends[index]?.();
    packets += counts[index] ?? 0;
  }
  const seconds = (performance.now() - startMs) / 1000;
  const [threadUsed, allUsed] = [process.threadCpuUsage(thread), process.cpuUsage(all)];
  return {
    packets,
    seconds,
    threadUs: threadUsed.user + threadUsed.system,
    processUs: allUsed.user + allUsed.system,
    allPackets: packets,
  };
}

function platformatic({ bootstrap }: KafkaCase, all: readonly PartitionBatch[][]): Promise<Send[]> {
  const producer = new Producer({
    clientId,
    bootstrapBrokers: bootstrap.split(','),
    idempotent: true,
    acks: ProduceAcks.ALL,
    compression,
    autocreateTopics: false,
  });
  const sendsOf = all.map((batches): Send => {
    const messages = recordsOf(batches).map(({ partition, record }) => ({
      topic,
      partition,
      key: record.key,
      value: record.value,
      headers: new Map(record.headers),
      timestamp: BigInt(record.timestampMs),
    }));
    return () => producer.send({ messages });
  });
  return Promise.resolve(sendsOf);
}

async function ofKafkajs({ bootstrap }: KafkaCase, all: readonly PartitionBatch[][]): Promise<Send[]> {
  const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
  const compress = promisify(zstdCompress);
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer),
    decompress: () => Promise.reject(new Error('Nothing is read here.')),
  });
  const kafka = new Kafka({ clientId, brokers: bootstrap.split(','), logLevel: logLevel.ERROR });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  return all.map((batches): Send => {
    const messages = recordsOf(batches).map(({ partition, record }) => ({
      partition,
      key: record.key,
      value: record.value,
      headers: Object.fromEntries([...record.headers].map(([name, value]) => [name.toString(), value])),
      timestamp: String(record.timestampMs),
    }));
    const type = compression === 'zstd' ? CompressionTypes.ZSTD : CompressionTypes.None;
    return () => producer.send({ topic, messages, acks: ACKS_ALL, compression: type });
  });
}

/** There is no library of npm in between: this is our own half of it. */
async function librdkafka(one: KafkaCase, all: readonly PartitionBatch[][]): Promise<Send[]> {
  const client = await newClient(one.bootstrap, settingsOf(one));
  await client.connect();
  return all.map(
    (batches): Send =>
      async () => {
        const outcomes = await client.sendBatch(batches);
        if (outcomes.some(({ kind }) => kind !== 'delivered')) throw new Error(JSON.stringify(outcomes));
      },
  );
}

/** One batch of each partition at a time: libraries make one of all that a call has, and brokers refuse it where it is too large. */
function roundsOf(batches: readonly PartitionBatch[]): PartitionBatch[][] {
  const rounds: PartitionBatch[][] = [];
  for (const batch of batches) {
    const open = rounds.find((round) => round.every(({ partition }) => partition !== batch.partition));
    if (open === undefined) rounds.push([batch]);
    else open.push(batch);
  }
  return rounds;
}

function recordsOf(
  batches: readonly PartitionBatch[],
): { partition: number; record: PartitionBatch['records'][number] }[] {
  return batches.flatMap(({ partition, records }) => records.map((record) => ({ partition, record })));
}
