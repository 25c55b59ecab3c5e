import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference } from '../../src/observe/report.ts';
import { startReceive, until } from '../support/appliance.ts';
import { bothDirections, sendMirrored } from '../support/aws-like-traffic.ts';
import { keptConnections } from '../support/kept-connections.ts';
import { readSamples, total } from '../support/metrics-text.ts';
import { requiresRoot } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

const plantAssertion = join(import.meta.dirname, '../support/programs/plant-assertion.ts');
const CONNECTIONS = 2000;
const PASSES = 20;
/** Packets of each connection. */
const EACH = 2 * PASSES;

test.skipIf(!requiresRoot()).each(['ring', 'mmsg'])(
  'mode %s: a worker that fails under load is replaced on the same descriptors: nothing of the others is lost, no flow moves',
  (mode) =>
    withFolder(async (folder) => {
      const [captures, order] = [join(folder, 'captures'), join(folder, 'order')];
      const environment = { NODE_OPTIONS: `--import ${plantAssertion}`, ASSERTION_FILE: order };
      const settings = [`listen.mode=${mode}`, 'workers=2', 'listen.ring.bytes=16777216'];
      const receive = await startReceive(captures, ...settings, { environment });
      const packets = bothDirections(CONNECTIONS, 2, receive.vxlanPort);
      const ports = { vxlan: receive.vxlanPort, geneve: receive.genevePort };
      const samples = async () => readSamples(await (await fetch(`${receive.url}/metrics`)).text());

      for (let pass = 0; pass < PASSES; pass++) {
        if (pass === PASSES / 4) writeFileSync(order, '');
        await sendMirrored(packets, ports);
      }
      await until('it receives again', () => receive.logged().includes('The worker receives again'));
      const sent = PASSES * packets.length;
      await until('all are received', async () => {
        const page = await samples();
        const dropped = total(page, 'mirrortap_dropped_packets_total', 'where="kernel"');
        return total(page, 'mirrortap_received_packets_total') + dropped === sent;
      });
      expect(total(await samples(), 'mirrortap_worker_restarts_total')).toBe(1);

      const { report } = await receive.end();
      expect(report.ledger).toMatchObject({ received: sent, dropped: { kernel: 0 } });
      expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
      expect(report.sinks[0]).toMatchObject({ delivered: report.ledger.delivered, pending: 0 });
      const lost = sent - (report.sinks[0]?.written ?? 0);
      expect(report.ledger.dropped.worker).toBeGreaterThan(0);

      const kept = keptConnections(captures, CONNECTIONS);
      // on one worker each, before and after
      expect([...new Set(kept.workers)].toSorted((a, b) => a - b)).toEqual([1, 2]);
      const short = [...kept.packets.keys()].filter((connection) => kept.packets[connection] !== EACH);
      const shortOn = new Set(short.map((connection) => kept.workers[connection]));
      expect(shortOn.size).toBeLessThanOrEqual(1);
      const missing = short.reduce((sum, connection) => sum + EACH - (kept.packets[connection] ?? 0), 0);
      // a block that the disk had taken when the worker died may not have been counted as written
      expect(missing).toBeLessThanOrEqual(lost);
    }),
  120_000,
);
