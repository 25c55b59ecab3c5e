import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type FileSystem, nodeFileSystem } from '../../../src/store/file-system.ts';
import { compressFlowFiles, findFlowFiles } from '../../../src/store/flow-files.ts';
import type { FileCompression } from '../../../src/store/live-names.ts';
import { ownerName, register, thisProcess } from '../../../src/store/owner.ts';
import { failing, killedAt } from '../../support/killed-files.ts';
import { requires } from '../../support/requires.ts';
import { withFolder } from '../../support/tshark.ts';

const LINE = '{"a":1}\n';
const self = thisProcess();
const name = (sequence: number, worker = 0) =>
  `20261121T040000Z-${String(sequence).padStart(6, '0')}-w${worker}.ndjson`;

function put(directory: string, file: string, lines = 1000, atSeconds = 1000): void {
  writeFileSync(join(directory, file), LINE.repeat(lines));
  utimesSync(join(directory, file), atSeconds, atSeconds);
}

/** All but the files of owners. */
function left(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => !file.startsWith('.'))
    .toSorted();
}

function find(directory: string, wanted: FileCompression = 'zstd') {
  return findFlowFiles(nodeFileSystem, directory, self, wanted);
}

function compress(
  directory: string,
  paths: readonly string[],
  wanted: FileCompression = 'zstd',
  files: FileSystem = nodeFileSystem,
) {
  return compressFlowFiles(files, directory, paths, { compress: wanted, now: Date.now, budgetMs: 60_000 });
}

/** Init lives as long as we do. */
function registerOther(directory: string, sinceMs: number): void {
  const stat = readFileSync('/proc/1/stat', 'utf8');
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const owner = register(nodeFileSystem, directory, { pid: 1, startTicks, place: self.place });
  writeFileSync(join(directory, owner.name), JSON.stringify({ place: self.place, sinceMs }));
}

function inflated(path: string): string {
  const bytes = readFileSync(path);
  if (path.endsWith('.zst')) return zstdDecompressSync(bytes).toString();
  return path.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
}

test.each([
  { wanted: 'zstd', suffix: '.zst', program: 'zstd' },
  { wanted: 'gzip', suffix: '.gz', program: 'gzip' },
] as const)('$wanted: other programs read it back, its time stays, the plain file goes', (kind) =>
  withFolder((directory) => {
    put(directory, name(1));
    const done = compress(directory, [name(1)], kind.wanted);
    const to = name(1) + kind.suffix;
    const stat = statSync(join(directory, to));
    expect(done).toEqual({
      compressed: [{ from: name(1), to, inputBytes: 8000, bytes: stat.size }],
      gone: [],
      failed: [],
      full: false,
    });
    expect(left(directory)).toEqual([to]);
    expect(stat.mtimeMs).toBe(1_000_000);
    expect(inflated(join(directory, to))).toBe(LINE.repeat(1000));
    if (!requires(kind.program)) return;
    expect(execFileSync(kind.program, ['-dc', join(directory, to)], { encoding: 'utf8' })).toBe(
      LINE.repeat(1000),
    );
  }),
);

test('what is looked for: plain finished files, the oldest first; totals count files as stored, each once', () =>
  withFolder((directory) => {
    for (const file of [name(2, 1), name(1), `${name(3)}.zst`, `${name(4)}.part`]) put(directory, file);
    // just compressed when the process was killed
    put(directory, name(5));
    put(directory, `${name(5)}.gz`, 10);
    put(directory, 'notes.ndjson');
    expect(find(directory)).toEqual({
      files: 4,
      bytes: 4 * 8000,
      waiting: [name(1), name(2, 1), name(5)],
      more: false,
      removedHalves: 0,
    });
    expect(find(directory, 'none').waiting).toEqual([name(5)]);
    expect(compress(directory, [name(5)], 'none').compressed).toHaveLength(1);
    expect(left(directory)).toContain(`${name(5)}.gz`);
    expect(left(directory)).not.toContain(name(5));
  }));

test('no folder: nothing is found, and none is made', () =>
  withFolder((directory) => {
    const missing = join(directory, 'missing');
    expect(find(missing)).toEqual({ files: 0, bytes: 0, waiting: [], more: false, removedHalves: 0 });
    expect(left(directory)).toEqual([]);
  }));

test('half-made compressed files are removed', () =>
  withFolder((directory) => {
    for (const file of [name(1), `${name(1)}.zst.part`, `${name(2)}.gz.part`]) put(directory, file);
    expect(find(directory)).toMatchObject({ files: 1, waiting: [name(1)], removedHalves: 2 });
    expect(left(directory)).toEqual([name(1)]);
  }));

test('beside a process that began first, nothing is ours', () =>
  withFolder((directory) => {
    put(directory, name(1));
    put(directory, `${name(2)}.zst.part`);
    registerOther(directory, 5000);
    expect(find(directory)).toMatchObject({ files: 1, waiting: [], removedHalves: 0 });
    expect(readdirSync(directory)).toContain(ownerName(self));
  }));

test('beside a process that began later, what is older than both of us is ours', () =>
  withFolder((directory) => {
    const { sinceMs } = register(nodeFileSystem, directory, self);
    registerOther(directory, sinceMs + 1000);
    put(directory, name(1), 10, sinceMs / 1000 - 1);
    put(directory, name(2), 10, sinceMs / 1000 + 1);
    put(directory, `${name(3)}.zst.part`, 10, sinceMs / 1000 + 1);
    expect(find(directory)).toMatchObject({ files: 2, waiting: [name(1)], removedHalves: 0 });
  }));

test('more files than are named at a time', () =>
  withFolder((directory) => {
    for (let sequence = 1; sequence <= 4097; sequence++) put(directory, name(sequence), 0);
    const found = find(directory);
    expect([found.files, found.waiting.length, found.waiting[0], found.more]).toEqual([
      4097,
      4096,
      name(1),
      true,
    ]);
  }));

test('a file that is gone, one that cannot be read, and a full disk', () =>
  withFolder((directory) => {
    put(directory, name(2));
    expect(compress(directory, [name(1)])).toMatchObject({ compressed: [], gone: [name(1)], full: false });
    expect(compress(directory, [name(2)], 'zstd', failing({ openSync: 'EIO' }))).toMatchObject({
      failed: [{ path: name(2), error: 'EIO' }],
      full: false,
    });
    expect(compress(directory, [name(2)], 'zstd', failing({ writeSync: 'ENOSPC' }))).toMatchObject({
      compressed: [],
      failed: [],
      full: true,
    });
    expect(left(directory)).toEqual([name(2)]);
  }));

test('what the system does not name is said in words', () =>
  withFolder((directory) => {
    put(directory, name(1));
    const files = { ...nodeFileSystem, fdatasyncSync: () => fail() };
    expect(compress(directory, [name(1)], 'zstd', files).failed).toEqual([
      { path: name(1), error: 'RangeError: out of memory' },
    ]);
    expect(left(directory)).toEqual([name(1)]);
  }));

function fail(): never {
  throw new RangeError('out of memory');
}

test('in the order given, within the time there is', () =>
  withFolder((directory) => {
    for (const sequence of [1, 2, 3]) put(directory, name(sequence));
    let now = 0;
    const options = { compress: 'zstd', now: () => (now += 10), budgetMs: 15 } as const;
    const pass = (...paths: string[]) => compressFlowFiles(nodeFileSystem, directory, paths, options);
    const { compressed } = pass(name(2), name(1), name(3));
    expect(compressed.map(({ from }) => from)).toEqual([name(2), name(1)]);
  }));

test.each(['zstd', 'gzip', 'none'] as const)(
  'killed at any call, then started with compress: %s: one whole file is left',
  (afterwards) =>
    withFolder((directory) => {
      let deaths = 0;
      for (let atCall = 1; ; atCall++) {
        for (const file of readdirSync(directory)) rmSync(join(directory, file));
        put(directory, name(1));
        const { compressed } = compress(directory, [name(1)], 'zstd', killedAt(atCall));
        if (compressed.length > 0) break;
        deaths++;
        const { waiting } = find(directory, afterwards);
        compress(directory, waiting, afterwards);
        const [file = '', ...more] = left(directory);
        expect([atCall, more]).toEqual([atCall, []]);
        expect(inflated(join(directory, file))).toBe(LINE.repeat(1000));
      }
      expect(deaths).toBeGreaterThanOrEqual(6);
    }),
);
