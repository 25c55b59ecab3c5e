import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startReceive, until } from '../support/appliance.ts';
import { startCommand } from '../support/command.ts';
import { readSamples } from '../support/metrics-text.ts';
import { withFolder } from '../support/tshark.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const LANE_COUNT = 1;

/** Receives the sample; returns the report once as many lanes were closed. */
async function receive(folder: string, closed: number, ...settings: readonly string[]) {
  const receiving = await startReceive(folder, 'workers=1', 'sinks.captures.enabled=false', ...settings);
  const to = ['--to', `127.0.0.1:${receiving.vxlanPort}`, '--vni', '42', '--rate', '5000'];
  const sent = await startCommand(['send', '--from', traffic, ...to, '--report', 'json']).finished;
  expect(sent.status).toBe(0);
  await until('lanes are closed', async () => {
    const samples = readSamples(await (await fetch(`${receiving.url}/metrics`)).text());
    const delivered = samples.get('mirrortap_received_packets_total') ?? 0;
    return delivered > 0 && samples.get('mirrortap_lanes_closed_total') === closed;
  });
  return (await receiving.end()).report;
}

test.each([
  ['that waited for its flows', []],
  ['that did not, because places are few', ['admission.maxLanes=1']],
])(
  'a lane is closed sooner than its flows end, one %s: nothing of what they count is lost',
  (_which, few) =>
    withFolder(async (folder) => {
      const whole = await receive(join(folder, 'whole'), 0);
      const [lane] = whole.lanes;
      const report = await receive(
        join(folder, 'closed'),
        LANE_COUNT,
        'admission.laneIdleSeconds=1',
        'analysis.flows.idleSeconds.tcp=6',
        ...few,
      );
      expect(lane?.upstream.tcpFlows).toBeGreaterThan(0);
      expect(report.lanes).toEqual([]);
      expect(report.closedLanes).toEqual({
        count: LANE_COUNT,
        packets: lane?.packets,
        bytes: lane?.bytes,
        upstream: lane?.upstream,
      });
      expect(report.ledger).toEqual(whole.ledger);
    }),
  60_000,
);
