import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SendReport } from '../../src/app/send/report.ts';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { pause, type RunningReceive, startReceive, until } from '../support/appliance.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { ledgerDifferences, readSamples, total } from '../support/metrics-text.ts';
import { requires } from '../support/requires.ts';
import { scaled, soaking } from '../support/scale.ts';
import { runWireshark, withFolder } from '../support/tshark.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const TRAFFIC_PACKETS = 184;
const RATE = 50_000;
const SECONDS = scaled(30);
const PASSES = Math.ceil((RATE * SECONDS) / TRAFFIC_PACKETS);
const SCRAPE_MS = 100;
/** Far more than either test takes on a machine that is busy with others. */
const TIMEOUT_MS = soaking ? 900_000 : 180_000;
/** At full speed a sender on loopback is far ahead of a receiver with the smallest buffer after so many packets. */
const FLOOD_PASSES = scaled(20_000);

function sendTo(port: number, rate: string, passes: number): readonly string[] {
  const where = ['--from', traffic, '--to', `127.0.0.1:${port}`, '--vni', '42'];
  return [
    'send',
    ...where,
    '--rate',
    rate,
    '--loop',
    String(passes),
    '--report',
    'json',
    '--log-level',
    'warn',
  ];
}

async function scrape({ url }: RunningReceive): Promise<{ page: string; samples: Map<string, number> }> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return { page, samples: readSamples(page) };
}

/** Waits until all that was sent is received or known to be dropped; returns the metrics as they are then. */
async function settled(
  receive: RunningReceive,
  sent: number,
): Promise<{ page: string; samples: Map<string, number> }> {
  let last = await scrape(receive);
  await until('everything that was sent is accounted for', async () => {
    last = await scrape(receive);
    const { samples } = last;
    const kernel = total(samples, 'mirrortap_dropped_packets_total', 'where="kernel"');
    return total(samples, 'mirrortap_received_packets_total') + kernel >= sent;
  });
  return last;
}

function expectSameLedger(
  samples: ReadonlyMap<string, number>,
  { ledger, ledgerBytes, lanes }: Report,
): void {
  const at = (name: string, label?: string): number => total(samples, `mirrortap_${name}`, label);
  expect({
    received: at('received_packets_total'),
    delivered: at('delivered_packets_total'),
    notTunnel: at('not_tunnel_packets_total'),
    filtered: at('filtered_packets_total'),
    duplicate: at('duplicate_packets_total'),
    held: at('held_packets'),
    kernel: at('dropped_packets_total', 'where="kernel"'),
    worker: at('dropped_packets_total', 'where="worker"'),
    bytes: at('received_bytes_total'),
    deliveredBytes: at('delivered_bytes_total'),
  }).toEqual({
    received: ledger.received,
    delivered: ledger.delivered,
    notTunnel: ledger.notTunnel,
    filtered: ledger.filtered,
    duplicate: ledger.duplicate,
    held: ledger.held,
    kernel: ledger.dropped.kernel,
    worker: ledger.dropped.worker,
    bytes: ledgerBytes.received,
    deliveredBytes: ledgerBytes.delivered,
  });
  for (const lane of lanes) {
    expect(at('lane_packets_total', `lane="${lane.name}"`)).toBe(lane.packets);
    expect(at('lane_bytes_total', `lane="${lane.name}"`)).toBe(lane.bytes);
  }
}

test.skipIf(!requires('capinfos'))(
  `${RATE} packets a second for ${SECONDS} s: every packet is in the files, or the kernel has told that it is not`,
  () =>
    withFolder(async (folder) => {
      const receive = await startReceive(folder, 'workers=2');
      const sending = startCommand(sendTo(receive.vxlanPort, String(RATE), PASSES));
      const over = sending.finished.then(() => true);
      let scrapes = 0;
      do {
        expect(ledgerDifferences((await scrape(receive)).samples)).toEqual([0, 0]);
        scrapes++;
      } while (!(await Promise.race([over, pause(SCRAPE_MS).then(() => false)])));
      expect(scrapes).toBeGreaterThan(5);
      const sent = JSON.parse((await sending.finished).stdout) as SendReport;
      expect(sent.ledger).toEqual({
        received: PASSES * TRAFFIC_PACKETS,
        sent: PASSES * TRAFFIC_PACKETS,
        dropped: {},
      });

      const { page, samples } = await settled(receive, sent.ledger.sent);
      const { finished, report } = await receive.end();
      expect(finished.status).toBe(0);
      expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
      expectSameLedger(samples, report);
      // a machine that is busy with other tests may not keep up: what is missing must be known then
      expect(report.ledger.received + report.ledger.dropped.kernel).toBe(sent.ledger.sent);
      if (soaking) expect(report.ledger.dropped.kernel).toBe(0);
      if (report.ledger.dropped.kernel === 0) expect(report.ledgerBytes.received).toBe(sent.sentBytes);
      expect(report.ledger.delivered).toBe(report.ledger.received);
      expect(report.sinks).toMatchObject([{ written: report.ledger.received, pending: 0 }]);
      expect(report.sinks[0]?.dropped).toEqual({});
      const files = report.lanes.flatMap((lane) => lane.files).map((file) => join(folder, file));
      expect(packetsIn(files)).toBe(report.ledger.received);

      if (requires('promtool')) {
        const checked = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
        expect([checked.status, checked.stdout, checked.stderr]).toEqual([0, '', '']);
      }
    }),
  TIMEOUT_MS,
);

test.each(['dgram', 'mmsg'])(
  'mode %s: what does not fit into the smallest buffer is counted to the packet, and said',
  (mode) =>
    withFolder(async (folder) => {
      const smallest = 'listen.receiveBufferBytes=65536';
      const receive = await startReceive(folder, 'workers=2', `listen.mode=${mode}`, smallest);
      let sent = 0;
      await until('the kernel drops', async () => {
        const { stdout } = await runCommand(sendTo(receive.vxlanPort, 'max', FLOOD_PASSES));
        sent += (JSON.parse(stdout) as SendReport).ledger.sent;
        const { samples } = await settled(receive, sent);
        return total(samples, 'mirrortap_dropped_packets_total', 'where="kernel"') > 0;
      });
      const { samples } = await scrape(receive);
      const { report } = await receive.end();
      expect(report.ledger.dropped.kernel).toBeGreaterThan(0);
      expect(report.ledger.received + report.ledger.dropped.kernel).toBe(sent);
      expect(report.ledger.delivered).toBe(report.ledger.received);
      expectSameLedger(samples, report);
      expect(receive.logged()).toContain('The kernel drops packets');
    }),
  TIMEOUT_MS,
);

test.skipIf(!requires('capinfos'))('a stop in the middle of the load loses nothing that was taken in', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(folder, 'workers=2');
    const sending = startCommand(sendTo(receive.vxlanPort, '20000', 0));
    await until('packets come', async () => {
      const { samples } = await scrape(receive);
      return total(samples, 'mirrortap_received_packets_total') > TRAFFIC_PACKETS;
    });
    const { finished, report } = await receive.end();
    sending.child.kill('SIGINT');
    const sent = JSON.parse((await sending.finished).stdout) as SendReport;
    expect(finished.status).toBe(0);
    expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
    expect(report.ledger).toMatchObject({ delivered: report.ledger.received, dropped: { worker: 0 } });
    expect(report.ledger.received).toBeLessThanOrEqual(sent.input.packets);
    expect(report.sinks).toMatchObject([{ written: report.ledger.received, pending: 0 }]);
    expect(report.sinks[0]?.dropped).toEqual({});
    const files = report.lanes.flatMap((lane) => lane.files).map((file) => join(folder, file));
    expect(packetsIn(files)).toBe(report.ledger.received);
  }),
);

/** Packets of all these files, as capinfos counts them. */
function packetsIn(files: readonly string[]): number {
  return runWireshark('capinfos', ['-T', '-r', '-M', '-c', ...files])
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line.split('\t').at(-1)), 0);
}
