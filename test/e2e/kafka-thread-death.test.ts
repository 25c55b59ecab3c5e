import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerDifference } from '../../src/observe/report.ts';
import { startReceive, until } from '../support/appliance.ts';
import { startCommand } from '../support/command.ts';
import { countTopic } from '../support/kafka/kcat.ts';
import { sharedKafka } from '../support/kafka/shared.ts';
import { requiresKafka } from '../support/kafka/wanted.ts';
import { readSamples, total } from '../support/metrics-text.ts';
import { withFolder } from '../support/tshark.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const plantDeath = join(import.meta.dirname, '../support/programs/plant-death.ts');

test.skipIf(!requiresKafka())(
  'a worker dies, then a courier: both are replaced, the ring between them outlives them, and the ledger adds up',
  () =>
    withFolder(async (folder) => {
      const kafka = await sharedKafka();
      const topic = await kafka.newTopic('thread-death', 4);
      const death = join(folder, 'death');
      const courierDeath = join(folder, 'courier-death');
      const receive = await startReceive(
        join(folder, 'captures'),
        'workers=2',
        'sinks.bus.kind=kafka',
        `sinks.bus.brokers=[${kafka.bootstrap}]`,
        `sinks.bus.packets.topic=${topic}`,
        'sinks.bus.flows=null',
        `sinks.bus.spool.directory=${join(folder, 'spool')}`,
        {
          environment: {
            NODE_OPTIONS: `--import ${plantDeath}`,
            DEATH_FILE: death,
            COURIER_DEATH_FILE: courierDeath,
          },
        },
      );
      const written = async (): Promise<number> =>
        total(
          readSamples(await (await fetch(`${receive.url}/metrics`)).text()),
          'mirrortap_sink_written_packets_total',
        );
      const to = ['--to', `127.0.0.1:${receive.vxlanPort}`, '--vni', '42', '--rate', '3000', '--loop', '0'];
      const sending = startCommand(['send', '--from', traffic, ...to, '--log-level', 'warn']);
      await until('packets are written', async () => (await written()) > 500);
      writeFileSync(death, '');
      await until('the worker is back', () => receive.logged().includes('The worker receives again'));
      writeFileSync(courierDeath, '');
      await until('a courier died', () => receive.logged().includes('A courier died and is started again.'));
      const before = await written();
      await until('more is written', async () => (await written()) > before + 3000);
      sending.child.kill('SIGINT');
      await sending.finished;

      const { finished, report } = await receive.end();
      expect([finished.status, ledgerDifference(report)]).toEqual([0, 0]);
      const bus = report.sinks.find(({ name }) => name === 'bus');
      const { queueFull = 0, workerLost = 0, ...other } = bus?.dropped ?? {};
      expect(other).toEqual({});
      expect(bus).toMatchObject({ pending: 0, pendingBytes: 0 });
      expect(bus?.written).toBe((bus?.delivered ?? 0) - queueFull - workerLost);
      // what the courier had under way when it died may be there twice; nothing that was acknowledged is missing
      const records = (await countTopic(kafka, topic)).reduce((sum, one) => sum + one.records, 0);
      expect(records).toBeGreaterThanOrEqual(bus?.written ?? 0);
    }),
  120_000,
);
