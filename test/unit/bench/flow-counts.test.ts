import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countFlows, readEve, readOwn } from '../../bench/flow-counts.ts';

const own = (sequence: number, packets: number, bytes: number) => ({
  network: { packets, bytes },
  mirrortap: { sequence },
});
const eve = (dest_port: number | undefined, src_port?: number) => ({
  ...(dest_port !== undefined && { dest_port }),
  ...(src_port !== undefined && { src_port }),
  flow: { pkts_toserver: 1, pkts_toclient: 2, bytes_toserver: 100, bytes_toclient: 200 },
});

test.each([
  {
    name: 'the first record of a flow counts it, later ones what came since',
    records: [own(0, 3, 300), own(1, 2, 20), own(0, 1, 1)],
    read: readOwn,
    counts: { flows: 2, packets: 6, bytes: 321 },
  },
  {
    name: 'flows of Suricata but the outer ones, in either direction',
    records: [eve(443, 5000), eve(4789, 49_152), eve(49_152, 4789), eve(undefined)],
    read: readEve,
    counts: { flows: 2, packets: 6, bytes: 600 },
  },
  { name: 'nothing', records: [], read: readOwn, counts: { flows: 0, packets: 0, bytes: 0 } },
])('$name', async ({ records, read, counts }) => {
  const folder = mkdtempSync(join(tmpdir(), 'mirrortap-counts-'));
  try {
    const path = join(folder, 'records');
    writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    expect(await countFlows(path, read)).toEqual(counts);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
