import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SpaceKeeper } from '../../../../src/sinks/files/space-keeper.ts';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { withFolder } from '../../../support/tshark.ts';

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
    const options = { disk, directory: '/nowhere', keepFreePercent: percent, worker: 0 };
    expect(await new SpaceKeeper(options).keep()).toBe(enough);
  },
);

test.each([
  { percent: 10, freeBefore: 9, freeAfter: 10, asked: 1, enough: true },
  { percent: 10, freeBefore: 9, freeAfter: 9, asked: 1, enough: false },
  { percent: 10, freeBefore: 10, freeAfter: 10, asked: 0, enough: true },
  { percent: 0, freeBefore: 0, freeAfter: 9, asked: 0, enough: false },
])(
  '$percent % to keep and $freeBefore free: room is asked for $asked times, then enough is $enough',
  async ({ percent, freeBefore, freeAfter, asked, enough }) => {
    const disk = new FaultyDisk();
    disk.space = { freeBytes: freeBefore, totalBytes: 100 };
    let times = 0;
    const makeRoom = async () => {
      times++;
      disk.space = { freeBytes: freeAfter, totalBytes: 100 };
    };
    const options = { disk, directory: '/nowhere', keepFreePercent: percent, worker: 0, makeRoom };
    expect([await new SpaceKeeper(options).keep(), times]).toEqual([enough, asked]);
  },
);

test('a probe tells whether the folder can be written to, and leaves nothing', () =>
  withFolder(async (directory) => {
    const disk = new FaultyDisk();
    const options = { disk, directory, keepFreePercent: 10, worker: 2 };
    const keeper = new SpaceKeeper(options);
    expect(await keeper.probe()).toBe(true);
    disk.failWrites = 'EDQUOT';
    expect(await keeper.probe()).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
    expect(disk.openFiles.size).toBe(0);
    expect(await new SpaceKeeper({ ...options, directory: join(directory, 'gone') }).probe()).toBe(false);
  }));
