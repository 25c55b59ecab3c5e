import { expect, test, vi } from 'vitest';
import {
  allocateChannel,
  CHANNEL_BLOCK_BYTES,
  type ChannelMemory,
} from '../../../../../src/pipeline/channel/channel-memory.ts';
import { ChannelWriter } from '../../../../../src/pipeline/channel/channel-writer.ts';
import { SinkCounters } from '../../../../../src/pipeline/sink-counters.ts';
import { InnerFrameReader } from '../../../../../src/receive/inner-frame-reader.ts';
import { setRight } from '../../../../../src/sinks/kafka/courier/after-death.ts';
import {
  type CourierOptions,
  type CourierSource,
  KafkaCourier,
} from '../../../../../src/sinks/kafka/courier/courier.ts';
import { kafkaCounters, kafkaDropReasons } from '../../../../../src/sinks/kafka/names.ts';
import { KafkaPacketsSink } from '../../../../../src/sinks/kafka/packets-sink.ts';
import type { KafkaSettings } from '../../../../../src/sinks/kafka/settings.ts';
import { batchOf, numberedFrame } from '../../../../support/batches.ts';
import { FakeClient } from '../../../../support/kafka/fake-client.ts';
import { defaultKafka } from '../../../../support/kafka/kafka-settings.ts';
import { droppedOf, logInto, sinkContext } from '../../../../support/sink-context.ts';
import { withFolder } from '../../../../support/tshark.ts';

const newChannel = (): ChannelMemory => allocateChannel(4 * CHANNEL_BLOCK_BYTES, 1e9);
const newRow = (): Float64Array => new Float64Array(SinkCounters.length(kafkaDropReasons, kafkaCounters));
const countersIn = (row: Float64Array): SinkCounters =>
  new SinkCounters(row, kafkaDropReasons, kafkaCounters);

/** A courier of worker 0, before brokers in memory. */
function newCourier(
  client: FakeClient,
  sources: readonly CourierSource[],
  changed: Partial<Pick<CourierOptions, 'isAgain' | 'frames' | 'worker' | 'workers'>> & {
    readonly settings?: Partial<KafkaSettings>;
  } = {},
): KafkaCourier {
  client.topics.set('mirrortap.packets', { partitions: 3, maxMessageBytes: undefined });
  return new KafkaCourier({
    sink: 'bus',
    worker: 0,
    isAgain: false,
    workers: 1,
    sources,
    observer: 'tap-1',
    frames: new InnerFrameReader(),
    sha1Base64: () => '',
    log: logInto([]),
    now: Date.now,
    makeClient: () => Promise.resolve(client),
    ...changed,
    settings: { ...defaultKafka(), lingerMs: 0, ...changed.settings },
  });
}

const framesFrom = (first: number, count: number): ReturnType<typeof batchOf> =>
  batchOf(Array.from({ length: count }, (_, index) => ({ frame: numberedFrame(first + index, 200) })));

test('a line that fails is told at once, although the other one goes on', async () => {
  const client = new FakeClient();
  const frames = new InnerFrameReader();
  frames.read = () => {
    throw new RangeError('a fault of our own');
  };
  const channel = newChannel();
  const ofFlows = newChannel();
  const courier = newCourier(
    client,
    [
      { takes: 'packets', channel, counters: countersIn(newRow()) },
      { takes: 'flows', channel: ofFlows, counters: countersIn(newRow()) },
    ],
    { frames, settings: { onFull: 'drop' } },
  );
  await courier.start();
  const sink = new KafkaPacketsSink({ ...sinkContext(kafkaDropReasons, 0, kafkaCounters), channel });
  await sink.write(framesFrom(0, 1));
  await sink.flush();
  await expect(courier.done).rejects.toThrow('a fault of our own');
  new ChannelWriter(ofFlows).close();
  await expect(courier.stop()).rejects.toThrow('a fault of our own');
  expect(client.closed).toBe(true);
});

test.each([
  ['a spool', 'spool'],
  ['no spool', 'drop'],
] as const)('the ledger adds up after a courier has died, with %s', (_, onFull) =>
  withFolder(async (directory) => {
    const client = new FakeClient();
    const channel = newChannel();
    const rows = [newRow(), newRow()] as const;
    const sources = [{ takes: 'packets', channel, counters: countersIn(rows[1]) }] as const;
    const settings = { onFull, batchBytes: 16_384, spool: { ...defaultKafka().spool, directory } };
    const first = newCourier(client, sources, { settings });
    await first.start();
    const counters = countersIn(rows[0]);
    const sink = new KafkaPacketsSink({
      ...sinkContext(kafkaDropReasons, 0, kafkaCounters),
      channel,
      counters,
    });
    client.sendBatch = (batches) => {
      if (++client.rounds > 2) throw new RangeError('it dies');
      return Promise.resolve(batches.map(() => ({ kind: 'delivered' })));
    };
    // it is noticed when the next portion comes
    for (const frames of [framesFrom(0, 1000), framesFrom(1000, 10)]) {
      counters.addDelivered(frames.deliveredCount);
      await sink.write(frames);
      await sink.flush();
      await vi.waitUntil(() => client.rounds > 2);
    }
    await expect(first.done).rejects.toThrow('it dies');
    await expect(first.stop()).rejects.toThrow('it dies');
    const written = countersIn(rows[1]).written;
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(1000);

    const second = newCourier(new FakeClient(), sources, { settings, isAgain: true });
    await second.start();
    await sink.close();
    await second.stop();
    const ledger = SinkCounters.ofTwo(...rows, kafkaDropReasons, kafkaCounters);
    expect(ledger.written).toBe(1010 + written);
    expect([ledger.delivered, ledger.pending]).toEqual([ledger.written, 0]);
  }),
);

test('a broker that is silent does not keep a stop waiting: what it was sent goes to the spool', () =>
  withFolder(async (directory) => {
    const client = new FakeClient();
    const asked: (() => void)[] = [];
    client.sendBatch = (batches) =>
      new Promise((resolve) => {
        const failure = { reason: 'unreachable', message: 'the client was closed' } as const;
        asked.push(() => resolve(batches.map(() => ({ kind: 'retry', failure }))));
      });
    client.close = async () => {
      for (const settle of asked) settle();
    };
    const [channel, row] = [newChannel(), newRow()];
    const sources = [{ takes: 'packets', channel, counters: countersIn(row) }] as const;
    const settings = { closeSeconds: 0, spool: { ...defaultKafka().spool, directory } };
    const courier = newCourier(client, sources, { settings });
    await courier.start();
    const sink = new KafkaPacketsSink({ ...sinkContext(kafkaDropReasons, 0, kafkaCounters), channel });
    await sink.write(framesFrom(0, 100));
    await sink.close();
    await vi.waitUntil(() => asked.length > 0);
    await courier.stop();
    expect([countersIn(row).written, droppedOf(countersIn(row))]).toEqual([0, {}]);

    const again = [{ takes: 'packets', channel: newChannel(), counters: countersIn(newRow()) }] as const;
    new ChannelWriter(again[0].channel).close();
    const next = newCourier(new FakeClient(), again, { settings: { ...settings, closeSeconds: 60 } });
    await next.start();
    await next.stop();
    expect(again[0].counters.written).toBe(100);
  }));

test('what workers have left that are no more is sent first, one spool after the other', () =>
  withFolder(async (directory) => {
    const settings = { closeSeconds: 0, spool: { ...defaultKafka().spool, directory } };
    const fill = async (worker: number): Promise<void> => {
      const [away, channel] = [new FakeClient(), newChannel()];
      away.isUp = false;
      const sources = [{ takes: 'packets', channel, counters: countersIn(newRow()) }] as const;
      const courier = newCourier(away, sources, { worker, workers: 3, settings });
      await courier.start();
      const sink = new KafkaPacketsSink({ ...sinkContext(kafkaDropReasons, 0, kafkaCounters), channel });
      await sink.write(framesFrom(worker * 100, 100));
      await sink.close();
      await courier.stop();
    };
    for (const worker of [0, 1, 2]) await fill(worker);

    const client = new FakeClient();
    client.latencyMs = 20;
    const [underWay, order, send] = [new Set<string>(), [] as number[], client.sendBatch.bind(client)];
    let together = 0;
    client.sendBatch = async (batches) => {
      const names = batches.map(({ topic, partition }) => `${topic} ${partition}`);
      if (names.some((name) => underWay.has(name))) together++;
      names.forEach((name) => underWay.add(name));
      const outcomes = await send(batches);
      names.forEach((name) => underWay.delete(name));
      order.push(Math.floor(batches[0]!.records[0]!.value.readUInt32BE(0) / 100));
      return outcomes;
    };
    const [channel, row] = [newChannel(), newRow()];
    new ChannelWriter(channel).close();
    const sources = [{ takes: 'packets', channel, counters: countersIn(row) }] as const;
    const courier = newCourier(client, sources, { settings: { ...settings, closeSeconds: 60 } });
    await courier.start();
    await courier.stop();
    expect([countersIn(row).written, together]).toEqual([300, 0]);
    expect(order.at(-1)).toBe(0);
    expect(order.slice(0, -1).toSorted()).toEqual([1, 2]);
  }));

test.each([
  ['nothing was under way', { written: 90, spooled: 10, givenBack: 100 }, [0, {}]],
  ['part of it was written', { written: 95, spooled: 10, givenBack: 100 }, [5, {}]],
  ['part of the spool is gone', { written: 90, spooled: 3, givenBack: 100 }, [0, { damaged: 7 }]],
  [
    'so much was given back that it began again',
    { written: 2 ** 32 + 95, spooled: 10, givenBack: 100 },
    [5, {}],
  ],
])('%s', (_, { written, spooled, givenBack }, expected) => {
  const counters = countersIn(newRow());
  counters.addWritten(written);
  setRight(counters, [undefined, { spooled, givenBack }]);
  expect([counters.delivered, droppedOf(counters)]).toEqual(expected);
});
