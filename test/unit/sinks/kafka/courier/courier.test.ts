import { expect, test } from 'vitest';
import {
  allocateChannel,
  CHANNEL_BLOCK_BYTES,
  type ChannelMemory,
} from '../../../../../src/pipeline/channel/channel-memory.ts';
import { ChannelWriter } from '../../../../../src/pipeline/channel/channel-writer.ts';
import { InnerFrameReader } from '../../../../../src/receive/frame-reader.ts';
import { KafkaCourier } from '../../../../../src/sinks/kafka/courier/courier.ts';
import { kafkaCounters, kafkaDropReasons } from '../../../../../src/sinks/kafka/names.ts';
import { KafkaPacketsSink } from '../../../../../src/sinks/kafka/packets-sink.ts';
import { batchOf, numberedFrame } from '../../../../support/batches.ts';
import { FakeClient } from '../../../../support/kafka/fake-client.ts';
import { defaultKafka } from '../../../../support/kafka/kafka-settings.ts';
import { logInto, newCounters, sinkContext } from '../../../../support/sink-context.ts';

const newChannel = (): ChannelMemory => allocateChannel(4 * CHANNEL_BLOCK_BYTES, 1e9);

test('a line that fails is told at once, although the other one goes on', async () => {
  const client = new FakeClient();
  client.topics.set('mirrortap.packets', { partitions: 3, maxMessageBytes: undefined });
  const frames = new InnerFrameReader();
  frames.read = () => {
    throw new RangeError('a fault of our own');
  };
  const channel = newChannel();
  const ofFlows = newChannel();
  const courier = new KafkaCourier({
    sink: 'bus',
    settings: { ...defaultKafka(), onFull: 'drop', lingerMs: 0 },
    worker: 0,
    isAgain: false,
    workers: 1,
    sources: [
      { takes: 'packets', channel, counters: newCounters(kafkaDropReasons, kafkaCounters) },
      { takes: 'flows', channel: ofFlows, counters: newCounters(kafkaDropReasons, kafkaCounters) },
    ],
    observer: 'tap-1',
    frames,
    sha1Base64: () => '',
    log: logInto([]),
    now: Date.now,
    makeClient: () => Promise.resolve(client),
  });
  await courier.start();
  const sink = new KafkaPacketsSink({ ...sinkContext(kafkaDropReasons, 0, kafkaCounters), channel });
  await sink.write(batchOf([{ frame: numberedFrame(1, 60) }]));
  await sink.flush();
  await expect(courier.done).rejects.toThrow('a fault of our own');
  new ChannelWriter(ofFlows).close();
  await expect(courier.stop()).rejects.toThrow('a fault of our own');
  expect(client.closed).toBe(true);
});
