import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { KafkaCluster } from '../../../support/kafka/cluster.ts';
import { readTopic } from '../../../support/kafka/kcat.ts';
import { producerPerformance } from '../../../support/kafka/producer-performance.ts';
import { requiresOwnKafka } from '../../../support/kafka/wanted.ts';

const LIMIT_MS = 240_000;

describe.skipIf(!requiresOwnKafka())('three brokers', () => {
  test('lose no record that was acknowledged while each is restarted', { timeout: LIMIT_MS }, async () => {
    await using cluster = await KafkaCluster.start();
    await cluster.admin.createTopic('rolling', 3);
    const brokers = cluster.bootstrap.split(',');
    const client = new Kafka({
      brokers,
      logLevel: logLevel.NOTHING,
      retry: { retries: 30, maxRetryTime: 1000 },
    });
    const createPartitioner = Partitioners.DefaultPartitioner;
    const producer = client.producer({ createPartitioner, idempotent: true });
    await producer.connect();
    const acknowledged: string[] = [];
    const restarted = new AbortController();
    const restarting = cluster.restartOneByOne().finally(() => restarted.abort());
    while (!restarted.signal.aborted) {
      const values = Array.from({ length: 20 }, (_, index) => `${acknowledged.length + index}`);
      // one partition each: of several, kafkajs forgets those that move to a broker that has answered already
      const partition = (acknowledged.length / 20) % 3;
      await producer.send({ topic: 'rolling', messages: values.map((value) => ({ value, partition })) });
      acknowledged.push(...values);
    }
    await restarting;
    await producer.disconnect();
    expect(acknowledged.length).toBeGreaterThan(60);
    const found = (await readTopic(cluster, 'rolling')).map(({ value }) => Number(value?.toString()));
    expect(found.toSorted((a, b) => a - b)).toEqual(acknowledged.map(Number));
    await cluster.admin.createTopic('measured', 3);
    const load = { bootstrap: cluster.bootstrap, topic: 'measured', records: 2000, valueBytes: 100 };
    const measured = await producerPerformance(load);
    expect(measured).toMatchObject({ records: 2000 });
    expect(measured.recordsPerSecond).toBeGreaterThan(0);
    expect(measured.mebibytesPerSecond).toBeGreaterThan(0);
    expect(await cluster.admin.countRecords('measured')).toBe(2000);
  });
});
