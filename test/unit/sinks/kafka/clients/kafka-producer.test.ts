import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';

import type { Outcome, PartitionBatch } from '../../../../../src/sinks/kafka/client.ts';
import { unknownPatienceMs } from '../../../../../src/sinks/kafka/clients/judge.ts';
import { KafkaProducer } from '../../../../../src/sinks/kafka/clients/kafka-producer.ts';
import type { KafkaSettings } from '../../../../../src/sinks/kafka/settings.ts';
import { recordOf, silentLog } from '../../../../support/kafka/clients.ts';
import { defaultKafka } from '../../../../support/kafka/kafka-settings.ts';
import { type Fate, ModelBrokers } from '../../../../support/kafka/model-broker.ts';

const PARTITIONS = 3;
const topic = 't';

afterEach(() => {
  vi.useRealTimers();
});

function producerOf(library: ModelBrokers, changed: Partial<KafkaSettings> = {}): KafkaProducer {
  const settings = defaultKafka({ brokers: ['model:1'], requestTimeoutMs: 1000, ...changed });
  return new KafkaProducer({ settings, worker: 0, log: silentLog, library, compressor: undefined });
}

const batchOf = (partition: number, ...texts: readonly string[]): PartitionBatch => ({
  topic,
  partition,
  records: texts.map((text) => recordOf(text)),
});

const kinds = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ kind }) => kind);

/** Sends each partition's batches in order, again where it must be, until all are settled; says which were delivered. */
async function run(
  producer: KafkaProducer,
  queues: readonly PartitionBatch[][],
): Promise<Set<PartitionBatch>> {
  const delivered = new Set<PartitionBatch>();
  const waiting = queues.map((queue) => [...queue]);
  while (waiting.some((queue) => queue.length > 0)) {
    const heads = waiting.flatMap((queue) => queue.slice(0, 1));
    const outcomes = await producer.sendBatch(heads);
    for (const [index, batch] of heads.entries()) {
      if (outcomes[index]!.kind === 'retry') continue;
      if (outcomes[index]!.kind === 'delivered') delivered.add(batch);
      waiting[batch.partition]!.shift();
    }
  }
  return delivered;
}

/** Kafka's codes: not the leader, timed out, too few replicas after the append, storage, too large, invalid. */
const codes = [6, 7, 19, 20, 56, 10, 87] as const;
const fates = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Fate>('taken') },
    fc.constant<Fate>('lost'),
    fc.constantFrom<Fate>(...codes),
  ),
  {
    maxLength: 60,
  },
);
const sizes = fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 8 }), {
  minLength: PARTITIONS,
  maxLength: PARTITIONS,
});

test('whatever brokers lose and refuse, what is delivered is there once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fates, sizes, async (plan, lengths) => {
      const brokers = new ModelBrokers(PARTITIONS);
      let step = 0;
      brokers.fate = () => plan[step++] ?? 'taken';
      const queues = lengths.map((counts, partition) =>
        counts.map((count, index) =>
          batchOf(
            partition,
            ...Array.from({ length: count }, (_none, record) => `${partition}-${index}-${record}`),
          ),
        ),
      );
      const delivered = await run(producerOf(brokers), queues);
      for (const [partition, queue] of queues.entries()) {
        const expected = queue
          .filter((batch) => delivered.has(batch))
          .flatMap(({ records }) => records.map(({ value }) => value.toString()));
        const found = brokers.values(topic, partition);
        // what was refused after an answer was lost may be there all the same
        const refused = new Set(
          queue
            .filter((batch) => !delivered.has(batch))
            .flatMap(({ records }) => records.map(({ value }) => value.toString())),
        );
        expect(found.filter((value) => !refused.has(value))).toEqual(expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('one request goes to each leader, with all its partitions', async () => {
  const brokers = new ModelBrokers(PARTITIONS);
  await producerOf(brokers).sendBatch([batchOf(0, 'a'), batchOf(1, 'b'), batchOf(2, 'c')]);
  expect(brokers.requests.map((batches) => batches.map(({ partition }) => partition))).toEqual([[0, 2], [1]]);
});

test('a request has an end: what would make it too long goes in another', async () => {
  const brokers = new ModelBrokers(1);
  const large = Array.from({ length: 5 }, (_none, index) => ({
    topic: `t${index}`,
    partition: 0,
    records: [recordOf('large', 6_000_000)],
  }));
  const producer = producerOf(brokers);
  expect(kinds(await producer.sendBatch(large))).toEqual(large.map(() => 'delivered'));
  expect(brokers.requests.map(({ length }) => length)).toEqual([2, 2, 1]);
});

test('where the broker knows other numbers, the partition goes on under a new identity, and the others under theirs', async () => {
  const brokers = new ModelBrokers(PARTITIONS);
  const producer = producerOf(brokers);
  await producer.sendBatch([batchOf(0, 'a'), batchOf(1, 'b')]);
  brokers.forget();
  expect(kinds(await producer.sendBatch([batchOf(0, 'c')]))).toEqual(['retry']);
  expect(kinds(await producer.sendBatch([batchOf(0, 'c')]))).toEqual(['delivered']);
  expect(brokers.values(topic, 0)).toEqual(['a', 'c']);
  expect(brokers.identities).toBe(2n);
  expect(kinds(await producer.sendBatch([batchOf(1, 'd')]))).toEqual(['delivered']);
  expect(brokers.identities).toBe(2n);
});

test('another batch in place of one whose answer was lost is not taken for it', async () => {
  const brokers = new ModelBrokers(PARTITIONS);
  const producer = producerOf(brokers);
  brokers.fate = () => 'lost';
  expect(kinds(await producer.sendBatch([batchOf(0, 'given up')]))).toEqual(['retry']);
  brokers.fate = () => 'taken';
  expect(kinds(await producer.sendBatch([batchOf(0, 'the next one')]))).toEqual(['delivered']);
  expect(brokers.values(topic, 0)).toEqual(['given up', 'the next one']);
});

test('what follows a batch that is sent again waits for it', async () => {
  const brokers = new ModelBrokers(PARTITIONS);
  const producer = producerOf(brokers);
  brokers.fate = ({ partition }) => (partition === 0 ? 6 : 'taken');
  const batches = [batchOf(0, 'a'), batchOf(1, 'b'), batchOf(0, 'c'), batchOf(1, 'd')];
  expect(kinds(await producer.sendBatch(batches))).toEqual(['retry', 'delivered', 'retry', 'delivered']);
  expect(brokers.values(topic, 0)).toEqual([]);
  expect(brokers.values(topic, 1)).toEqual(['b', 'd']);
});

test('calls of an idempotent producer follow each other', async () => {
  const brokers = new ModelBrokers(1);
  const producer = producerOf(brokers);
  const texts = Array.from({ length: 20 }, (_none, index) => `${index}`);
  const outcomes = await Promise.all(texts.map((text) => producer.sendBatch([batchOf(0, text)])));
  expect(outcomes.flatMap(kinds)).toEqual(texts.map(() => 'delivered'));
  expect(brokers.values(topic, 0)).toEqual(texts);
});

test('without idempotence a batch carries no number', async () => {
  const brokers = new ModelBrokers(1);
  await producerOf(brokers, { idempotence: false }).sendBatch([batchOf(0, 'a')]);
  const bytes = brokers.requests[0]![0]!.bytes;
  expect([bytes.readBigInt64BE(43), bytes.readInt16BE(51), bytes.readInt32BE(53)]).toEqual([-1n, -1, -1]);
  expect(brokers.identities).toBe(0n);
});

test('no records are delivered at once', async () => {
  const brokers = new ModelBrokers(1);
  expect(kinds(await producerOf(brokers).sendBatch([batchOf(0)]))).toEqual(['delivered']);
  expect(kinds(await producerOf(brokers).sendBatch([]))).toEqual([]);
  expect(brokers.requests).toEqual([]);
});

test('an identity that brokers do not give yet is asked for again', async () => {
  const brokers = new ModelBrokers(1);
  const producer = producerOf(brokers);
  brokers.producerCode = 14;
  const [outcome] = await producer.sendBatch([batchOf(0, 'a')]);
  expect(outcome).toMatchObject({ kind: 'retry', failure: { reason: 'unavailable' } });
  brokers.producerCode = 0;
  expect(kinds(await producer.sendBatch([batchOf(0, 'a')]))).toEqual(['delivered']);
});

test.each([
  ['never seen', false, unknownPatienceMs.neverSeen],
  ['seen before', true, unknownPatienceMs.seenBefore],
])('a topic that was %s is given time before its records are refused', async (_name, isSeen, patienceMs) => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const brokers = new ModelBrokers(1);
  const producer = producerOf(brokers);
  if (isSeen) await producer.sendBatch([batchOf(0, 'a')]);
  brokers.topicCode = 3;
  brokers.fate = () => 3;
  const send = async (): Promise<string> => kinds(await producer.sendBatch([batchOf(0, 'b')])).join('');
  expect(await send()).toBe('retry');
  vi.advanceTimersByTime(patienceMs - 1);
  expect(await send()).toBe('retry');
  vi.advanceTimersByTime(1);
  expect(await send()).toBe('refused');
  brokers.topicCode = 0;
  brokers.fate = () => 'taken';
  expect(await send()).toBe('delivered');
});

test('a batch that arrives damaged three times is refused', async () => {
  const brokers = new ModelBrokers(1);
  const producer = producerOf(brokers);
  brokers.fate = () => 2;
  const send = async (): Promise<string> => kinds(await producer.sendBatch([batchOf(0, 'a')])).join('');
  expect([await send(), await send(), await send()]).toEqual(['retry', 'retry', 'refused']);
});

test('a partition that the broker does not speak of is sent again', async () => {
  const brokers = new ModelBrokers(2);
  const producer = producerOf(brokers);
  vi.spyOn(brokers, 'produce').mockReturnValueOnce([]);
  const [outcome] = await producer.sendBatch([batchOf(0, 'a')]);
  expect(outcome).toMatchObject({ kind: 'retry', failure: { reason: 'garbage' } });
});
