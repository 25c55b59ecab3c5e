import { createHash } from 'node:crypto';

import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import {
  type KafkaClient,
  KafkaError,
  type KafkaFailureReason,
  type KafkaRecord,
  type PartitionBatch,
} from '../../src/sinks/kafka/client.ts';
import { clientProblems } from '../../src/sinks/kafka/client-rules.ts';
import type { KafkaSettings } from '../../src/sinks/kafka/settings.ts';
import { type Breakage, BrokenBroker } from '../support/kafka/broken-brokers.ts';
import { clientNames, deliver, newClient, recordOf } from '../support/kafka/clients.ts';
import { defaultKafka } from '../support/kafka/kafka-settings.ts';
import { readTopic } from '../support/kafka/kcat.ts';
import { freePorts } from '../support/kafka/ports.ts';
import { type SharedKafka, sharedKafka } from '../support/kafka/shared.ts';
import { requiresKafka } from '../support/kafka/wanted.ts';

const REQUEST_TIMEOUT_MS = 10_000;

describe.each(clientNames)('client %s', (client) => {
  let open: KafkaClient[] = [];
  afterEach(async () => {
    await Promise.all(open.map((one) => one.close()));
    open = [];
  });

  async function make(bootstrap: string, changed: Partial<KafkaSettings> = {}): Promise<KafkaClient> {
    const made = await newClient(bootstrap, { client, requestTimeoutMs: REQUEST_TIMEOUT_MS, ...changed });
    open.push(made);
    return made;
  }

  describe.runIf(requiresKafka())('and a broker', () => {
    let kafka: SharedKafka;
    beforeAll(async () => {
      kafka = await sharedKafka();
    });

    async function connected(changed: Partial<KafkaSettings> = {}): Promise<KafkaClient> {
      const made = await make(kafka.bootstrap, changed);
      await made.connect();
      return made;
    }

    const textsOf = async (topic: string): Promise<string[]> => {
      const records = await readTopic({ bootstrap: kafka.bootstrap }, topic);
      return records.map(({ partition, value }) => `${partition} ${value?.toString()}`);
    };

    test('connects, also through the second of two brokers', async () => {
      const [nobody] = await freePorts(1);
      const made = await make(`127.0.0.1:${nobody},${kafka.bootstrap}`);
      await made.connect();
      await expect(made.connect()).resolves.toBeUndefined();
    });

    test('knows of a topic how many partitions it has and how large a batch may be', async () => {
      const topic = await kafka.newTopic('facts', 3, { 'max.message.bytes': '12345' });
      const made = await connected();
      expect(await made.topic(topic)).toEqual({ partitions: 3, maxMessageBytes: 12_345 });
      expect(await made.topic(kafka.topicName('nowhere'))).toBeUndefined();
    });

    test('creates a topic, and does not mind one that is there', async () => {
      const topic = kafka.topicName('created');
      const made = await connected();
      await made.createTopic(topic, 5, 1);
      await made.createTopic(topic, 5, 1);
      await expect.poll(() => made.topic(topic)).toMatchObject({ partitions: 5 });
      const error = await failure(made.createTopic('no / topic', 1, 1));
      expect(['noTopic', 'invalid']).toContain(error.failure.reason);
    });

    test('sends keys, values, headers and times to partitions of several topics, byte for byte', async () => {
      const topics = [await kafka.newTopic('bytes-a', 3), await kafka.newTopic('bytes-b', 2)] as const;
      const made = await connected();
      const batches: PartitionBatch[] = [
        { topic: topics[0], partition: 0, records: samples('a0', 20) },
        { topic: topics[0], partition: 2, records: samples('a2', 1) },
        { topic: topics[1], partition: 1, records: samples('b1', 300) },
      ];
      const outcomes = await deliver(made, batches);
      expect(outcomes).toEqual(batches.map(() => ({ kind: 'delivered' })));
      for (const topic of topics) {
        const read = await readTopic({ bootstrap: kafka.bootstrap }, topic);
        const sent = batches.filter((batch) => batch.topic === topic);
        expect(read.map(flat)).toEqual(
          sent.flatMap(({ partition, records }) =>
            records.map((record) => flat({ ...record, partition, headers: textHeaders(record) })),
          ),
        );
      }
    });

    test.each(['zstd', 'lz4', 'snappy', 'gzip', 'none'] as const)('compression %s', async (compression) => {
      if (clientProblems(defaultKafka({ client, compression })).length > 0) return;
      const topic = await kafka.newTopic(`compressed-${compression}`);
      const made = await connected({ compression });
      const records = samples(compression, 500);
      expect(await deliver(made, [{ topic, partition: 0, records }])).toEqual([{ kind: 'delivered' }]);
      const read = await readTopic({ bootstrap: kafka.bootstrap }, topic);
      expect(read.map(flat)).toEqual(
        records.map((record) => flat({ ...record, partition: 0, headers: textHeaders(record) })),
      );
    });

    test.each(['leader', 'none'] as const)('acks %s', async (acks) => {
      const topic = await kafka.newTopic(`acks-${acks}`);
      const made = await connected({ acks, idempotence: false });
      await deliver(made, [{ topic, partition: 0, records: [recordOf('one'), recordOf('two')] }]);
      await expect.poll(() => textsOf(topic), { timeout: 20_000 }).toEqual(['0 one', '0 two']);
    });

    test('sends several batches of one partition in their order', async () => {
      const topic = await kafka.newTopic('order', 2);
      const made = await connected();
      const texts = Array.from({ length: 12 }, (_none, index) => `batch ${index}`);
      const batches = texts.map((text, index) => ({
        topic,
        partition: index % 2,
        records: [recordOf(text)],
      }));
      await deliver(made, batches);
      const even = texts.filter((_text, index) => index % 2 === 0).map((text) => `0 ${text}`);
      const odd = texts.filter((_text, index) => index % 2 === 1).map((text) => `1 ${text}`);
      expect(await textsOf(topic)).toEqual([...even, ...odd]);
    });

    test('refuses what is too large, and delivers the rest; what follows is not taken for it', async () => {
      const topic = await kafka.newTopic('large', 3, { 'max.message.bytes': '2000' });
      const made = await connected();
      const outcomes = await deliver(made, [
        { topic, partition: 0, records: [recordOf('small')] },
        { topic, partition: 1, records: [recordOf('large', 5000)] },
        { topic, partition: 2, records: [recordOf('small too')] },
      ]);
      expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'refused', 'delivered']);
      expect(reasons(outcomes)).toEqual([undefined, 'tooLarge', undefined]);
      // as many records as the batches before: a sequence number used twice would show
      const next = [0, 1, 2].map((partition) => ({ topic, partition, records: [recordOf('next')] }));
      expect((await deliver(made, next)).map(({ kind }) => kind)).toEqual([
        'delivered',
        'delivered',
        'delivered',
      ]);
      expect(await textsOf(topic)).toEqual(['0 small', '0 next', '1 next', '2 small too', '2 next']);
    });

    test('does not make one that is too large of two batches that are under way together', async () => {
      const topic = await kafka.newTopic('together', 1, { 'max.message.bytes': '2000' });
      const made = await connected({ idempotence: false, inFlightRequests: 4 });
      const texts = ['first', 'second', 'third', 'fourth'];
      const calls = texts.map((text) => {
        return made.sendBatch([{ topic, partition: 0, records: [recordOf(text, 1200)] }]);
      });
      const outcomes = (await Promise.all(calls)).flat();
      expect(outcomes.map(({ kind }) => kind)).toEqual(texts.map(() => 'delivered'));
      expect((await textsOf(topic)).map((text) => text.replace(/\.+$/, ''))).toEqual(
        texts.map((text) => `0 ${text}`),
      );
    });

    test('refuses a topic that is not there, once that is sure, and delivers the rest', async () => {
      const topic = await kafka.newTopic('there');
      const made = await connected();
      const missing = kafka.topicName('not-there');
      const outcomes = await deliver(made, [
        { topic: missing, partition: 0, records: [recordOf('lost')] },
        { topic, partition: 0, records: [recordOf('kept')] },
      ]);
      expect(outcomes[0]).toMatchObject({ kind: 'refused', failure: { reason: 'noTopic' } });
      expect(outcomes[1]).toEqual({ kind: 'delivered' });
      expect(await textsOf(topic)).toEqual(['0 kept']);
    });

    test('refuses a topic that it may not write to, and delivers the rest', async () => {
      const [topic, denied] = [await kafka.newTopic('allowed'), await kafka.newTopic('denied')];
      await kafka.admin.deny(denied, 'write');
      const made = await connected();
      const outcomes = await deliver(made, [
        { topic: denied, partition: 0, records: [recordOf('no')] },
        { topic, partition: 0, records: [recordOf('yes')] },
      ]);
      expect(outcomes[0]).toMatchObject({ kind: 'refused', failure: { reason: 'notAuthorised' } });
      expect(outcomes[1]).toEqual({ kind: 'delivered' });
      // the sink asks again for a minute: somebody may grant the right
      for (const text of ['again', 'and again']) {
        const batches = [denied, topic].map((name) => ({
          topic: name,
          partition: 0,
          records: [recordOf(text)],
        }));
        expect(reasons(await deliver(made, batches))).toEqual(['notAuthorised', undefined]);
      }
      expect(await textsOf(topic)).toEqual(['0 yes', '0 again', '0 and again']);
    });

    test('does not deliver to a partition that the topic does not have, and delivers the rest', async () => {
      const topic = await kafka.newTopic('small', 2);
      const made = await connected();
      await deliver(made, [{ topic, partition: 1, records: [recordOf('first')] }]);
      const outcomes = await made.sendBatch([
        { topic, partition: 7, records: [recordOf('nowhere'), recordOf('at all')] },
        { topic, partition: 1, records: [recordOf('second')] },
      ]);
      expect(outcomes.map(({ kind }) => kind === 'delivered')).toEqual([false, true]);
      expect(await textsOf(topic)).toEqual(['1 first', '1 second']);
    });

    test('closes while batches are under way, and says that they are to be sent again', async () => {
      const topic = await kafka.newTopic('closing');
      const made = await connected();
      const batch = { topic, partition: 0, records: samples('closing', 200) };
      const calls = Array.from({ length: 3 }, () => made.sendBatch([batch]));
      await made.close();
      for (const outcomes of await Promise.all(calls)) {
        expect(['retry', 'delivered']).toContain(outcomes[0]?.kind);
      }
      const after = await made.sendBatch([batch]);
      expect(after[0]?.kind).toBe('retry');
      open = [];
    });

    test('has nothing under way after flush', async () => {
      const topic = await kafka.newTopic('flushed');
      const made = await connected();
      await made.flush();
      let isSettled = false;
      const call = deliver(made, [{ topic, partition: 0, records: samples('flush', 50) }]).then(() => {
        isSettled = true;
      });
      await made.flush();
      await call;
      expect(isSettled).toBe(true);
    });
  });

  describe('and no broker', () => {
    test('says that nobody is there', async () => {
      const [nobody] = await freePorts(1);
      const made = await make(`127.0.0.1:${nobody}`, { requestTimeoutMs: 2000 });
      expect((await failure(made.connect())).failure.reason).toBe('unreachable');
      expect((await failure(made.topic('t'))).failure.reason).toBe('unreachable');
      const [outcome] = await made.sendBatch([{ topic: 't', partition: 0, records: [recordOf('x')] }]);
      expect(outcome?.kind).toBe('retry');
    });

    test.each<[Breakage, readonly KafkaFailureReason[]]>([
      ['silent', ['timeout']],
      ['garbage', ['garbage', 'timeout']],
      ['huge', ['garbage']],
      ['negative', ['garbage']],
      ['wrong-answer', ['garbage', 'unavailable', 'unreachable']],
      ['closing', ['unreachable']],
      ['hanging-up', ['unreachable']],
    ])('says what is wrong with one that is %s', async (breakage, expected) => {
      await using broker = await BrokenBroker.start(breakage);
      const made = await make(broker.bootstrap, { requestTimeoutMs: 1500 });
      const error = await failure(made.connect());
      expect(expected).toContain(error.failure.reason);
      expect(error.failure.message).not.toBe('');
      const batch = { topic: 't', partition: 0, records: [recordOf('x')] };
      const [outcome] = await made.sendBatch([batch]);
      expect(outcome).toMatchObject({ kind: 'retry' });
    });
  });
});

async function failure(promise: Promise<unknown>): Promise<KafkaError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KafkaError);
  return error as KafkaError;
}

const reasons = (outcomes: readonly object[]): unknown[] =>
  outcomes.map((outcome) => (outcome as { failure?: { reason: string } }).failure?.reason);

/**
 * Records of all sorts: empty and long values, binary ones, in memory that threads share, times out of order. They are of
 * now: a broker deletes what is older than its topic keeps.
 */
function samples(name: string, count: number): KafkaRecord[] {
  const startMs = Date.now();
  return Array.from({ length: count }, (_none, index) => {
    const length = index % 7 === 0 ? 0 : (index * 37) % 1600;
    const value = shared(length);
    let seed = createHash('sha256').update(`${name} ${index}`).digest();
    for (let at = 0; at < length; at += seed.length) {
      seed.copy(value, at);
      seed = createHash('sha256').update(seed).digest();
    }
    const key = shared(8);
    key.write(`${name}`.padEnd(8).slice(0, 8));
    const headers = new Map([[Buffer.from('vni'), Buffer.from(String(index))]]);
    if (index % 3 === 0) headers.set(Buffer.from('truncated'), Buffer.from('1'));
    return { key, value, headers, count: 1, timestampMs: startMs - ((index * 7919) % 5000) };
  });
}

const shared = (length: number): Buffer => Buffer.from(new SharedArrayBuffer(length));

const textHeaders = (record: KafkaRecord): ReadonlyMap<string, string> =>
  new Map([...record.headers].map(([name, value]) => [name.toString(), value.toString()]));

const flat = (record: {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
  readonly headers: ReadonlyMap<string, string>;
}): string =>
  JSON.stringify([
    record.partition,
    record.key?.toString('hex'),
    record.value?.toString('hex') ?? '',
    record.timestampMs,
    [...record.headers],
  ]);
