import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { countTopic, eachRecord, readTopic, type ReadRecord } from '../../../support/kafka/kcat.ts';
import { type SharedKafka, sharedKafka } from '../../../support/kafka/shared.ts';
import { requiresKafka } from '../../../support/kafka/wanted.ts';

interface Sent {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
}

const PARTITIONS = 3;
const headers = { 'mirrortap.vni': '42', empty: '', list: 'a,b,c', equals: 'x=y' };

describe.skipIf(!requiresKafka())('reading with kcat', () => {
  test('keys and values of any bytes come back as they are, with headers, times and offsets', async () => {
    const kafka = await sharedKafka();
    const topic = await kafka.newTopic('random', PARTITIONS);
    const sent = Array.from({ length: 600 }, (_, index) => ({
      key: index % 7 === 0 ? null : randomBytes(index % 40),
      value: index % 11 === 0 ? null : randomBytes((index * index) % 5000),
      timestampMs: 1_700_000_000_000 + index,
    }));
    await send(kafka, topic, sent);
    const found = await readTopic(kafka, topic);
    expect(found).toHaveLength(sent.length);
    for (const [index, { key, value, timestampMs }] of sent.entries()) {
      const record =
        found[(index % PARTITIONS) * (sent.length / PARTITIONS) + Math.floor(index / PARTITIONS)];
      expect(record).toEqual({
        partition: index % PARTITIONS,
        offset: Math.floor(index / PARTITIONS),
        timestampMs,
        key,
        value,
        headers: new Map(Object.entries(headers)),
      } satisfies ReadRecord);
    }
    expect(await kafka.admin.countRecords(topic)).toBe(sent.length);
    expect(await kafka.admin.endOffsets(topic)).toEqual([200, 200, 200]);
    const bytes = sent.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
    const counts = await countTopic(kafka, topic);
    expect(counts.map(({ records, firstOffset, lastOffset }) => [records, firstOffset, lastOffset])).toEqual(
      Array.from({ length: PARTITIONS }, () => [200, 0, 199]),
    );
    expect(counts.reduce((sum, count) => sum + count.bytes, 0)).toBe(bytes);
  });

  test('of a topic without records there are none, and of one that is not there it says so', async () => {
    const kafka = await sharedKafka();
    const empty = await kafka.newTopic('empty');
    expect(await eachRecord(kafka, empty, () => expect.unreachable())).toBe(0);
    expect(await countTopic(kafka, empty)).toEqual([]);
    await kafka.admin.deleteTopic(empty);
    await expect(readTopic(kafka, empty)).rejects.toThrow(/Unknown topic/);
  });
});

/** One after the other into partition 0, 1, 2, 0, … */
async function send(kafka: SharedKafka, topic: string, sent: readonly Sent[]): Promise<void> {
  const client = new Kafka({ brokers: kafka.bootstrap.split(','), logLevel: logLevel.NOTHING });
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = sent.map(({ key, value, timestampMs }, index) => ({
    key,
    value,
    headers,
    partition: index % PARTITIONS,
    timestamp: String(timestampMs),
  }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}
