import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startReceive, until } from '../support/appliance.ts';
import { bothDirections, sendMirrored } from '../support/aws-like-traffic.ts';
import { keptConnections } from '../support/kept-connections.ts';
import { readSamples, total } from '../support/metrics-text.ts';
import { requiresRoot } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

const CONNECTIONS = 10_000;
const WORKERS = 4;

test.skipIf(!requiresRoot()).each([
  ['ring', 'flow'],
  ['ring', 'flow-ports'],
  ['mmsg', 'flow'],
  ['mmsg', 'flow-ports'],
])('mode %s, steering %s: both directions of a connection are on one worker', (mode, steering) =>
  withFolder(async (folder) => {
    const captures = join(folder, 'captures');
    const settings = [`listen.mode=${mode}`, `listen.steering=${steering}`, `workers=${WORKERS}`];
    const receive = await startReceive(captures, ...settings, 'listen.ring.bytes=16777216');
    const packets = bothDirections(CONNECTIONS, 1, receive.vxlanPort);
    const samples = async () => readSamples(await (await fetch(`${receive.url}/metrics`)).text());
    await sendMirrored(packets, { vxlan: receive.vxlanPort, geneve: receive.genevePort });
    await until(
      'all are received',
      async () => total(await samples(), 'mirrortap_received_packets_total') === packets.length,
    );
    const meter = await samples();
    expect(total(meter, 'mirrortap_symmetry_split_connections')).toBe(0);
    expect(total(meter, 'mirrortap_symmetry_sampled_connections')).toBeGreaterThan(0.9 * CONNECTIONS);
    const { report } = await receive.end();
    expect(report.ledger).toMatchObject({ delivered: packets.length, dropped: { kernel: 0, worker: 0 } });

    const kept = keptConnections(captures, CONNECTIONS);
    expect([...new Set(kept.packets)]).toEqual([2]);
    // one bit each, and all four workers have their share
    expect([...new Set(kept.workers)].toSorted((a, b) => a - b)).toEqual([1, 2, 4, 8]);
  }),
);
