import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaBroker } from '../../../support/kafka/broker.ts';
import { readTopic, writeLines } from '../../../support/kafka/kcat.ts';
import { requiresOwnKafka } from '../../../support/kafka/wanted.ts';

describe.skipIf(!requiresOwnKafka())('a broker of our own', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await KafkaBroker.start();
  });
  afterAll(() => broker.discard());

  test('keeps what kcat writes, over a stop and a kill', async () => {
    await broker.admin.createTopic('kept', 3);
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    await writeLines(broker, 'kept', lines, { first: '1', second: 'a,b=c' });
    await broker.stop();
    expect(broker.isRunning).toBe(false);
    const hurried = { bootstrap: broker.bootstrap, properties: { 'message.timeout.ms': '1000' } };
    await expect(writeLines(hurried, 'kept', ['lost'])).rejects.toThrow('kcat ended');
    await broker.start();
    await broker.kill();
    await broker.start();
    const records = await readTopic(broker, 'kept');
    expect(records.map(({ value }) => value?.toString()).toSorted()).toEqual(lines.toSorted());
    expect(records[0]?.headers.get('first')).toBe('1');
    expect(await broker.admin.countRecords('kept')).toBe(100);
  });
});
