import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileSource } from '../../../src/inputs/byte-source.ts';
import { InflateSource } from '../../../src/inputs/inflate-source.ts';
import { nodeFileSystem } from '../../../src/store/file-system.ts';
import { keepFile } from '../../../src/store/keep-file.ts';
import type { FileCompression } from '../../../src/store/live-names.ts';
import { scanFolder, type ScanOptions } from '../../../src/store/scan.ts';
import { TEST_SECONDS } from '../../support/batches.ts';
import { indexedFile, openIndex } from '../../support/indexed-files.ts';
import { variedPackets, writeCaptures } from '../../support/live-captures.ts';
import { requires } from '../../support/requires.ts';
import { withFolder } from '../../support/tshark.ts';

const settings: ScanOptions = {
  sink: 'captures',
  owner: '.owner-1-1',
  compress: 'none',
  settledBeforeMs: Infinity,
  inflate: async (path, compression) =>
    new InflateSource(
      await FileSource.open(path),
      Buffer.alloc(0),
      compression === 'gzip' ? 'gzip' : 'zstd',
      path,
    ),
  now: Date.now,
  budgetMs: 60_000,
};

function scan(directory: string, more: Partial<ScanOptions> = {}) {
  const index = openIndex(directory);
  const closed = () => index.close();
  return scanFolder(nodeFileSystem, directory, index, undefined, { ...settings, ...more }).finally(closed);
}

function rows(directory: string, lane: string) {
  const index = openIndex(directory);
  const files = index.filesOf(lane).map((file) => ({ ...file, lanes: index.lanesIn(file.path) }));
  index.close();
  return files;
}

test.each(['none', 'zstd', 'gzip'] as const)(
  'files that the index lacks are read and added: compression %s',
  (compression: FileCompression) =>
    withFolder(async (directory) => {
      const packets = variedPackets(30, 2, TEST_SECONDS);
      const written = await writeCaptures({ directory, worker: 3, settings: { split: 'none' }, packets });
      const [told] = written;
      const kept = keepFile(nodeFileSystem, directory, told?.path ?? '', compression);
      expect(await scan(directory)).toEqual({
        cursor: undefined,
        added: 1,
        forgotten: 0,
        unsettled: 0,
        damaged: [],
        unreadable: [],
      });
      const [found] = rows(directory, 'vni-1');
      const stored = readFileSync(join(directory, kept.path));
      expect(found).toMatchObject({
        path: kept.path,
        worker: 3,
        state: 'kept',
        origin: 'found',
        compression,
        packets: 30,
        dropped: 0,
        bytes: stored.length,
        captureBytes: told?.bytes,
        sha256: createHash('sha256').update(stored).digest('hex'),
      });
      expect(found?.lanes).toEqual(told?.lanes);
      expect((await scan(directory)).added).toBe(0);
    }),
);

test('a pcap says no lane: it is that of its folder', () =>
  withFolder(async (directory) => {
    await writeCaptures({ directory, settings: { format: 'pcap' }, packets: variedPackets(5) });
    await scan(directory, { compress: 'zstd' });
    expect(rows(directory, 'vni-0')).toMatchObject([
      { format: 'pcap', packets: 5, state: 'finished', dropped: undefined },
    ]);
  }));

test('files that are gone are forgotten; what is not ours is not looked at', () =>
  withFolder(async (directory) => {
    const index = openIndex(directory);
    index.add(indexedFile({ path: 'vni-8/20261121T040000Z-000001-w0.pcapng' }));
    index.add(indexedFile({ path: 'vni-9/20261121T040000Z-000001-w0.pcapng' }));
    index.close();
    mkdirSync(join(directory, 'vni-9'));
    for (const name of [
      '20261121T040000Z-000002-w0.pcapng.part',
      'mine.pcapng',
      '20261121T040000Z-000003-w0.pcapng.damaged',
    ]) {
      writeFileSync(join(directory, 'vni-9', name), 'x');
    }
    expect(await scan(directory)).toMatchObject({ added: 0, forgotten: 2 });
  }));

test('a finished file that is cut is listed as damaged, with what can be read of it', () =>
  withFolder(async (directory) => {
    const [told] = await writeCaptures({ directory, packets: variedPackets(30) });
    truncateSync(join(directory, told?.path ?? ''), (told?.bytes ?? 0) - 150);
    expect((await scan(directory, { compress: 'zstd' })).damaged).toEqual([told?.path]);
    expect(rows(directory, 'vni-0')).toMatchObject([{ state: 'damaged', packets: 29, dropped: undefined }]);
  }));

test.each(['zstd', 'gzip'] as const)('a damaged %s file too', (compression) =>
  withFolder(async (directory) => {
    const [told] = await writeCaptures({ directory, packets: variedPackets(30) });
    const kept = keepFile(nodeFileSystem, directory, told?.path ?? '', compression);
    truncateSync(join(directory, kept.path), kept.bytes - 20);
    expect((await scan(directory)).damaged).toEqual([kept.path]);
  }),
);

test('a file that nothing can be read of has the time of its last change, and is not the oldest of all', () =>
  withFolder(async (directory) => {
    mkdirSync(join(directory, 'vni-1'));
    writeFileSync(join(directory, 'vni-1', '20261121T040000Z-000001-w0.pcapng'), Buffer.alloc(100));
    await scan(directory);
    const index = openIndex(directory);
    expect(index.oldest(1)[0]?.lastSeconds).toBeGreaterThan(Date.now() / 1000 - 1000);
    index.close();
  }));

test('a compressed file beside its original is not listed: the original is still to be compressed', () =>
  withFolder(async (directory) => {
    const [told] = await writeCaptures({ directory, packets: variedPackets(30) });
    const path = told?.path ?? '';
    if (!requires('zstd')) return;
    execFileSync('zstd', ['-q', '-k', join(directory, path)]);
    expect(existsSync(join(directory, `${path}.zst`))).toBe(true);
    expect((await scan(directory)).added).toBe(1);
    expect(rows(directory, 'vni-0').map((file) => file.path)).toEqual([path]);
  }));

test('files finished just now are left to who finishes them', () =>
  withFolder(async (directory) => {
    await writeCaptures({ directory, packets: variedPackets(30) });
    expect(await scan(directory, { settledBeforeMs: 0 })).toMatchObject({ added: 0, unsettled: 1 });
    const later = () => Date.now() + 61_000;
    expect((await scan(directory, { settledBeforeMs: 0, now: later })).added).toBe(1);
  }));

test('in pieces: each goes on where the last one stopped', () =>
  withFolder(async (directory) => {
    await writeCaptures({ directory, settings: { rotatePackets: 2 }, packets: variedPackets(30, 3) });
    const lane = join(directory, 'vni-1');
    renameSync(lane, join(directory, 'vni-10'));
    const index = openIndex(directory);
    let cursor;
    let added = 0;
    let pieces = 0;
    let nowMs = Date.now();
    const options = { ...settings, now: () => (nowMs += 10), budgetMs: 25 };
    do {
      const piece = await scanFolder(nodeFileSystem, directory, index, cursor, options);
      added += piece.added;
      pieces++;
      cursor = piece.cursor;
    } while (cursor !== undefined && pieces < 100);
    expect(added).toBe(15);
    expect(pieces).toBeGreaterThan(3);
    index.close();
  }));
