import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRun, workersFor } from '../../../../src/app/decap/make-run.ts';
import { OneWorkerDecap } from '../../../../src/app/decap/one-worker.ts';
import type { DecapOptions } from '../../../../src/app/decap/options.ts';
import { SeveralWorkersDecap } from '../../../../src/app/decap/several-workers.ts';
import { loadConfig } from '../../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'mirrortap-runs-'));
const sample = new URL('../../../../samples/vxlan-sessions.pcapng', import.meta.url).pathname;
const copy = join(folder, 'copy.pcapng');
const zipped = join(folder, 'copy.pcapng.gz');
const huge = join(folder, 'huge.pcapng');
const sampleBytes = readFileSync(sample).length;

beforeAll(() => {
  writeFileSync(copy, readFileSync(sample));
  writeFileSync(zipped, gzipSync(readFileSync(sample)));
  writeFileSync(huge, readFileSync(sample));
  truncateSync(huge, 1_000_000_000);
});
afterAll(() => rmSync(folder, { recursive: true }));

function options(some: Partial<DecapOptions>, set: readonly string[] = []): DecapOptions {
  return {
    files: [sample, copy],
    out: folder,
    output: AS_IT_CAME,
    flows: undefined,
    force: false,
    format: 'pcapng',
    workers: 3,
    report: 'text',
    config: loadConfig({ environment: {}, set: [...set] }),
    ...some,
  };
}

const enough = 2 * sampleBytes;
const AS_IT_CAME = { order: 'arrival', repair: 'none', duplicates: 'keep' } as const;
const stdinToo = { files: [sample, copy, '-'] };

test.each([
  ['as many as were asked for', options({}), enough, 3],
  ['one a core', options({ workers: 0 }), enough, Math.min(availableParallelism(), 64)],
  ['one that was asked for', options({ workers: 1 }), 1, 1],
  ['one for too few bytes', options({}), enough + 1, 1],
  ['one where what makes it large is compressed', options({ files: [sample, zipped] }), enough, 1],
  ['one where files are missing', options({ files: [sample, join(folder, 'missing')] }), enough, 1],
  ['one for standard input', options(stdinToo), enough, 1],
  ['one for sampled checksums', options({}, ['analysis.checksums.verify=sampled']), enough, 1],
  [
    'one for more lanes than a file has interfaces',
    options({ out: '-' }, ['admission.maxLanes=65535']),
    1,
    1,
  ],
  ['one for flows', options({ flows: 'flows.ndjson' }), enough, 1],
  ['one for packets in order', options({ output: { ...AS_IT_CAME, order: 'flow' } }), enough, 1],
  ['one for completed checksums', options({ output: { ...AS_IT_CAME, repair: 'partial' } }), enough, 1],
  ['one for a selection', options({}, ['sinks.captures.select.vnis=[7]']), enough, 1],
  ['one for duplicates', options({}, ['analysis.duplicates.detect=on']), enough, 1],
  ['several for as many as it has', options({ out: '-' }, ['admission.maxLanes=65534']), 1, 3],
] as const)('%s', (_name, asked, fromBytes, workers) => {
  expect(workersFor(asked, { two: fromBytes, more: fromBytes })).toBe(workers);
});

test('two threads are used for more bytes than three', () => {
  const fromBytes = { two: enough + 1, more: enough };
  expect(workersFor(options({ workers: 2 }), fromBytes)).toBe(1);
  expect(workersFor(options({ workers: 3 }), fromBytes)).toBe(3);
  expect(workersFor(options({ workers: 2 }), { ...fromBytes, two: enough })).toBe(2);
});

test('a small input is done on this thread, a large one by others', async () => {
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const io = { print: () => {}, log: silent, logSettings: { level: 'info', format: 'json' } } as const;
  expect(await makeRun(options({}), io)).toBeInstanceOf(OneWorkerDecap);
  expect(await makeRun(options({ files: [huge] }), io)).toBeInstanceOf(SeveralWorkersDecap);
});
