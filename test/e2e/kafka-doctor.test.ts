import { expect, test } from 'vitest';
import { gatherFacts } from '../../src/app/doctor/gather.ts';
import { loadConfig } from '../../src/config/load.ts';
import { sharedKafka } from '../support/kafka/shared.ts';
import { BrokenBroker } from '../support/kafka/broken-brokers.ts';
import { requiresKafka } from '../support/kafka/wanted.ts';

test.skipIf(!requiresKafka())(
  'doctor asks real brokers about topics',
  async () => {
    const kafka = await sharedKafka();
    const there = await kafka.newTopic('doctor', 5);
    const set = [
      'sinks.bus.kind=kafka',
      `sinks.bus.brokers=[${kafka.bootstrap}]`,
      `sinks.bus.packets.topic=${there}`,
      `sinks.bus.flows.topic=${kafka.topicName('missing')}`,
    ];
    for (const client of ['platformatic', 'kafkajs']) {
      const config = loadConfig({ environment: {}, set: [...set, `sinks.bus.client=${client}`] });
      const [fact] = (await gatherFacts(config)).kafka;
      expect(fact?.failure).toBeUndefined();
      expect([...(fact?.topics.values() ?? [])]).toEqual([
        { partitions: 5, maxMessageBytes: expect.any(Number) as number },
        undefined,
      ]);
    }
  },
  60_000,
);

test('doctor says what is wrong with brokers that are none', async () => {
  await using silent = await BrokenBroker.start('garbage');
  const set = ['sinks.bus.kind=kafka', `sinks.bus.brokers=[${silent.bootstrap}]`];
  const [fact] = (await gatherFacts(loadConfig({ environment: {}, set }))).kafka;
  expect(fact?.failure).toContain('garbage');
}, 60_000);
