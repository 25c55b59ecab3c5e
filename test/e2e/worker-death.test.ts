import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SendReport } from '../../src/app/send/report.ts';
import { ledgerBytesDifference, ledgerDifference } from '../../src/observe/report.ts';
import { pause, startReceive, until } from '../support/appliance.ts';
import { startCommand } from '../support/command.ts';
import { ledgerDifferences, readSamples, total } from '../support/metrics-text.ts';
import { requires } from '../support/requires.ts';
import { runWireshark, withFolder } from '../support/tshark.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const plantDeath = join(import.meta.dirname, '../support/programs/plant-death.ts');
const PACKETS = 184;

test.skipIf(!requires('tshark'))(
  'a worker that dies under load is replaced: what it held is counted, what it wrote opens, the other goes on',
  () =>
    withFolder(async (folder) => {
      const [captures, death] = [join(folder, 'captures'), join(folder, 'death')];
      const environment = { NODE_OPTIONS: `--import ${plantDeath}`, DEATH_FILE: death };
      const receive = await startReceive(captures, 'workers=2', { environment });
      const samples = async () => readSamples(await (await fetch(`${receive.url}/metrics`)).text());
      const send = (passes: number) => {
        const to = ['--to', `127.0.0.1:${receive.vxlanPort}`, '--vni', '42'];
        const rate = ['--rate', '5000', '--loop', String(passes)];
        return startCommand([
          'send',
          '--from',
          traffic,
          ...to,
          ...rate,
          '--report',
          'json',
          '--log-level',
          'warn',
        ]);
      };

      const sending = send(0);
      await until(
        'packets are written',
        async () => total(await samples(), 'mirrortap_sink_written_packets_total') > 0,
      );
      writeFileSync(death, '');
      await until('it receives again', () => receive.logged().includes('The worker receives again'));
      expect(receive.logged()).toMatch(/"msg":"A worker died and is started again\."/);
      expect(receive.logged()).toContain('planted');
      expect(ledgerDifferences(await samples())).toEqual([0, 0]);
      expect((await fetch(`${receive.url}/readyz`)).status).toBe(200);
      sending.child.kill('SIGINT');
      const sent = (JSON.parse((await sending.finished).stdout) as SendReport).ledger.sent;

      const before = await settled(samples);
      const more = await send(5).finished;
      expect(more.status).toBe(0);
      await until(
        'all of what came later is received',
        async () => (await settled(samples)) === before + 5 * PACKETS,
      );
      expect(total(await samples(), 'mirrortap_worker_restarts_total')).toBe(1);
      expect(total(await samples(), 'mirrortap_worker_up')).toBe(2);

      const { finished, report } = await receive.end();
      expect(finished.status).toBe(0);
      expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
      // what waited in the socket of the dead worker is gone with it: a plain socket cannot be handed over
      expect(report.ledger.received).toBeLessThanOrEqual(sent + 5 * PACKETS);
      const [sink] = report.sinks;
      const lost = Object.values(sink?.dropped ?? {}).reduce((sum, count) => sum + count, 0);
      expect(sink).toMatchObject({ pending: 0, pendingBytes: 0, written: (sink?.delivered ?? 0) - lost });
      // a block that the disk had taken when the worker died may not have been counted as written
      expect(packetsIn(captures)).toBeGreaterThanOrEqual(sink?.written ?? 0);
      expect(packetsIn(captures)).toBeLessThanOrEqual(sink?.delivered ?? 0);
    }),
  120_000,
);

/** Packets received, once no more are under way. */
async function settled(samples: () => Promise<Map<string, number>>): Promise<number> {
  const read = async () => total(await samples(), 'mirrortap_received_packets_total');
  for (let last = await read(); ; ) {
    await pause(200);
    const now = await read();
    if (now === last) return now;
    last = now;
  }
}

/** Packets of all files, also of the one that the dead worker left unfinished. */
function packetsIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.pcapng'))
    .map((name) => runWireshark('tshark', ['-r', join(folder, name)]).split('\n').length - 1)
    .reduce((sum, count) => sum + count, 0);
}
