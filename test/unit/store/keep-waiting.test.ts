import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../../src/store/file-system.ts';
import { keepFile } from '../../../src/store/keep-file.ts';
import { keepWaiting } from '../../../src/store/keep-waiting.ts';
import { indexedFile, openIndex } from '../../support/indexed-files.ts';
import { failing, Killed, killedAt } from '../../support/killed-files.ts';
import { requires } from '../../support/requires.ts';
import { withFolder } from '../../support/tshark.ts';

const NAME = '20261121T040000Z-000001-w0.pcapng';
const PATH = `vni-0/${NAME}`;
const MIB = 1024 * 1024;

/** Half of it can be compressed. */
function contents(bytes: number): Buffer {
  return Buffer.concat([randomBytes(bytes / 2), Buffer.alloc(bytes / 2, 'mirror')]);
}

function put(directory: string, bytes: Buffer, path = PATH): void {
  mkdirSync(join(directory, 'vni-0'), { recursive: true });
  writeFileSync(join(directory, path), bytes);
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const options = { owner: '.owner-1-1', now: Date.now, budgetMs: 60_000 };

const compressions = [
  { compression: 'zstd', suffix: '.zst', program: 'zstd', args: ['-dc'], check: ['-qt'] },
  { compression: 'gzip', suffix: '.gz', program: 'gzip', args: ['-dc'], check: ['-t'] },
] as const;

test.each(compressions)(
  '$compression: the program of that name reads it back, the hash is that of the file',
  (kind) =>
    withFolder((directory) => {
      if (!requires(kind.program)) return;
      for (const size of [0, 2, 4 * MIB, 9 * MIB + 2]) {
        const bytes = contents(size);
        put(directory, bytes);
        utimesSync(join(directory, PATH), 1000, 2000);
        const kept = keepFile(nodeFileSystem, directory, PATH, kind.compression);
        expect(kept).toMatchObject({ path: PATH + kind.suffix, compression: kind.compression });
        const file = join(directory, kept.path);
        const stored = readFileSync(file);
        expect([kept.bytes, kept.sha256]).toEqual([stored.length, sha256(stored)]);
        execFileSync(kind.program, [...kind.check, file]);
        const maxBuffer = 64 * MIB;
        expect(execFileSync(kind.program, [...kind.args, file], { maxBuffer }).equals(bytes)).toBe(true);
        expect(execFileSync('sha256sum', [file], { encoding: 'utf8' })).toContain(kept.sha256);
        expect(readdirSync(join(directory, 'vni-0'))).toEqual([NAME + kind.suffix]);
        const { mtimeMs, mode } = statSync(file);
        expect([mtimeMs, mode & 0o777 & ~0o640]).toEqual([2_000_000, 0]);
      }
    }),
);

test('none: the file stays as it is, and is hashed', () =>
  withFolder((directory) => {
    const bytes = contents(3 * MIB);
    put(directory, bytes);
    const kept = keepFile(nodeFileSystem, directory, PATH, 'none');
    expect(kept).toEqual({ path: PATH, compression: 'none', bytes: bytes.length, sha256: sha256(bytes) });
    expect(readFileSync(join(directory, PATH)).equals(bytes)).toBe(true);
  }));

test.each(['zstd', 'gzip', 'none'] as const)(
  'killed at any call, then started with compress: %s: one whole file is left, and the index says which',
  (afterwards) =>
    withFolder((directory) => {
      const bytes = contents(5 * MIB);
      const inflated = (path: string): Buffer =>
        path.endsWith('.zst')
          ? execFileSync('zstd', ['-dc', join(directory, path)], { maxBuffer: 64 * MIB })
          : path.endsWith('.gz')
            ? gunzipSync(readFileSync(join(directory, path)))
            : readFileSync(join(directory, path));
      const index = openIndex(directory);
      let deaths = 0;
      for (let atCall = 1; requires('zstd'); atCall++) {
        for (const name of readdirSync(directory)) if (name === 'vni-0') removeAll(join(directory, name));
        put(directory, bytes);
        index.remove(`${PATH}.zst`);
        index.add(indexedFile({ path: PATH, state: 'finished' }));
        try {
          keepWaiting(killedAt(atCall), directory, index, { ...options, compress: 'zstd' });
          break;
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          deaths++;
        }
        // what a start does: half-made files go, the rest is gone on with
        const half = join(directory, `${PATH}.zst.part`);
        if (existsSync(half)) nodeFileSystem.unlinkSync(half);
        keepWaiting(nodeFileSystem, directory, index, { ...options, compress: afterwards });
        const [name = '', ...more] = readdirSync(join(directory, 'vni-0'));
        expect([atCall, more]).toEqual([atCall, []]);
        expect(inflated(`vni-0/${name}`).equals(bytes)).toBe(true);
        const row = index.file(`vni-0/${name}`);
        // where the original was gone already, the row of it goes, and the next scan finds the other
        if (row !== undefined)
          expect(row).toMatchObject({
            state: 'kept',
            sha256: sha256(readFileSync(join(directory, `vni-0/${name}`))),
          });
        else expect(index.totals().files).toBe(0);
      }
      index.close();
      expect(deaths).toBeGreaterThanOrEqual(6);
    }),
);

test('files are dealt with in the order they came, within the time there is', () =>
  withFolder((directory) => {
    const index = openIndex(directory);
    for (const number of [1, 2, 3]) {
      const path = `vni-0/20261121T040000Z-00000${number}-w0.pcapng`;
      put(directory, contents(100), path);
      index.add(indexedFile({ path, state: 'finished', captureBytes: 100 }));
    }
    let now = 0;
    const pass = () =>
      keepWaiting(nodeFileSystem, directory, index, {
        ...options,
        compress: 'gzip',
        now: () => (now += 10),
        budgetMs: 15,
      });
    const first = pass();
    expect(first).toMatchObject({ more: true, kept: [{ captureBytes: 100, lanes: ['vni-0'] }, {}] });
    expect(first.kept.map(({ to }) => to.slice(-13))).toEqual(['-w0.pcapng.gz', '-w0.pcapng.gz']);
    expect(pass()).toMatchObject({ kept: [{}], more: false });
    expect(pass()).toEqual({ kept: [], failed: [], more: false, waiting: false });
    index.close();
  }));

test('a file that is gone is forgotten, one that cannot be read is given up, a full disk is waited for', () =>
  withFolder((directory) => {
    const index = openIndex(directory);
    index.add(indexedFile({ path: PATH, state: 'finished' }));
    const keep = (files = nodeFileSystem) =>
      keepWaiting(files, directory, index, { ...options, compress: 'zstd' });
    expect(keep()).toEqual({ kept: [], failed: [], more: false, waiting: false });
    expect(index.totals().files).toBe(0);

    put(directory, contents(100));
    index.add(indexedFile({ path: PATH, state: 'finished' }));
    expect(keep(failing({ writeSync: 'ENOSPC' }))).toEqual({
      kept: [],
      failed: [],
      more: false,
      waiting: true,
    });
    expect(readdirSync(join(directory, 'vni-0'))).toEqual([NAME]);
    expect(index.file(PATH)?.state).toBe('finished');

    expect(keep(failing({ openSync: 'EIO' }))).toEqual({
      kept: [],
      failed: [{ path: PATH, error: 'EIO' }],
      more: false,
      waiting: false,
    });
    expect(index.file(PATH)?.state).toBe('damaged');
    index.close();
  }));

test('a file that retention took out of the index while it was compressed is listed again', () =>
  withFolder((directory) => {
    const index = openIndex(directory);
    put(directory, contents(100));
    index.add(indexedFile({ path: PATH, state: 'finished' }));
    const removing = {
      ...nodeFileSystem,
      renameSync: (from: string, to: string) => {
        index.remove(PATH);
        nodeFileSystem.renameSync(from, to);
      },
    } as typeof nodeFileSystem;
    keepWaiting(removing, directory, index, { ...options, compress: 'zstd' });
    expect(index.filesOf('vni-0')).toMatchObject([{ path: `${PATH}.zst`, state: 'kept' }]);
    index.close();
  }));

function removeAll(folder: string): void {
  for (const name of readdirSync(folder)) nodeFileSystem.unlinkSync(join(folder, name));
}
