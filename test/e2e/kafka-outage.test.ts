import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause, type RunningReceive } from '../support/appliance.ts';
import { KafkaBroker } from '../support/kafka/broker.ts';
import { KafkaCluster } from '../support/kafka/cluster.ts';
import {
  eventually,
  expectReceived,
  metric,
  numbersInSpool,
  rowOf,
  startWithBus,
  untilAllSent,
} from '../support/kafka/faulty-run.ts';
import { NumberedLoad } from '../support/kafka/numbered-load.ts';
import { KafkaProxy, PRODUCE } from '../support/kafka/proxy.ts';
import { requiresOwnKafka } from '../support/kafka/wanted.ts';
import { soaking } from '../support/scale.ts';
import { withFolder } from '../support/tshark.ts';

const RATE = soaking ? 20_000 : 5000;
const OUTAGE_MS = soaking ? 60_000 : 8000;
const INNER_BYTES = soaking ? 200 : 600;
const BEFORE_MS = 1500;
const BROKER_TIMEOUT_MS = 360_000;
const TIMEOUT_MS = soaking ? 1_800_000 : 180_000;
/** In the long run the sink is as it is by default. */
const PATIENCE = soaking ? { retryMaxMs: 10_000, requestTimeoutMs: 30_000 } : {};
const LIMIT_SECONDS = soaking ? 900 : 120;

/** Names of topics that no other test has. */
function topics(): { packets: { topic: string }; flows: { topic: string } } {
  const id = randomBytes(4).toString('hex');
  return { packets: { topic: `packets-${id}` }, flows: { topic: `flows-${id}` } };
}

interface Outage {
  readonly bootstrap: () => string;
  readonly bus?: Record<string, unknown>;
  /** Begins what brokers do to the sink and ends it. */
  readonly happen: (receive: RunningReceive) => Promise<void>;
}

/** Sends through an outage, and says of what arrived that it is everything, once, and in order. */
async function expectAllThrough({ bootstrap, bus, happen }: Outage): Promise<void> {
  await withFolder(async (folder) => {
    const names = topics();
    const brokers = bootstrap().split(',');
    const settings = { brokers, ...names, ...PATIENCE, ...bus };
    const receive = await startWithBus(folder, settings, 'workers=2', 'analysis.flows.activeSeconds=3');
    await using load = new NumberedLoad(INNER_BYTES);
    await load.start(receive.vxlanPort, RATE);
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
    expect(rowOf(report, 'bus')).toMatchObject({ delivered: received, written: received, dropped: {} });
    expect(rowOf(report, 'captures')).toMatchObject({ written: received, dropped: {} });
    const flows = rowOf(report, 'bus.flows');
    expect(flows).toMatchObject({ written: flows.delivered, dropped: {}, pending: 0 });
    expect(rowOf(report, 'bus').counters).toMatchObject({ spoolRecords: 0, spoolBytes: 0 });
    expect((await numbersInSpool(folder)).size).toBe(0);

    const { times: _, ...arrived } = await load.arrivedIn(bootstrap(), names.packets.topic);
    const all = { records: received, distinct: received, disordered: 0, damaged: 0 };
    expect(arrived).toEqual(all);
  });
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

  test('a broker that is stopped and comes back has everything, once and in order', () =>
    expectAllThrough({
      bootstrap,
      happen: async (receive) => {
        await broker.stop();
        await outage(receive);
        expect((await fetch(`${receive.url}/readyz`)).status).toBe(200);
        await broker.start();
      },
    }));

  test('a broker that accepts and does not answer, and then does, has everything, once and in order', () =>
    expectAllThrough({
      bootstrap,
      happen: async (receive) => {
        broker.suspend();
        await outage(receive);
        broker.resume();
      },
    }));

  test('records whose answer was lost are there once', () =>
    expectAllThrough({
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
        expect(await metric(receive, 'kafka_resent_batches_total')).toBeGreaterThan(3);
      },
    }));
});

describe.skipIf(!requiresOwnKafka())('three brokers', { timeout: TIMEOUT_MS }, () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await KafkaCluster.start();
  }, BROKER_TIMEOUT_MS);
  afterAll(async () => {
    await cluster?.discard();
  });

  test.each(['platformatic', 'kafkajs'])('restarted one by one, they have everything (%s)', (client) =>
    expectAllThrough({
      bootstrap: () => cluster.bootstrap,
      bus: { client, createTopics: { enabled: true, partitions: 4, replication: 3 } },
      happen: () => cluster.restartOneByOne(),
    }),
  );
});
