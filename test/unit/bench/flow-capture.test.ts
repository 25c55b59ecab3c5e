import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeFlowCapture } from '../../bench/flow-capture.ts';
import { OUTER_LEN } from '../../bench/mirrored-frame.ts';
import { requires } from '../../support/requires.ts';
import { runWireshark } from '../../support/tshark.ts';

const folder = mkdtempSync(join(tmpdir(), 'mirrortap-flows-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FLOWS = 200;
const PACKETS = 4_000;

/** Lengths of the records of a pcap file. */
function recordLengths(path: string): number[] {
  const bytes = readFileSync(path);
  const lengths: number[] = [];
  for (let at = 24; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 8);
    lengths.push(length);
    at += 16 + length;
  }
  return lengths;
}

test.each([
  { name: 'whole', cutLen: undefined },
  { name: 'cut', cutLen: 64 },
])('a capture, $name, has as many packets as was asked for', async ({ name, cutLen }) => {
  const path = join(folder, `${name}.pcap`);
  const capture = await writeFlowCapture(path, { packets: PACKETS, flows: FLOWS, ...(cutLen && { cutLen }) });
  const lengths = recordLengths(path);
  expect([capture.packets, lengths.length, capture.flows]).toEqual([PACKETS, PACKETS, FLOWS]);
  expect(capture.bytes).toBe(readFileSync(path).length);
  expect(Math.max(...lengths)).toBe(OUTER_LEN + (cutLen ?? 1420));
  if (cutLen === undefined) {
    const outer = lengths.reduce((sum, length) => sum + length, 0);
    expect(capture.ipBytes).toBe(outer - PACKETS * (OUTER_LEN + 14));
  }
});

test.skipIf(!requires('tshark'))(
  'tshark finds all conversations and their names, and nothing wrong',
  async () => {
    const path = join(folder, 'tshark.pcap');
    await writeFlowCapture(path, { packets: PACKETS, flows: FLOWS });
    const fields = {
      ip: 'ip.checksum.status',
      tcp: 'tcp.checksum.status',
      udp: 'udp.checksum.status',
      wrong: 'tcp.analysis.flags',
      tls: 'tls.handshake.extensions_server_name',
      http: 'http.host',
      dns: 'dns.qry.name',
      syn: 'tcp.flags.syn',
    };
    const options = ['ip', 'udp', 'tcp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
    const names = Object.values(fields).flatMap((field) => ['-e', field]);
    const rows = runWireshark('tshark', ['-n', '-r', path, '-T', 'fields', ...options, ...names])
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
    const column = (field: keyof typeof fields): string[] =>
      rows.flatMap((row) => (row[Object.keys(fields).indexOf(field)] ?? '').split(',')).filter(Boolean);
    const distinct = (field: keyof typeof fields): number => new Set(column(field)).size;

    expect(rows.length).toBe(PACKETS);
    expect(new Set(column('ip'))).toEqual(new Set(['1']));
    expect(new Set(column('tcp'))).toEqual(new Set(['1']));
    // the outer datagram has no checksum
    expect(new Set(column('udp'))).toEqual(new Set(['1', '3']));
    expect(column('wrong')).toEqual([]);
    expect(column('syn').filter((syn) => syn === '1').length).toBe(2 * (distinct('tls') + distinct('http')));
    expect(distinct('tls') + distinct('http') + distinct('dns')).toBe(FLOWS);
    expect([distinct('tls'), distinct('http'), distinct('dns')]).toEqual([96, 24, 80]);
  },
);
