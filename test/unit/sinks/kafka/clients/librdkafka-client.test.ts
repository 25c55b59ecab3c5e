import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaClient, Outcome, PartitionBatch } from '../../../../../src/sinks/kafka/client.ts';
import { KafkaBroker } from '../../../../support/kafka/broker.ts';
import { deliver, newClient, recordOf } from '../../../../support/kafka/clients.ts';
import { readTopic } from '../../../../support/kafka/kcat.ts';
import { KafkaProxy, PRODUCE } from '../../../../support/kafka/proxy.ts';
import { requiresOwnKafka } from '../../../../support/kafka/wanted.ts';
import { requiresRdKafka } from '../../../../support/native.ts';

const canRun = [requiresOwnKafka(), await requiresRdKafka()].every(Boolean);

describe.runIf(canRun)('a network between librdkafka and its broker', () => {
  let proxy: KafkaProxy;
  let broker: KafkaBroker;
  let client: KafkaClient | undefined;
  let last = 0;

  beforeAll(async () => {
    proxy = await KafkaProxy.start();
    broker = await KafkaBroker.start({ proxyPort: proxy.port });
    proxy.leadsTo(broker.port('PROXIED'));
  });
  afterEach(async () => {
    proxy.delayMs = 0;
    await client?.close();
    client = undefined;
  });
  afterAll(async () => {
    await proxy.close();
    await broker.stop();
  });

  async function connected(
    requestTimeoutMs: number,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<{ made: KafkaClient; topic: string }> {
    const settings = { client: 'librdkafka', requestTimeoutMs, options } as const;
    const made = (client = await newClient(proxy.bootstrap, settings));
    await made.connect();
    const topic = `network-${++last}`;
    await made.createTopic(topic, 2, 1);
    await expect.poll(() => made.topic(topic), { timeout: 20_000 }).toMatchObject({ partitions: 2 });
    return { made, topic };
  }

  const textsOf = async (topic: string): Promise<string[]> => {
    const records = await readTopic({ bootstrap: broker.bootstrap }, topic);
    return records.map(({ partition, value }) => `${partition} ${value?.toString()}`);
  };

  const batch = (topic: string, partition: number, ...texts: string[]): PartitionBatch => ({
    topic,
    partition,
    records: texts.map((text) => recordOf(text)),
  });

  const retry: Outcome['kind'] = 'retry';

  test('what is sent again while it is under way arrives once, and in order', async () => {
    const { made, topic } = await connected(1000);
    expect(await made.sendBatch([batch(topic, 0, 'before')])).toEqual([{ kind: 'delivered' }]);
    proxy.delayMs = 3000;
    const first = [batch(topic, 0, 'a', 'b'), batch(topic, 1, 'c')];
    const outcomes = await made.sendBatch(first);
    expect(outcomes.map(({ kind }) => kind)).toEqual([retry, retry]);
    expect(outcomes[0]).toMatchObject({ failure: { reason: 'timeout' } });
    proxy.delayMs = 0;
    // the same records, in memory of their own
    const again = [batch(topic, 0, 'a', 'b'), batch(topic, 1, 'c')].map((one, index) => ({
      ...one,
      records: one.records.map((record, at) => ({
        ...record,
        timestampMs: first[index]?.records[at]?.timestampMs ?? 0,
      })),
    }));
    expect(await deliver(made, again)).toEqual([{ kind: 'delivered' }, { kind: 'delivered' }]);
    expect(await made.sendBatch([batch(topic, 0, 'after')])).toEqual([{ kind: 'delivered' }]);
    expect(await textsOf(topic)).toEqual(['0 before', '0 a', '0 b', '0 after', '1 c']);
  });

  test('a queue that is smaller than a batch costs time, and nothing else', async () => {
    const { made, topic } = await connected(20_000, { 'queue.buffering.max.messages': 7 });
    const texts = Array.from({ length: 100 }, (_, i) => String(i).padStart(3, '0'));
    const calls = [0, 1].map((partition) => deliver(made, [batch(topic, partition, ...texts)]));
    expect((await Promise.all(calls)).flat().map(({ kind }) => kind)).toEqual(['delivered', 'delivered']);
    expect(await textsOf(topic)).toEqual(
      [0, 1].flatMap((partition) => texts.map((text) => `${partition} ${text}`)),
    );
  });

  test('answers that are lost make no second copy', async () => {
    const { made, topic } = await connected(20_000);
    await made.sendBatch([batch(topic, 0, 'first')]);
    const lost = proxy.lostAnswers;
    proxy.loseAnswers(PRODUCE, 2);
    expect(await deliver(made, [batch(topic, 0, 'second')])).toEqual([{ kind: 'delivered' }]);
    expect(proxy.lostAnswers).toBe(lost + 2);
    expect(await textsOf(topic)).toEqual(['0 first', '0 second']);
  });

  test('a network that is cut: the caller is told at once, and all arrives when it is back', async () => {
    const { made, topic } = await connected(20_000);
    await made.sendBatch([batch(topic, 0, 'first')]);
    await proxy.cut();
    const batches = [batch(topic, 0, 'second'), batch(topic, 1, 'third')];
    const outcomes = await made.sendBatch(batches);
    expect(outcomes.map(({ kind }) => kind)).toEqual([retry, retry]);
    expect(outcomes[0]).toMatchObject({ failure: { reason: 'unreachable' } });
    await proxy.restore();
    expect(await deliver(made, batches)).toEqual([{ kind: 'delivered' }, { kind: 'delivered' }]);
    expect(await textsOf(topic)).toEqual(['0 first', '0 second', '1 third']);
  });

  test('who sends something else than what is under way has that taken back', async () => {
    const { made, topic } = await connected(1000);
    await made.sendBatch([batch(topic, 0, 'first')]);
    await proxy.cut();
    expect(await made.sendBatch([batch(topic, 0, 'given up')])).toMatchObject([{ kind: 'retry' }]);
    const other = made.sendBatch([batch(topic, 0, 'instead')]);
    await proxy.restore();
    if ((await other)[0]?.kind === 'retry') await deliver(made, [batch(topic, 0, 'instead')]);
    const texts = await textsOf(topic);
    expect(texts.slice(0, 1)).toEqual(['0 first']);
    expect(texts).not.toContain('0 given up');
    expect(new Set(texts.slice(1))).toEqual(new Set(['0 instead']));
  });
});
