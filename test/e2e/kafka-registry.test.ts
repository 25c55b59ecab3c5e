import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pause } from '../support/appliance.ts';
import {
  eventually,
  expectReceived,
  expectSink,
  metric,
  rowOf,
  spoolIn,
  startWithBus,
} from '../support/kafka/faulty-run.ts';
import { readTopic } from '../support/kafka/kcat.ts';
import { NumberedLoad } from '../support/kafka/numbered-load.ts';
import { freePorts } from '../support/kafka/ports.ts';
import { sharedKafka } from '../support/kafka/shared.ts';
import { requiresKafka } from '../support/kafka/wanted.ts';
import { soaking } from '../support/scale.ts';
import { type RegistryMood, startRegistry } from '../support/schema-registry.ts';
import { withFolder } from '../support/tshark.ts';

const RATE = soaking ? 5000 : 500;
/** How long each state of the registry lasts at least. */
const STATE_MS = soaking ? 20_000 : 0;
const CLOSE_SECONDS = 1;

/** What the log says of a registry, in the order in which it is so. */
const states: readonly (readonly [mood: RegistryMood, said: RegExp])[] = [
  ['failing', /refused the schema of flow records: status 503/],
  ['garbage', /is no schema registry: there is no schema id in/],
  ['refusing', /status 409, .*incompatible with an earlier schema/],
];

/** What the test needs of a flow record in Avro. */
interface AvroFlow {
  readonly network: { readonly packets: number };
  readonly mirrortap: { readonly flow_id: string; readonly sequence: number };
}

test.skipIf(!requiresKafka()).each(['platformatic', ...(soaking ? ['kafkajs', 'librdkafka'] : [])])(
  'a schema registry that is away, fails, is none, refuses, is silent: flow records wait, in the end all are there once (%s)',
  (client) =>
    withFolder(async (folder) => {
      const kafka = await sharedKafka();
      const [port = 0] = await freePorts(1);
      const [packets, flows] = [kafka.topicName('packets'), kafka.topicName('flows')];
      const bus = {
        client,
        brokers: kafka.bootstrap.split(','),
        packets: { topic: packets },
        flows: { topic: flows, encoding: 'avro', registry: { url: `http://127.0.0.1:${port}` } },
        retryMaxMs: 200,
        closeSeconds: CLOSE_SECONDS,
      };
      const more = ['workers=1', 'analysis.flows.activeSeconds=1'] as const;
      const first = await startWithBus(folder, bus, ...more);
      await using load = new NumberedLoad(200);
      await load.start(first.vxlanPort, RATE);
      const says = (what: RegExp): Promise<void> =>
        eventually(`the log says ${what.source}`, () => what.test(first.logged()));
      await says(/The schema registry cannot be reached/);
      const registry = await startRegistry(7, port);
      for (const [mood, said] of states) {
        registry.be(mood);
        await says(said);
        await pause(STATE_MS);
      }
      registry.be('silent');
      await eventually('packets are written meanwhile', async () => {
        return (await metric(first, 'sink_written_packets_total', 'sink="bus"')) > 0;
      });
      expect(await (await fetch(`${first.url}/readyz`)).json()).toMatchObject({ status: 'ready' });
      await eventually('there are flow records', async () => {
        return (await metric(first, 'sink_delivered_packets_total', 'sink="bus.flows"')) > 0;
      });
      await load.stop();
      const { finished, report } = await first.end();
      expect(finished.status).toBe(0);
      expectReceived(report, load.sent);
      const { received } = report.ledger;
      expectSink(report, 'bus', { delivered: received, written: received });
      const { delivered } = rowOf(report, 'bus.flows');
      expectSink(report, 'bus.flows', { delivered, written: 0 });
      expect(rowOf(report, 'bus.flows').counters).toMatchObject({ spoolRecords: delivered });
      if (!soaking) expect(first.logged().match(/Flow records cannot be encoded/g)).toHaveLength(4);

      registry.be('right');
      const second = await startWithBus(folder, { ...bus, closeSeconds: 60 }, ...more);
      const { report: next } = await second.end();
      expectSink(next, 'bus.flows', { delivered, written: delivered });
      expect(
        readdirSync(join(spoolIn(folder), 'bus', 'w0-flows')).filter((name) => name.endsWith('.spool')),
      ).toEqual([]);
      const reader = new SchemaRegistry({ host: registry.url });
      const names = new Set<string>();
      let counted = 0;
      for (const { value } of await readTopic(kafka, flows)) {
        const { network, mirrortap } = (await reader.decode(value ?? Buffer.alloc(0))) as AvroFlow;
        names.add(`${mirrortap.flow_id} ${mirrortap.sequence}`);
        counted += network.packets;
      }
      expect({ records: names.size, packets: counted }).toEqual({ records: delivered, packets: received });
      await registry.close();
    }),
  soaking ? 1_800_000 : 120_000,
);
