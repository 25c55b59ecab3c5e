import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freeUdpPort, pause } from '../support/appliance.ts';
import { KafkaBroker } from '../support/kafka/broker.ts';
import { type Breakage, BrokenBroker } from '../support/kafka/broken-brokers.ts';
import { clientNames } from '../support/kafka/clients.ts';
import {
  eventually,
  expectReceived,
  expectSink,
  metric,
  numbersInSpool,
  residentBytes,
  rowOf,
  spoolIn,
  startWithBus,
  startWithSinks,
  untilAllSent,
} from '../support/kafka/faulty-run.ts';
import { NumberedLoad } from '../support/kafka/numbered-load.ts';
import { freePorts } from '../support/kafka/ports.ts';
import { requiresOwnKafka } from '../support/kafka/wanted.ts';
import { ways } from '../support/kafka/ways.ts';
import { soaking } from '../support/scale.ts';
import { withFolder } from '../support/tshark.ts';

const RATE = soaking ? 20_000 : 5000;
const INNER_BYTES = 1000;
const BROKER_TIMEOUT_MS = 360_000;
const TIMEOUT_MS = soaking ? 1_800_000 : 300_000;
const KILLS = soaking ? 20 : 5;
/** How long the full spool is looked at. */
const FULL_MS = soaking ? 60_000 : 4000;
const GROWTH_MAX_BYTES = 64 * 1024 * 1024;
const CLOSE_SECONDS = 3;
/** What a stop takes besides, on a machine that is busy with others. */
const STOP_EXTRA_MS = 12_000;

function names(): { packets: { topic: string }; flows: { topic: string } } {
  const id = randomBytes(4).toString('hex');
  return { packets: { topic: `packets-${id}` }, flows: { topic: `flows-${id}` } };
}

describe.skipIf(!requiresOwnKafka())('brokers that go', { timeout: TIMEOUT_MS }, () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await KafkaBroker.start({ authorizer: true });
  }, BROKER_TIMEOUT_MS);
  afterAll(() => broker?.discard());

  test('a spool that is full: drops are counted, readiness says so, memory stays, and what was kept arrives', () =>
    withFolder(async (folder) => {
      const { packets } = names();
      const bus = { brokers: [broker.bootstrap], packets, flows: null, spool: { maxBytes: 16_777_216 } };
      const receive = await startWithBus(folder, bus, 'workers=1');
      await using load = new NumberedLoad(INNER_BYTES);
      await load.start(receive.vxlanPort, RATE);
      await eventually(
        'the brokers have packets',
        async () => (await metric(receive, 'sink_written_packets_total', 'sink="bus"')) > 0,
      );
      await broker.kill();
      const dropped = (): Promise<number> =>
        metric(receive, 'sink_dropped_packets_total', 'sink="bus",reason="spoolFull"');
      await eventually('the spool is full', async () => (await dropped()) > 0);

      const [pid, atFirst] = [receive.child.pid ?? 0, await dropped()];
      const sizes: number[] = [];
      for (const endMs = performance.now() + FULL_MS; performance.now() < endMs; await pause(100))
        sizes.push(residentBytes(pid));
      const half = sizes.length >> 1;
      const growth = Math.max(...sizes.slice(half)) - Math.max(...sizes.slice(0, half));
      expect(growth).toBeLessThan(GROWTH_MAX_BYTES);
      expect(await dropped()).toBeGreaterThan(atFirst);
      const ready = await fetch(`${receive.url}/readyz`);
      expect([ready.status, await ready.json()]).toMatchObject([
        200,
        { status: 'degraded', reasons: [{ code: 'SINK_FAILING', sink: 'bus' }] },
      ]);
      expect(await metric(receive, 'sink_up', 'sink="bus"')).toBe(0);

      await broker.start();
      await eventually('packets are taken again', async () => {
        const { status } = (await (await fetch(`${receive.url}/readyz`)).json()) as { status: string };
        return status === 'ready';
      });
      await load.stop();
      await untilAllSent(receive);
      const { finished, report } = await receive.end();
      expect(finished.status).toBe(0);
      expectReceived(report, load.sent);
      const { received } = report.ledger;
      const { written, dropped: lost } = rowOf(report, 'bus');
      // while it is not known yet that the spool is full, and while it takes some again, it is the queue that is
      const { spoolFull = 0, queueFull = 0, ...others } = lost;
      expect({ others, lost: spoolFull + queueFull }).toEqual({ others: {}, lost: received - written });
      expectSink(report, 'captures', { delivered: received, written: received });
      const { times: _, ...arrived } = await load.arrivedIn(broker.bootstrap, packets.topic);
      expect(arrived).toEqual({ records: written, distinct: written, disordered: 0, damaged: 0 });
    }));

  const killing = `killed ${KILLS} times: what was in the spool arrives, and nothing else comes twice`;
  test.each(soaking ? ways : ways.slice(0, 1))(`${killing} ($client, $encoding)`, ({ client, encoding }) =>
    withFolder(async (folder) => {
      const { packets, flows } = names();
      const brokers = [broker.bootstrap];
      const bus = { client, brokers, packets: { ...packets, encoding }, flows, retryMaxMs: 500 };
      const vxlanPort = await freeUdpPort();
      const start = () => startWithBus(folder, bus, 'workers=2', { vxlanPort });
      await using load = new NumberedLoad(INNER_BYTES);
      await load.start(vxlanPort, RATE);
      /** Numbers that were in the spool when the appliance was killed: they must arrive, and may more than once. */
      const spooled = new Set<number>();
      let fullSpools = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const receive = await start();
        const isAway = kill % 2 === 0;
        if (isAway) broker.suspend();
        await pause(randomInt(500, soaking ? 4000 : 2500));
        // some are killed while the spool is being sent
        if (isAway && kill % 4 === 0) {
          broker.resume();
          await pause(randomInt(0, 1500));
        }
        receive.child.kill('SIGKILL');
        await receive.finished;
        const found = await numbersInSpool(folder);
        if (found.size > 0) fullSpools++;
        for (const number of found) spooled.add(number);
        broker.resume();
      }
      const receive = await start();
      await pause(1000);
      await load.stop();
      await untilAllSent(receive);
      const { finished, report } = await receive.end();
      expect(finished.status).toBe(0);
      expect(rowOf(report, 'bus').pending).toBe(0);
      expect(fullSpools).toBeGreaterThan(0);

      const { times, distinct, disordered, damaged } = await load.arrivedIn(broker.bootstrap, packets.topic);
      expect({ disordered, damaged }).toEqual({ disordered: 0, damaged: 0 });
      expect([...spooled].filter((number) => times[number] === 0)).toEqual([]);
      const repeated = [...times.keys()].filter((number) => times[number]! > 1);
      expect(repeated.filter((number) => !spooled.has(number))).toEqual([]);
      expect(distinct).toBeGreaterThan(spooled.size);
    }),
  );

  test('a stop while brokers are away leaves the rest in the spool; the next start, with fewer workers, sends it', () =>
    withFolder(async (folder) => {
      const { packets, flows } = names();
      const queue = { bytes: 33_554_432 };
      const bus = { brokers: [broker.bootstrap], packets, flows, queue, closeSeconds: CLOSE_SECONDS };
      const first = await startWithBus(folder, bus, 'workers=3');
      await using load = new NumberedLoad(INNER_BYTES);
      await load.start(first.vxlanPort, RATE);
      await eventually(
        'the brokers have packets',
        async () => (await metric(first, 'sink_written_packets_total', 'sink="bus"')) > 0,
      );
      // a record whose answer the stop of the brokers cuts off would come twice, as the docs say
      await load.stop();
      await untilAllSent(first);
      await broker.stop();
      await load.start(first.vxlanPort, RATE);
      await pause(3000);
      await load.stop();
      const stopMs = performance.now();
      const { finished, report } = await first.end();
      expect(performance.now() - stopMs).toBeLessThan(CLOSE_SECONDS * 1000 + STOP_EXTRA_MS);
      expect(finished.status).toBe(0);
      expectReceived(report, load.sent);
      const { received } = report.ledger;
      const row = rowOf(report, 'bus');
      expectSink(report, 'bus', { delivered: received, written: row.written });
      const left = await numbersInSpool(folder);
      expect(left.size).toBe(received - row.written);
      expect(left.size).toBeGreaterThan(RATE);
      expect(readdirSync(join(spoolIn(folder), 'bus'))).toContain('w2-packets');

      await broker.start();
      const next = await startWithBus(folder, { ...bus, closeSeconds: 60 }, 'workers=1');
      await untilAllSent(next);
      const { report: second } = await next.end();
      expect(rowOf(second, 'bus')).toMatchObject({
        delivered: left.size,
        written: left.size,
        counters: { recovered: left.size },
      });
      expect(readdirSync(join(spoolIn(folder), 'bus')).toSorted()).toEqual(['w0-flows', 'w0-packets']);
      const { times: _, ...arrived } = await load.arrivedIn(broker.bootstrap, packets.topic);
      expect(arrived).toEqual({ records: received, distinct: received, disordered: 0, damaged: 0 });
    }));

  describe('topics that refuse', () => {
    test('what is larger than the topic takes is dropped and counted, its neighbours arrive', () =>
      withFolder(async (folder) => {
        const { packets, flows } = names();
        await broker.admin.createTopic(packets.topic, 2, { 'max.message.bytes': '4000' });
        const bus = { brokers: [broker.bootstrap], packets, flows, batchBytes: 100_000 };
        const receive = await startWithBus(folder, bus, 'workers=1');
        await using small = new NumberedLoad(300);
        await using large = new NumberedLoad(6000);
        await Promise.all([small.start(receive.vxlanPort, 500), large.start(receive.vxlanPort, 20)]);
        await pause(2000);
        await Promise.all([small.stop(), large.stop()]);
        await untilAllSent(receive);
        const { finished, report } = await receive.end();
        expect(finished.status).toBe(0);
        expectReceived(report, small.sent + large.sent);
        const delivered = small.sent + large.sent;
        expectSink(report, 'bus', { delivered, written: small.sent, dropped: { tooLarge: large.sent } });
        const flowRow = rowOf(report, 'bus.flows');
        expect(flowRow.written).toBe(flowRow.delivered);
        expect(receive.logged()).toContain('The topic takes smaller batches than batchBytes');
        expect(receive.logged()).toMatch(
          new RegExp(`Kafka refused records.*KAFKA_REFUSED.*${packets.topic}.*tooLarge`),
        );
        const { times: _, ...arrived } = await small.arrivedIn(broker.bootstrap, packets.topic);
        expect(arrived).toEqual({
          records: small.sent,
          distinct: small.sent,
          disordered: 0,
          damaged: 0,
        });
      }));

    test.each(['notAuthorised', 'noTopic'])(
      '%s: packets wait, with topic and reason in the log; flow records go on',
      (reason) =>
        withFolder(async (folder) => {
          const { packets, flows } = names();
          await broker.admin.createTopic(flows.topic, 2);
          if (reason === 'notAuthorised') {
            await broker.admin.createTopic(packets.topic, 2);
            await broker.admin.deny(packets.topic, 'write');
          }
          const bus = {
            brokers: [broker.bootstrap],
            packets,
            flows,
            createTopics: { enabled: false },
            closeSeconds: CLOSE_SECONDS,
          };
          const receive = await startWithBus(folder, bus, 'workers=1', 'analysis.flows.activeSeconds=1');
          await using load = new NumberedLoad(300);
          await load.start(receive.vxlanPort, 500);
          await eventually(
            'flow records are sent and the log says why packets are not',
            async () =>
              (await metric(receive, 'sink_written_packets_total', 'sink="bus.flows"')) > 0 &&
              new RegExp(`KAFKA_UNAVAILABLE.*${packets.topic}.*${reason}`).test(receive.logged()),
          );
          await load.stop();
          const { finished, report } = await receive.end();
          expect(finished.status).toBe(0);
          expectReceived(report, load.sent);
          expectSink(report, 'bus', { delivered: load.sent, written: 0 });
          expect((await numbersInSpool(folder)).size).toBe(load.sent);
          expectSink(report, 'captures', { delivered: load.sent, written: load.sent });
          const { delivered } = rowOf(report, 'bus.flows');
          expectSink(report, 'bus.flows', { delivered, written: delivered });
        }),
    );
  });
});

test.each(soaking ? clientNames : clientNames.filter((client) => client !== 'kafkajs'))(
  'sinks whose brokers are none: the appliance starts, receives, says so, tries seldom, and stops (%s)',
  (client) =>
    withFolder(async (folder) => {
      const unlike = /^(?:garbage|timeout|unreachable)$/;
      const expected: Readonly<Record<Breakage, RegExp>> = {
        silent: /^timeout$/,
        garbage: unlike,
        huge: unlike,
        negative: unlike,
        'wrong-answer': unlike,
        closing: /^unreachable$/,
        'hanging-up': /^unreachable$/,
      };
      const kinds = Object.keys(expected) as Breakage[];
      const servers = await Promise.all(kinds.map((kind) => BrokenBroker.start(kind)));
      const settings = {
        client,
        packets: { topic: 'packets' },
        flows: null,
        requestTimeoutMs: 1000,
        closeSeconds: 1,
      };
      const sinks = servers.map(({ bootstrap }, index) => {
        return [kinds[index]!, { ...settings, brokers: [bootstrap] }] as const;
      });
      const [nobody = 0] = await freePorts(1);
      const all = { ...Object.fromEntries(sinks), nobody: { ...settings, brokers: [`127.0.0.1:${nobody}`] } };
      const receive = await startWithSinks(folder, all, 'workers=1');
      await using load = new NumberedLoad(300);
      await load.start(receive.vxlanPort, 1000);
      const complaints = (): Map<string, Complaint> => complaintsIn(receive.logged());
      await eventually('each sink has said it', () => complaints().size === kinds.length + 1);
      await pause(3000);
      await load.stop();
      expect(await (await fetch(`${receive.url}/readyz`)).json()).toMatchObject({ status: 'ready' });
      expect(await metric(receive, 'kafka_connected_workers')).toBe(0);
      const stopMs = performance.now();
      const { finished, report } = await receive.end();
      expect(performance.now() - stopMs).toBeLessThan(1000 + STOP_EXTRA_MS);
      expect(finished.status).toBe(0);
      expectReceived(report, load.sent);
      const { received } = report.ledger;
      expectSink(report, 'captures', { delivered: received, written: received });

      for (const [index, kind] of kinds.entries()) {
        const { bootstrap, connections } = servers[index]!;
        expect({ kind, ...complaints().get(kind) }).toMatchObject({
          kind,
          broker: bootstrap,
          reason: expect.stringMatching(expected[kind]) as string,
        });
        // 100 ms, 200 ms, 400 ms, 800 ms, then once a second
        expect(connections).toBeGreaterThan(1);
        expect(connections).toBeLessThan(60);
      }
      expect(complaints().get('nobody')).toEqual({ broker: `127.0.0.1:${nobody}`, reason: 'unreachable' });
      for (const name of [...kinds, 'nobody']) {
        expectSink(report, name, { delivered: received, written: 0 });
        expect((await numbersInSpool(folder, name)).size).toBe(received);
      }
      await Promise.all(servers.map((server) => server.close()));
    }),
  TIMEOUT_MS,
);

interface Complaint {
  readonly broker: string | undefined;
  readonly reason: string;
}

/** The first KAFKA_UNAVAILABLE of each sink. */
function complaintsIn(log: string): Map<string, Complaint> {
  const found = new Map<string, Complaint>();
  for (const line of log.split('\n').filter((one) => one.includes('"KAFKA_UNAVAILABLE"'))) {
    const { sink, error } = JSON.parse(line) as { sink: string; error: { context: Complaint } };
    const { broker, reason } = error.context;
    if (!found.has(sink)) found.set(sink, { broker, reason });
  }
  return found;
}
