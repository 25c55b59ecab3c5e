import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { CaptureIndex } from '../../../src/store/capture-index.ts';
import { type FileSystem, nodeFileSystem } from '../../../src/store/file-system.ts';
import { listOldest, retain } from '../../../src/store/retain.ts';
import { indexedFile, lane, openIndex } from '../../support/indexed-files.ts';
import { withFolder } from '../../support/tshark.ts';

/** What a folder of captures may hold, oldest first; of these only the finished captures may ever be deleted. */
const deletable = [
  'vni-2/20251231T235959Z-000009-w3.pcapng',
  'geneve-7-00000000000000ff-ip/20260101T000000Z-000001-w0.pcap.gz',
  'vni-1/20260101T000000Z-000002-w0.pcapng.zst',
  'all/20260101T000001Z-1000000-w11.pcapng',
];
const untouchable = [
  'vni-1/20250101T000000Z-000001-w0.pcapng.part',
  'vni-1/20250101T000000Z-000001-w0.pcapng.zst.part',
  'vni-1/20250101T000000Z-000001-w0.pcapng.damaged',
  'vni-1/20250101T000000Z-000001-w0.pcapng.bak',
  'vni-1/20250101T000000Z-000001.pcapng',
  'vni-1/notes.txt',
  'vni-1x/20250101T000000Z-000001-w0.pcapng',
  'evidence/20250101T000000Z-000001-w0.pcapng',
  '20250101T000000Z-000001-w0.pcapng',
  'vni-3.pcapng',
];

function fill(directory: string): void {
  for (const path of [...untouchable, ...deletable.toReversed()]) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), 'x'.repeat(10));
  }
}

/** A folder with the index of what is in it; a disk of 1,000 bytes of which `free` are free at first. */
function withFilled(
  work: (parts: {
    directory: string;
    index: CaptureIndex;
    files: FileSystem;
    deleted: string[];
    disk: { free: number };
  }) => void,
): Promise<void> {
  return withFolder((directory) => {
    fill(directory);
    const index = openIndex(directory);
    for (const [at, path] of deletable.entries()) {
      index.add(indexedFile({ path, bytes: 10, lanes: [lane('vni-1', 100 + at, 200 + at)] }));
    }
    const deleted: string[] = [];
    const disk = { free: 500 };
    const files = {
      ...nodeFileSystem,
      statfsSync: () => ({ bavail: disk.free, blocks: 1000, bsize: 1 }),
      unlinkSync: (path: string) => {
        nodeFileSystem.unlinkSync(path);
        deleted.push(path.slice(directory.length + 1));
        disk.free += 10;
      },
    } as unknown as FileSystem;
    work({ directory, index, files, deleted, disk });
    index.close();
  });
}

const limits = { keepBytes: 0, keepSeconds: 0, keepFreePercent: 0 };
const options = { now: () => 300_000, budgetMs: 60_000 };

test('only finished live captures are listed, the oldest first', () =>
  withFolder((directory) => {
    fill(directory);
    expect(listOldest(nodeFileSystem, directory).map(({ path }) => path)).toEqual(deletable);
  }));

test.each([true, false])(
  'free disk: one after the other goes until enough is free (with index: %s)',
  (indexed) =>
    withFilled(({ directory, index, files, deleted, disk }) => {
      disk.free = 185;
      const pass = retain(files, directory, indexed ? index : undefined, {
        ...options,
        limits: { ...limits, keepFreePercent: 20 },
      });
      expect(deleted).toEqual(deletable.slice(0, 2));
      expect(pass).toMatchObject({ refused: [], more: false });
      expect(pass.deleted.map(({ reason }) => reason)).toEqual(['space', 'space']);
      if (indexed) expect(index.totals()).toEqual({ files: 2, bytes: 20 });
    }),
);

test('bytes and age: what goes, and why', () =>
  withFilled(({ directory, index, files, deleted }) => {
    const pass = retain(files, directory, index, {
      ...options,
      limits: { ...limits, keepSeconds: 99, keepBytes: 25 },
    });
    expect(deleted).toEqual(deletable.slice(0, 2));
    expect(pass.deleted.map(({ reason }) => reason)).toEqual(['age', 'bytes']);
    expect(
      retain(files, directory, index, { ...options, limits: { ...limits, keepBytes: 25 } }).deleted,
    ).toEqual([]);
  }));

test.each([true, false])('nothing else is ever deleted, however little is free (with index: %s)', (indexed) =>
  withFilled(({ directory, index, files, deleted, disk }) => {
    disk.free = 0;
    retain(files, directory, indexed ? index : undefined, {
      ...options,
      limits: { keepBytes: 1, keepSeconds: 1, keepFreePercent: 90 },
    });
    expect(deleted.toSorted()).toEqual(deletable.toSorted());
    for (const path of untouchable) expect(existsSync(join(directory, path))).toBe(true);
  }),
);

test('a file that somebody has deleted is forgotten, and not counted', () =>
  withFilled(({ directory, index, files, deleted }) => {
    nodeFileSystem.unlinkSync(join(directory, deletable[0]!));
    const pass = retain(files, directory, index, { ...options, limits: { ...limits, keepBytes: 20 } });
    expect(deleted).toEqual([deletable[1]]);
    expect(pass.deleted).toHaveLength(1);
    expect(index.totals()).toEqual({ files: 2, bytes: 20 });
  }));

test('a file that cannot be deleted is said once and passed over; newer ones do not go in its place', () =>
  withFilled(({ directory, index, files }) => {
    const stubborn = {
      ...files,
      unlinkSync: (path: string) => {
        if (path.includes('vni-2')) throw Object.assign(new Error(), { code: 'EPERM', syscall: 'unlink' });
        files.unlinkSync(path);
      },
    } as FileSystem;
    const pass = retain(stubborn, directory, index, { ...options, limits: { ...limits, keepBytes: 25 } });
    expect(pass.refused).toEqual([{ path: deletable[0], error: 'EPERM' }]);
    expect(pass.deleted.map(({ path }) => path)).toEqual([deletable[1]]);
    expect(index.totals()).toEqual({ files: 3, bytes: 30 });
  }));

test('an index that cannot be written to, as on a full disk, does not make it delete more', () =>
  withFilled(({ directory, index, files, deleted }) => {
    const readOnly = new Proxy(index, {
      get: (target, name) => {
        if (name === 'together')
          return () => {
            throw new Error('full');
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      },
    });
    retain(files, directory, readOnly, { ...options, limits: { ...limits, keepBytes: 25 } });
    expect(deleted).toEqual(deletable.slice(0, 2));
  }));

test('a pass ends when its time is over, and says that there is more', () =>
  withFilled(({ directory, index, files }) => {
    for (let i = 0; i < 200; i++) {
      const path = `vni-9/20240101T000000Z-${String(i).padStart(6, '0')}-w0.pcapng`;
      mkdirSync(join(directory, 'vni-9'), { recursive: true });
      writeFileSync(join(directory, path), '');
      index.add(indexedFile({ path, bytes: 10, lanes: [lane('vni-9', 1, 2)] }));
    }
    let nowMs = 300_000;
    const clock = { now: () => (nowMs += 10), budgetMs: 15 };
    const pass = retain(files, directory, index, { ...clock, limits: { ...limits, keepSeconds: 200 } });
    expect([pass.deleted.length, pass.more]).toEqual([64, true]);
  }));
