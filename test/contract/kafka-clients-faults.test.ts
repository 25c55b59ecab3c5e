import { setTimeout as pause } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { KafkaClient, PartitionBatch } from '../../src/sinks/kafka/client.ts';
import type { KafkaSettings } from '../../src/sinks/kafka/settings.ts';
import { KafkaBroker } from '../support/kafka/broker.ts';
import { clientNames, deliver, newClient, recordOf } from '../support/kafka/clients.ts';
import { readTopic } from '../support/kafka/kcat.ts';
import { KafkaProxy, PRODUCE } from '../support/kafka/proxy.ts';
import { requiresOwnKafka } from '../support/kafka/wanted.ts';

const partitions = [0, 1, 2] as const;

describe.runIf(requiresOwnKafka())('a broker that fails', () => {
  let proxy: KafkaProxy;
  let broker: KafkaBroker;
  let topics = 0;

  beforeAll(async () => {
    proxy = await KafkaProxy.start();
    broker = await KafkaBroker.start({ proxyPort: proxy.port });
    proxy.leadsTo(broker.port('PROXIED'));
  });
  afterAll(async () => {
    await proxy.close();
    await broker.discard();
  });

  async function newTopic(): Promise<string> {
    const topic = `faults-${++topics}`;
    await broker.admin.createTopic(topic, partitions.length);
    return topic;
  }

  const textsOf = async (topic: string): Promise<string[]> => {
    const records = await readTopic({ bootstrap: broker.bootstrap }, topic);
    return records.map(({ partition, value }) => `${partition} ${value?.toString()}`);
  };

  /** Two records for each partition. */
  const batchesOf = (topic: string, text: string): PartitionBatch[] =>
    partitions.map((partition) => ({
      topic,
      partition,
      records: [recordOf(`${text} a`), recordOf(`${text} b`)],
    }));

  const textsSent = (...texts: readonly string[]): string[] =>
    partitions.flatMap((partition) =>
      texts.flatMap((text) => [`${partition} ${text} a`, `${partition} ${text} b`]),
    );

  describe.each(clientNames)('client %s', (client) => {
    let open: KafkaClient[] = [];
    afterEach(async () => {
      await proxy.restore();
      await Promise.all(open.map((one) => one.close()));
      open = [];
    });

    async function connected(changed: Partial<KafkaSettings> = {}): Promise<KafkaClient> {
      const made = await newClient(proxy.bootstrap, { client, requestTimeoutMs: 8000, ...changed });
      open.push(made);
      await made.connect();
      return made;
    }

    test('whose answers are lost has nothing twice and nothing missing', async () => {
      const topic = await newTopic();
      const made = await connected();
      await deliver(made, batchesOf(topic, '0'));
      for (const text of ['1', '2', '3']) {
        proxy.loseAnswers(PRODUCE, 2);
        await deliver(made, batchesOf(topic, text));
      }
      expect(await textsOf(topic)).toEqual(textsSent('0', '1', '2', '3'));
    });

    test('that is killed and comes back has nothing twice and nothing missing', async () => {
      const topic = await newTopic();
      const made = await connected();
      const texts = Array.from({ length: 40 }, (_none, index) => `${index}`);
      const sending = (async () => {
        for (const text of texts) {
          await deliver(made, batchesOf(topic, text));
          await pause(50);
        }
      })();
      await pause(300);
      await broker.kill();
      await broker.start();
      await sending;
      expect(await textsOf(topic)).toEqual(textsSent(...texts));
    });

    test('that stops answering is told to be slow, and has nothing twice once it goes on', async () => {
      const topic = await newTopic();
      const made = await connected({ requestTimeoutMs: 1000 });
      await deliver(made, batchesOf(topic, '0'));
      const texts = ['0'];
      let left: PartitionBatch[] = [];
      broker.suspend();
      try {
        // a busy machine takes its time to stop all threads of the broker
        while (left.length === 0) {
          const batches = batchesOf(topic, `${texts.length}`);
          texts.push(`${texts.length}`);
          const outcomes = await made.sendBatch(batches);
          left = batches.filter((_batch, index) => outcomes[index]?.kind === 'retry');
          const [failed] = outcomes.filter(({ kind }) => kind === 'retry');
          if (failed !== undefined) expect(failed).toHaveProperty('failure.reason', 'timeout');
        }
        await made.sendBatch(left);
      } finally {
        broker.resume();
      }
      await deliver(made, left);
      texts.push('after');
      await deliver(made, batchesOf(topic, 'after'));
      expect(await textsOf(topic)).toEqual(textsSent(...texts));
    });

    test('does not take another batch for one whose answer was lost', async () => {
      const topic = await newTopic();
      const made = await connected();
      await deliver(made, batchesOf(topic, 'before'));
      proxy.loseAnswers(PRODUCE, 1);
      const outcomes = await made.sendBatch(batchesOf(topic, 'given up'));
      if (client !== 'librdkafka') expect(outcomes.map(({ kind }) => kind)).toContain('retry');
      await deliver(made, batchesOf(topic, 'afterwards'));
      const texts = await textsOf(topic);
      expect(texts.filter((text) => text.includes('afterwards'))).toEqual(textsSent('afterwards'));
    });

    test('that is cut off is reached again', async () => {
      const topic = await newTopic();
      const made = await connected();
      await deliver(made, batchesOf(topic, 'before'));
      await proxy.cut();
      const batches = batchesOf(topic, 'after');
      const outcomes = await made.sendBatch(batches);
      for (const outcome of outcomes) expect(outcome.kind).toBe('retry');
      await proxy.restore();
      await deliver(made, batches);
      expect(await textsOf(topic)).toEqual(textsSent('before', 'after'));
    });

    test('does not keep close waiting', async () => {
      const topic = await newTopic();
      const made = await connected({ requestTimeoutMs: 3_600_000 });
      broker.suspend();
      try {
        const call = made.sendBatch(batchesOf(topic, 'never'));
        await made.close();
        open = [];
        for (const { kind } of await call) expect(['retry', 'delivered']).toContain(kind);
      } finally {
        broker.resume();
      }
    });
  });
});
