import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { oldestFinished } from '../../../../src/sinks/files/series-of-files.ts';
import { SpaceKeeper } from '../../../../src/sinks/files/space-keeper.ts';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { withFolder } from '../../../support/tshark.ts';

/** What a folder of captures may hold, oldest first; of these only the finished captures may ever be deleted. */
const deletable = [
  'vni-2/20251231T235959Z-000009-w3.pcapng',
  'geneve-7-00000000000000ff-ip/20260101T000000Z-000001-w0.pcap',
  'vni-1/20260101T000000Z-000002-w0.pcapng',
  'all/20260101T000001Z-1000000-w11.pcapng',
];
const kept = [
  'vni-1/20250101T000000Z-000001-w0.pcapng.part',
  'vni-1/20250101T000000Z-000001-w0.pcapng.bak',
  'vni-1/20250101T000000Z-000001.pcapng',
  'vni-1/notes.txt',
  'vni-1x/20250101T000000Z-000001-w0.pcapng',
  'evidence/20250101T000000Z-000001-w0.pcapng',
  '20250101T000000Z-000001-w0.pcapng',
  'vni-3.pcapng',
];

function fill(directory: string): void {
  for (const path of [...kept, ...deletable.toReversed()]) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), '');
  }
}

test('only finished live captures are listed, the oldest first', () =>
  withFolder(async (directory) => {
    fill(directory);
    expect(await oldestFinished(new FaultyDisk(), directory, 100)).toEqual(deletable);
    expect(await oldestFinished(new FaultyDisk(), directory, 2)).toEqual(deletable.slice(0, 2));
  }));

test('one after the other is deleted until enough is free', () =>
  withFolder(async (directory) => {
    fill(directory);
    const disk = new FaultyDisk();
    disk.freeSpace = async () => ({ freeBytes: 8 + disk.removed.length, totalBytes: 100 });
    const keeper = new SpaceKeeper(disk, directory, 10, 0);
    expect(await keeper.keep()).toBe(true);
    expect(disk.removed).toEqual(deletable.slice(0, 2).map((path) => join(directory, path)));
    expect(keeper.deleted).toBe(2);
  }));

test('when nothing is left to delete, it says so; a file that is gone already is passed over', () =>
  withFolder(async (directory) => {
    fill(directory);
    const disk = new FaultyDisk();
    disk.space = { freeBytes: 0, totalBytes: 100 };
    const remove = disk.remove.bind(disk);
    disk.remove = async (path) => {
      await remove(path);
      if (path.includes('vni-2')) throw Object.assign(new Error(), { code: 'ENOENT' });
    };
    const keeper = new SpaceKeeper(disk, directory, 10, 0);
    expect(await keeper.keep()).toBe(false);
    expect(disk.removed).toHaveLength(deletable.length);
    expect(keeper.deleted).toBe(deletable.length - 1);
  }));

test.each([
  { free: 10, total: 100, percent: 10, enough: true },
  { free: 9, total: 100, percent: 10, enough: false },
  { free: 1, total: 1e15, percent: 0, enough: true },
  { free: 0, total: 100, percent: 0, enough: false },
])(
  '$free of $total free, $percent % to keep: enough is $enough',
  async ({ free, total, percent, enough }) => {
    const disk = new FaultyDisk();
    disk.space = { freeBytes: free, totalBytes: total };
    expect(await new SpaceKeeper(disk, '/nowhere', percent, 0).keep()).toBe(enough);
  },
);

test('a probe tells whether the folder can be written to, and leaves nothing', () =>
  withFolder(async (directory) => {
    const disk = new FaultyDisk();
    const keeper = new SpaceKeeper(disk, directory, 10, 2);
    expect(await keeper.probe()).toBe(true);
    disk.failWrites = 'EDQUOT';
    expect(await keeper.probe()).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
    expect(disk.openFiles.size).toBe(0);
    expect(await new SpaceKeeper(disk, join(directory, 'gone'), 10, 2).probe()).toBe(false);
  }));
