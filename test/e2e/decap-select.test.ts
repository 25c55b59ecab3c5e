import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerDifference, type Report } from '../../src/observe/report.ts';
import { runCommand } from '../support/command.ts';
import { requires } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

const sessions = join(import.meta.dirname, '../../samples/vxlan-sessions.pcapng');

async function decap(out: string, ...settings: readonly string[]): Promise<Report> {
  const set = settings.flatMap((setting) => ['--set', setting]);
  const finished = await runCommand(['decap', sessions, '--out', out, '--report', 'json', ...set]);
  expect([finished.status, finished.stderr]).toEqual([0, '']);
  return JSON.parse(finished.stdout) as Report;
}

/** What tcpdump prints of the packets in a file that a filter takes, with their bytes. */
function printed(path: string, filter: string): string {
  if (!existsSync(path)) return '';
  const input = readFileSync(path);
  const { status, stdout } = spawnSync('tcpdump', ['-n', '-tt', '-xx', '-r', '-', filter], { input });
  expect(status).toBe(0);
  return stdout.toString();
}

test
  .skipIf(!requires('tcpdump'))
  .each(['tcp port 443', 'ip6 or arp', 'vlan and ip', 'udp port 53 and not len > 90'])(
  'decap writes what tcpdump takes: %s',
  (filter) =>
    withFolder(async (folder) => {
      const whole = await decap(join(folder, 'whole'));
      const selected = await decap(join(folder, 'selected'), `sinks.captures.select.filter=${filter}`);
      expect(ledgerDifference(selected)).toBe(0);
      expect(selected.ledger).toEqual(whole.ledger);
      const [sink] = selected.sinks;
      expect(sink?.written).toBeGreaterThan(0);
      expect((sink?.written ?? 0) + (sink?.filtered ?? 0)).toBe(whole.ledger.delivered);
      for (const { name } of whole.lanes) {
        const file = `${name}.pcapng`;
        expect(printed(join(folder, 'selected', file), '')).toBe(
          printed(join(folder, 'whole', file), filter),
        );
      }
    }),
);

test('VNIs, flows and bytes are chosen too, and flow records are of all', () =>
  withFolder(async (folder) => {
    const flows = join(folder, 'flows.ndjson');
    const report = await decap(
      join(folder, 'out'),
      'sinks.captures.select.vnis=[42]',
      'sinks.captures.select.snapLength=40',
      'sinks.captures.select.sampleFlows=3',
    );
    expect(existsSync(join(folder, 'out', 'vni-42.pcapng'))).toBe(true);
    expect(existsSync(join(folder, 'out', 'vni-4242.pcapng'))).toBe(false);
    const lane = report.lanes.find(({ name }) => name === 'vni-42');
    const [sink] = report.sinks;
    expect(sink?.written).toBeGreaterThan(0);
    expect(sink?.written).toBeLessThan(lane?.packets ?? 0);

    const none = 'sinks.captures.select.filter=host 192.0.2.99';
    const args = ['decap', sessions, '--out', join(folder, 'none'), '--flows', flows, '--set', none];
    expect((await runCommand(args)).status).toBe(0);
    expect(readFileSync(flows, 'utf8').split('\n').length).toBeGreaterThan(10);
  }));
