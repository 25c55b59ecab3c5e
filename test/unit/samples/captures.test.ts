import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CUTS, SNAPPED } from '../../../samples/make/sessions.ts';
import { requires } from '../../support/requires.ts';
import { runWireshark, tsharkFields, withFolder } from '../../support/tshark.ts';

const folder = join(import.meta.dirname, '../../../samples');
const captures = readdirSync(folder).filter((name) => /\.pcap(ng)?$/.test(name));
const BYTES_MAX = 60_000;

test('the captures are what samples/make.ts makes', async () => {
  await withFolder((fresh) => {
    execFileSync(process.execPath, [join(folder, 'make.ts'), fresh]);
    expect(readdirSync(fresh).toSorted()).toEqual(captures.toSorted());
    for (const name of captures) {
      const isSame = readFileSync(join(fresh, name)).equals(readFileSync(join(folder, name)));
      expect(isSame, `${name} is old: run node samples/make.ts`).toBe(true);
    }
  });
});

test.each(captures)('%s is small, and README.md says what is in it', (name) => {
  expect(statSync(join(folder, name)).size).toBeLessThan(BYTES_MAX);
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`| \`${name}\` |`);
});

/** How often each value occurs in a column of what tshark says. */
function histogram(rows: readonly string[][], column: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) {
    const value = row[column] ?? '';
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

/** Rows of a table in README.md: packets by file. */
function packetsInReadme(): Record<string, number> {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  return Object.fromEntries(
    [...readme.matchAll(/^\| `(\S+\.pcap(?:ng)?)` \| (\d+) \|/gm)].map(([, name, count]) => [
      name,
      Number(count),
    ]),
  );
}

test.skipIf(!requires('tshark'))('tshark counts the packets that README.md names', () => {
  const counts = captures.map((name) => [name, tsharkFields(join(folder, name), ['frame.number']).length]);
  expect(Object.fromEntries(counts)).toEqual(packetsInReadme());
});

test.skipIf(!requires('tshark'))('tshark sees the VNIs and families of the VXLAN sessions', () => {
  const rows = tsharkFields(join(folder, 'vxlan-sessions.pcapng'), [
    'vxlan.vni',
    'vxlan.flags',
    'ipv6.version',
  ]);
  expect(histogram(rows, 0)).toEqual({ 0: 1, 42: 85, 4242: 50, 16_777_215: 40 });
  expect(histogram(rows, 1)).toEqual({ '0x0800': 176 });
  const overIpv6 = rows.filter(([vni]) => vni === '16777215');
  expect(overIpv6.every(([, , version]) => version?.startsWith('6'))).toBe(true);
});

test.skipIf(!requires('tshark'))('tshark finds every checksum of the traffic as it is meant', () => {
  const fields = ['tcp.checksum.status', 'udp.checksum.status', 'ip.checksum.status'];
  const judged = ['tcp', 'udp', 'ip'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
  const asked = fields.flatMap((field) => ['-e', field]);
  const path = join(folder, 'traffic.pcapng');
  const rows = runWireshark('tshark', ['-r', path, ...judged, '-T', 'fields', ...asked])
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
  // 0 bad, 1 good, 3 not present (two DNS answers, and the datagram in fragments); partial ones are bad to tshark
  expect(histogram(rows, 0)).toMatchObject({ 0: 6, 1: 128 });
  expect(histogram(rows, 1)).toMatchObject({ 0: 1, 1: 21, 3: 3 });
  expect(histogram(rows, 2)['0']).toBeUndefined();
});

test.skipIf(!requires('tshark'))('tshark sees the GENEVE options of AWS and what they wrap', () => {
  const rows = tsharkFields(join(folder, 'gwlb.pcap'), [
    'geneve.option.class',
    'geneve.option.length',
    'geneve.vni',
    'geneve.proto_type',
    'vxlan.vni',
  ]);
  expect(histogram(rows, 0)).toEqual({ '0x0108,0x0108,0x0108': 116, '': 5 });
  expect(histogram(rows, 1)).toEqual({ '32,12,12,8': 116, 0: 5 });
  expect(histogram(rows, 2)).toEqual({ '0x000000': 116, '0x00004d': 5 });
  expect(histogram(rows, 3)).toEqual({ '0x0800': 108, '0x86dd': 8, '0x6558': 5 });
  expect(histogram(rows, 4)).toEqual({ 7: 100, '': 21 });
});

test.skipIf(!requires('tshark'))(
  'tshark sees frames cut by packet length, and a capture that was cut',
  () => {
    const path = join(folder, 'truncated.pcapng');
    const rows = tsharkFields(path, ['vxlan.vni', 'udp.length', 'frame.cap_len', 'frame.len']);
    expect(histogram(rows, 0)).toEqual(Object.fromEntries([...CUTS, SNAPPED.vni].map((vni) => [vni, 18])));
    for (const [vni = '', udpLength = '', captured = '', wire = ''] of rows) {
      if (Number(vni) === SNAPPED.vni) {
        expect(Number(captured)).toBe(SNAPPED.snapLength);
        expect(Number(wire)).toBeGreaterThan(SNAPPED.snapLength);
      } else {
        const frameLen = Number(udpLength.split(',')[0]) - 16;
        expect(frameLen).toBeLessThanOrEqual(Number(vni));
        expect(captured).toBe(wire);
      }
    }
  },
);
