import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startReceive, until } from '../support/appliance.ts';
import { bothDirections, sendMirrored } from '../support/aws-like-traffic.ts';
import { readSamples, total } from '../support/metrics-text.ts';
import { walkPcapng } from '../support/pcapng-walk.ts';
import { requiresRoot } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

const CONNECTIONS = 10_000;
const WORKERS = 4;
const packets = bothDirections(CONNECTIONS, 1);

/** By connection: the workers whose files hold a packet of it, as bits, and how many packets there are. */
function keptBy(captures: string): { workers: Int32Array; packets: Int32Array } {
  const kept = { workers: new Int32Array(CONNECTIONS), packets: new Int32Array(CONNECTIONS) };
  for (const lane of readdirSync(captures).filter((name) => name.includes('-'))) {
    for (const name of readdirSync(join(captures, lane))) {
      const worker = Number(/-w(\d+)\.pcapng$/.exec(name)?.[1]);
      for (const { number } of walkPcapng(readFileSync(join(captures, lane, name))).packets) {
        kept.workers[number]! |= 1 << worker;
        kept.packets[number]! += 1;
      }
    }
  }
  return kept;
}

test.skipIf(!requiresRoot()).each([
  ['ring', 'flow'],
  ['ring', 'flow-ports'],
  ['mmsg', 'flow'],
  ['mmsg', 'flow-ports'],
])('mode %s, steering %s: both directions of a connection are on one worker', (mode, steering) =>
  withFolder(async (folder) => {
    const captures = join(folder, 'captures');
    const settings = [`listen.mode=${mode}`, `listen.steering=${steering}`, `workers=${WORKERS}`];
    const receive = await startReceive(captures, ...settings, 'listen.ring.bytes=4194304');
    const samples = async () => readSamples(await (await fetch(`${receive.url}/metrics`)).text());
    await sendMirrored(packets, { vxlan: receive.vxlanPort, geneve: receive.genevePort });
    await until(
      'all are received',
      async () => total(await samples(), 'mirrortap_received_packets_total') === packets.length,
    );
    const meter = await samples();
    expect(total(meter, 'mirrortap_symmetry_split_connections')).toBe(0);
    expect(total(meter, 'mirrortap_symmetry_connections')).toBeGreaterThan(0.9 * CONNECTIONS);
    const { report } = await receive.end();
    expect(report.ledger).toMatchObject({ delivered: packets.length, dropped: { kernel: 0, worker: 0 } });

    const kept = keptBy(captures);
    expect([...new Set(kept.packets)]).toEqual([2]);
    // one bit each, and all four workers have their share
    expect([...new Set(kept.workers)].toSorted((a, b) => a - b)).toEqual([1, 2, 4, 8]);
  }),
);
