import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CaptureFileInput } from '../../src/inputs/capture-file.ts';
import { Innermost } from '../../src/packet/innermost.ts';
import { Layers } from '../../src/packet/layers.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { NAMES, ROW_WORDS } from '../../src/receive/flows/flow-layout.ts';
import { lookForNames } from '../../src/receive/flows/flow-looks.ts';
import { FragmentTable } from '../../src/receive/fragment-table.ts';
import { readInner } from '../../src/receive/inner.ts';
import { InnermostReader } from '../../src/receive/innermost.ts';
import { makeFinder, nameTexts } from '../support/name-looking.ts';
import { makeBench } from '../support/receiving.ts';
import { requires, requiresCaptures } from '../support/requires.ts';
import { tsharkFields } from '../support/tshark.ts';

/** Names in every real capture: those that tshark finds in any packet, and those that flows get. */
const folder = requiresCaptures();
const without = folder === undefined || !requires('tshark');

const FIELDS = {
  'dns.qry.name': 'dnsQuestion',
  'dns.a': 'dnsAnswer',
  'dns.aaaa': 'dnsAnswer',
  'dns.cname': 'dnsAnswer',
  'dns.ptr.domain_name': 'dnsAnswer',
  'http.host': 'httpHost',
  'http.request.method': 'httpMethod',
  'tls.handshake.extensions_server_name': 'tlsServerName',
} as const;

/** Names of all flows of a capture, each once, in alphabetical order. */
async function namesOf(path: string): Promise<string[]> {
  const { receiver } = makeBench({ maxLanes: 256 });
  const { finder } = makeFinder();
  const fragments = new FragmentTable({
    tally: new Float64Array(ANALYSIS_TALLY_LENGTH),
    entries: 64,
    timeoutSeconds: 30,
  });
  const reader = new InnermostReader({ tally: new Float64Array(ANALYSIS_TALLY_LENGTH), fragments });
  const layers = new Layers();
  const innermost = new Innermost();
  const rows = new Map<string, number>();
  const words = new Int32Array(1000 * ROW_WORDS);
  const input = new CaptureFileInput({ path });
  await input.open();
  await input.run(async (batch) => {
    receiver.process(batch);
    for (const slot of batch.delivered.subarray(0, batch.deliveredCount)) {
      layers.frameAt = batch.frameAt[slot]!;
      layers.frameEnd = batch.frameEnd[slot]!;
      readInner(batch.bytes, layers);
      layers.frameWireLen = batch.frameWireLen[slot]!;
      reader.read(batch.bytes, batch.view, layers, batch.seconds[slot]!, innermost);
      if (innermost.ipVersion === 0) continue;
      const key = flowKey(batch.bytes, innermost);
      if (!rows.has(key)) rows.set(key, rows.size);
      lookForNames(finder, words, rows.get(key)!, batch, innermost);
    }
  });
  const heads = Array.from(rows.values(), (row) => words[row * ROW_WORDS + NAMES]!);
  return [...new Set(heads.flatMap((head) => nameTexts(finder, head)))].toSorted();
}

function flowKey(
  bytes: Buffer,
  { sourceAt, destinationAt, ipVersion, protocol, sourcePort, destinationPort }: Innermost,
) {
  const len = ipVersion === 4 ? 4 : 16;
  const from = `${bytes.toString('hex', sourceAt, sourceAt + len)} ${sourcePort}`;
  const to = `${bytes.toString('hex', destinationAt, destinationAt + len)} ${destinationPort}`;
  return `${protocol} ${[from, to].toSorted().join(' ')}`;
}

test.skipIf(without)('every capture of tunnels: flows have the names that tshark finds', async () => {
  const paths = readdirSync(folder!)
    .filter((name) => name.endsWith('.pcap'))
    .map((name) => join(folder!, name));
  let found = 0;
  for (const path of paths) {
    const kinds = Object.values(FIELDS);
    const rows = tsharkFields(path, Object.keys(FIELDS));
    const expected = rows.flatMap((row) =>
      row.flatMap((values, i) =>
        values
          .split(',')
          .filter((value) => value !== '')
          .map((value) => `${kinds[i]} ${value}`),
      ),
    );
    const names = await namesOf(path);
    expect(
      names.filter((name) => !/^(protocol|ja4|tlsAlpn) /.test(name)),
      path,
    ).toEqual([...new Set(expected)].toSorted());
    found += names.length;
  }
  expect(found).toBeGreaterThan(8);
});
