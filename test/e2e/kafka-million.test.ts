import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sha1Base64 } from '../../src/app/name-hashes.ts';
import { allocateChannel } from '../../src/pipeline/channel/channel-memory.ts';
import { InnerFrameReader } from '../../src/receive/inner-frame-reader.ts';
import { KafkaCourier } from '../../src/sinks/kafka/courier/courier.ts';
import { kafkaCounters, kafkaDropReasons } from '../../src/sinks/kafka/names.ts';
import { KafkaPacketsSink } from '../../src/sinks/kafka/packets-sink.ts';
import type { KafkaSettings } from '../../src/sinks/kafka/settings.ts';
import { TestLanes } from '../support/batches.ts';
import { defaultKafka } from '../support/kafka/kafka-settings.ts';
import { NumberedFlows } from '../support/kafka/numbered-flows.ts';
import { judgeTopic } from '../support/kafka/numbered-topic.ts';
import { javaPartition, PARTITIONS } from '../support/kafka/partitions.ts';
import { sharedKafka } from '../support/kafka/shared.ts';
import { requiresKafka } from '../support/kafka/wanted.ts';
import { soaking } from '../support/scale.ts';
import { droppedOf, logInto, newCounters } from '../support/sink-context.ts';
import { withFolder } from '../support/tshark.ts';

const PACKETS = soaking ? 1_000_000 : 60_000;
const RING_BYTES = 33_554_432;
/** Packets that wait in the ring at most: it holds several times as many. */
const WAITING_MAX = 20_000;

const cases = (['platformatic', 'kafkajs'] as const).flatMap((client) =>
  (['frame', 'pcapng'] as const).map((encoding) => ({ client, encoding })),
);

test.skipIf(!requiresKafka()).each(cases)(
  '$client, $encoding: every packet that goes in comes out once, in its order and partition',
  { timeout: soaking ? 1_800_000 : 180_000 },
  ({ client, encoding }) =>
    withFolder(async (folder) => {
      const kafka = await sharedKafka();
      const topic = kafka.topicName(`million-${client}-${encoding}`);
      const flows = new NumberedFlows();
      const settings = defaultKafka({
        brokers: kafka.bootstrap.split(','),
        client,
        packets: { topic, encoding },
        flows: null,
        createTopics: { enabled: true, partitions: PARTITIONS, replication: 1 },
        onFull: 'drop',
        closeSeconds: 600,
      });
      const startMs = performance.now();
      const { sent, batches } = await sendAll(flows, settings, join(folder, 'spool'));
      const sentMs = performance.now();
      const { records, right, wrong, examples } = await judgeTopic(
        kafka.bootstrap,
        topic,
        flows,
        javaPartition,
      );
      const readMs = performance.now();
      expect({ wrong, examples }).toEqual({ wrong: {}, examples: [] });
      expect({ sent, right }).toEqual({ sent: PACKETS, right: PACKETS });
      if (encoding === 'frame') expect(records).toBe(PACKETS);
      else expect(records).toBeLessThan(PACKETS / 20);
      expect(batches).toBeGreaterThan(0);
      if (soaking) {
        const seconds = [sentMs - startMs, readMs - sentMs].map((ms) => (ms / 1000).toFixed(1));
        process.stderr.write(`${client} ${encoding}: ${records} records in ${batches} batches, `);
        process.stderr.write(`sent in ${seconds[0]} s, read in ${seconds[1]} s\n`);
      }
      await kafka.admin.deleteTopic(topic);
    }),
);

/** Puts all packets into a ring as a worker does, as fast as a courier takes them away, and waits until brokers have them. */
async function sendAll(
  flows: NumberedFlows,
  settings: KafkaSettings,
  spool: string,
): Promise<{ sent: number; batches: number }> {
  const channel = allocateChannel(RING_BYTES, 1e9);
  const [own, couriers] = [
    newCounters(kafkaDropReasons, kafkaCounters),
    newCounters(kafkaDropReasons, kafkaCounters),
  ];
  const lines: string[] = [];
  const courier = new KafkaCourier({
    sink: 'bus',
    settings: { ...settings, spool: { ...settings.spool, directory: spool } },
    worker: 0,
    workers: 1,
    isAgain: false,
    sources: [{ takes: 'packets', channel, counters: couriers }],
    observer: 'test',
    frames: new InnerFrameReader(),
    sha1Base64,
    log: logInto(lines),
    now: Date.now,
  });
  await courier.start();
  const sink = new KafkaPacketsSink({ channel, counters: own, lanes: new TestLanes(), now: Date.now });
  await sink.open();
  for (let number = 0; number < PACKETS; ) {
    const batch = flows.batch(number, PACKETS - number);
    await sink.write(batch);
    number += batch.deliveredCount;
    do await nextTurn();
    while (own.written - couriers.written > WAITING_MAX);
  }
  await sink.close();
  await courier.stop();
  expect({ own: droppedOf(own), couriers: droppedOf(couriers) }).toEqual({ own: {}, couriers: {} });
  expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
  expect(own.written).toBe(PACKETS);
  return { sent: couriers.written, batches: couriers.further('batches') };
}
