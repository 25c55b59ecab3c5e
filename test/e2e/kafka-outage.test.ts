import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause, type RunningReceive } from '../support/appliance.ts';
import { flowLines } from '../support/flow-lines.ts';
import { KafkaBroker } from '../support/kafka/broker.ts';
import { clientNames } from '../support/kafka/clients.ts';
import { KafkaCluster } from '../support/kafka/cluster.ts';
import {
  eventually,
  expectReceived,
  expectSink,
  metric,
  numbersInSpool,
  rowOf,
  startWithBus,
  untilAllSent,
} from '../support/kafka/faulty-run.ts';
import { readTopic } from '../support/kafka/kcat.ts';
import { NumberedLoad } from '../support/kafka/numbered-load.ts';
import { KafkaProxy, PRODUCE } from '../support/kafka/proxy.ts';
import { requiresOwnKafka } from '../support/kafka/wanted.ts';
import { type Way, ways } from '../support/kafka/ways.ts';
import { soaking } from '../support/scale.ts';
import { withFolder } from '../support/tshark.ts';

const RATE = soaking ? 20_000 : 5000;
const OUTAGE_MS = soaking ? 60_000 : 6000;
const INNER_BYTES = soaking ? 200 : 600;
const BEFORE_MS = 1500;
const BROKER_TIMEOUT_MS = 360_000;
const TIMEOUT_MS = soaking ? 1_800_000 : 300_000;
/** In the long run the sink is as it is by default. */
const QUEUE = { bytes: 8_388_608 };
const PATIENCE = soaking ? { retryMaxMs: 10_000, requestTimeoutMs: 30_000 } : {};
const LIMIT_SECONDS = soaking ? 900 : 120;

/** Names of topics that no other test has. */
function topics(): { packets: { topic: string }; flows: { topic: string } } {
  const id = randomBytes(4).toString('hex');
  return { packets: { topic: `packets-${id}` }, flows: { topic: `flows-${id}` } };
}

interface Outage extends Partial<Way> {
  readonly bootstrap: () => string;
  readonly bus?: Record<string, unknown>;
  readonly rate?: number;
  /** Begins what brokers do to the sink and ends it. */
  readonly happen: (receive: RunningReceive) => Promise<void>;
}

/** Sends through an outage, and says of what arrived that it is everything, once, and in order. */
async function expectAllThrough({
  bootstrap,
  client = 'platformatic',
  encoding = 'frame',
  bus,
  rate = RATE,
  happen,
}: Outage): Promise<void> {
  await withFolder(async (folder) => {
    const names = topics();
    const brokers = bootstrap().split(',');
    const packets = { ...names.packets, encoding };
    const settings = { brokers, ...names, client, packets, queue: QUEUE, ...PATIENCE, ...bus };
    const receive = await startWithBus(folder, settings, 'workers=2', 'analysis.flows.activeSeconds=3');
    await using load = new NumberedLoad(INNER_BYTES);
    await load.start(receive.vxlanPort, rate);
    await eventually(
      'the brokers have packets',
      async () => (await metric(receive, 'sink_written_packets_total', 'sink="bus"')) > 0,
    );
    await pause(BEFORE_MS);
    await happen(receive);
    await pause(BEFORE_MS);
    await load.stop();
    await untilAllSent(receive, LIMIT_SECONDS);
    const { finished, report } = await receive.end();
    expect({ status: finished.status, log: receive.logged() }).toMatchObject({ status: 0 });

    expectReceived(report, load.sent);
    if (soaking) expect(report.ledger.dropped.kernel).toBe(0);
    const { received } = report.ledger;
    expectSink(report, 'bus', { delivered: received, written: received });
    expectSink(report, 'captures', { delivered: received, written: received });
    const { delivered } = rowOf(report, 'bus.flows');
    expectSink(report, 'bus.flows', { delivered, written: delivered });
    expect(rowOf(report, 'bus').counters).toMatchObject({ spoolRecords: 0, spoolBytes: 0 });
    expect((await numbersInSpool(folder)).size).toBe(0);

    const { times: _, ...arrived } = await load.arrivedIn(bootstrap(), names.packets.topic);
    const all = { records: received, distinct: received, disordered: 0, damaged: 0 };
    expect(arrived).toEqual(all);
    const flows = await flowsIn(bootstrap(), names.flows.topic);
    expect(flows).toEqual({ records: delivered, distinct: delivered, packets: received });
  });
}

/** Flow records of a topic, how many different ones, and packets that they count. */
async function flowsIn(
  bootstrap: string,
  topic: string,
): Promise<{ records: number; distinct: number; packets: number }> {
  const records = await readTopic({ bootstrap }, topic);
  const flows = flowLines(records.map(({ value }) => `${String(value)}\n`).join(''));
  const names = new Set(flows.map(({ mirrortap }) => `${mirrortap.flow_id} ${mirrortap.sequence}`));
  const packets = flows.reduce((sum, { network }) => sum + network.packets, 0);
  return { records: flows.length, distinct: names.size, packets };
}

/** Waits as long as brokers are to be away; until packets are in the spool at least. */
async function outage(receive: RunningReceive): Promise<void> {
  await pause(OUTAGE_MS);
  await eventually(
    'packets wait in the spool',
    async () => (await metric(receive, 'kafka_spool_records')) > 0,
  );
}

describe.skipIf(!requiresOwnKafka())('one broker', { timeout: TIMEOUT_MS }, () => {
  let proxy: KafkaProxy;
  let broker: KafkaBroker;
  beforeAll(async () => {
    proxy = await KafkaProxy.start();
    broker = await KafkaBroker.start({ proxyPort: proxy.port });
    proxy.leadsTo(broker.port('PROXIED'));
  }, BROKER_TIMEOUT_MS);
  afterAll(async () => {
    await broker?.discard();
    await proxy?.close();
  });
  const bootstrap = (): string => broker.bootstrap;

  test.each(ways)(
    'a broker that is stopped and comes back has everything, once and in order ($client, $encoding)',
    (way) =>
      expectAllThrough({
        ...way,
        bootstrap,
        happen: async (receive) => {
          await broker.stop();
          await outage(receive);
          expect((await fetch(`${receive.url}/readyz`)).status).toBe(200);
          await broker.start();
        },
      }),
  );

  test.each(soaking ? ways : ways.slice(0, 1))(
    'a broker that accepts and does not answer, and then does, has everything, once and in order ($client, $encoding)',
    (way) =>
      expectAllThrough({
        ...way,
        bootstrap,
        happen: async (receive) => {
          broker.suspend();
          await outage(receive);
          broker.resume();
        },
      }),
  );

  test.each(soaking ? ways : ways.slice(0, 1))(
    'records whose answer was lost are there once ($client, $encoding)',
    (way) =>
      expectAllThrough({
        ...way,
        bootstrap: () => proxy.bootstrap,
        happen: async (receive) => {
          const before = proxy.lostAnswers;
          const endMs = performance.now() + OUTAGE_MS;
          while (performance.now() < endMs) {
            proxy.loseAnswers(PRODUCE, 2);
            await pause(500);
          }
          proxy.loseAnswers(PRODUCE, 0);
          expect(proxy.lostAnswers).toBeGreaterThan(before + 3);
          // librdkafka sends again by itself, and does not say so
          if (way.client !== 'librdkafka')
            expect(await metric(receive, 'kafka_resent_batches_total')).toBeGreaterThan(3);
        },
      }),
  );
});

describe.skipIf(!requiresOwnKafka())('three brokers', { timeout: TIMEOUT_MS }, () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await KafkaCluster.start();
  }, BROKER_TIMEOUT_MS);
  afterAll(async () => {
    await cluster?.discard();
  });

  const clients = soaking ? clientNames : (['platformatic', 'kafkajs'] as const);
  test.each(clients)('restarted one by one, they have everything (%s)', (client) =>
    expectAllThrough({
      client,
      bootstrap: () => cluster.bootstrap,
      bus: { createTopics: { enabled: true, partitions: 4, replication: 3 } },
      rate: soaking ? RATE : 2000,
      happen: () => cluster.restartOneByOne(),
    }),
  );
});
