import {
  existsSync,
  mkdirSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TEST_SECONDS } from '../../../support/batches.ts';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { flowFiles, LiveFlows } from '../../../support/live-flows.ts';
import { withFolder } from '../../../support/tshark.ts';

const DAY_SECONDS = 86_400;
const OLD = [
  '20261118T040000Z-000001-w0.ndjson',
  '20261119T040000Z-000002-w1.ndjson',
  '20261120T040000Z-000003-w0.ndjson',
];
const FOREIGN = ['notes.txt', '20261118T040000Z-000001-w0.ndjson.bz2', '20261118T040000Z.ndjson', '.hidden'];

/** Leaves three files of a megabyte, one a day, and some that are none of ours. */
function leaveOld(directory: string): void {
  for (const [i, name] of OLD.entries()) {
    writeFileSync(join(directory, name), Buffer.alloc(1_000_000, 0x0a));
    const seconds = TEST_SECONDS - (3 - i) * DAY_SECONDS;
    utimesSync(join(directory, name), seconds, seconds);
  }
  for (const name of FOREIGN) writeFileSync(join(directory, name), 'mine');
  mkdirSync(join(directory, '20261117T040000Z-000001-w0'));
}

function foreignAreThere(directory: string): boolean {
  return FOREIGN.every((name) => existsSync(join(directory, name)));
}

function oldFiles(directory: string): string[] {
  return flowFiles(directory).filter((name) => OLD.includes(name));
}

test('age: files of earlier runs go as soon as the sink runs, later ones when they are old enough', () =>
  withFolder(async (directory) => {
    leaveOld(directory);
    const flows = new LiveFlows(directory, { keepSeconds: 2 * DAY_SECONDS + 60 });
    await flows.sink.open();
    await flows.pass(1000);
    await flows.sink.close();
    expect(oldFiles(directory)).toEqual(OLD.slice(1));
    expect(foreignAreThere(directory)).toBe(true);

    const later = new LiveFlows(directory, { keepSeconds: 2 * DAY_SECONDS + 60 });
    await later.sink.open();
    later.context.clock.ms += 50_000;
    await later.pass(0);
    expect(oldFiles(directory)).toHaveLength(2);
    await later.pass(60_000);
    await later.sink.close();
    expect(oldFiles(directory)).toEqual(OLD.slice(2));
    expect(later.context.lines).toEqual(['info: Old flow files were deleted.']);
  }));

test('bytes: the oldest go once a file is finished', () =>
  withFolder(async (directory) => {
    leaveOld(directory);
    const flows = new LiveFlows(directory, { keepBytes: 2_200_000, rotateSeconds: 300 });
    await flows.sink.open();
    flows.give(500);
    await flows.pass(1000);
    expect(oldFiles(directory)).toEqual(OLD.slice(1));
    await flows.pass(300_000);
    await flows.sink.close();
    expect(flows.context.files).toHaveLength(1);
    expect(statSync(join(directory, flows.context.files[0] ?? '')).size).toBeGreaterThan(300_000);
    expect(oldFiles(directory)).toEqual(OLD.slice(2));
    expect(foreignAreThere(directory)).toBe(true);
  }));

test('compressed files count as stored, and go in their turn; one whose plain file is still there is no second one', () =>
  withFolder(async (directory) => {
    leaveOld(directory);
    const [first = '', second = '', third = ''] = OLD;
    for (const [from, to, bytes] of [
      [first, `${first}.gz`, 100_000],
      [second, `${second}.zst`, 200_000],
    ] as const) {
      truncateSync(join(directory, from), bytes);
      renameSync(join(directory, from), join(directory, to));
    }
    writeFileSync(join(directory, `${third}.zst`), Buffer.alloc(150_000));
    const limited = async (keepBytes: number): Promise<LiveFlows> => {
      const flows = new LiveFlows(directory, { keepBytes });
      await flows.sink.open();
      await flows.pass(60_000);
      await flows.sink.close();
      return flows;
    };
    await limited(1_300_000);
    expect(flowFiles(directory)).toContain(`${first}.gz`);
    const { context } = await limited(1_250_000);
    expect(context.news).toEqual([
      { event: 'deleted', path: `${first}.gz`, bytes: 100_000, reason: 'bytes' },
    ]);
    expect(flowFiles(directory)).not.toContain(`${first}.gz`);
    expect(flowFiles(directory)).toContain(`${second}.zst`);
    await limited(1_000_000);
    expect(oldFiles(directory)).toEqual([third]);
  }));

test('a file that is compressed while it is to be deleted goes in the next pass, at once', () =>
  withFolder(async (directory) => {
    leaveOld(directory);
    const disk = new FaultyDisk();
    const { remove } = disk;
    disk.remove = (path) => {
      if (path.endsWith(OLD[0] ?? '') && existsSync(path)) renameSync(path, `${path}.zst`);
      return remove.call(disk, path);
    };
    const flows = new LiveFlows(directory, { keepSeconds: 2 * DAY_SECONDS + 60 }, { disk });
    await flows.sink.open();
    await flows.pass(1000);
    await flows.sink.close();
    expect(flowFiles(directory).filter((name) => name.startsWith('20261118T040000Z-000001-w0'))).toEqual([
      '20261118T040000Z-000001-w0.ndjson.bz2',
    ]);
  }));

test('free part of the disk: so many of the oldest go as are needed', () =>
  withFolder(async (directory) => {
    leaveOld(directory);
    const disk = new FaultyDisk();
    disk.space = { freeBytes: 500_000, totalBytes: 20_000_000 };
    const flows = new LiveFlows(directory, { keepFreePercent: 10 }, { disk });
    await flows.sink.open();
    await flows.pass(1000);
    // 1.5 MB are missing
    expect(oldFiles(directory)).toEqual(OLD.slice(2));
    disk.space = { freeBytes: 2_500_000, totalBytes: 20_000_000 };
    await flows.pass(1000);
    flows.give(10);
    await flows.sink.close();
    expect(oldFiles(directory)).toEqual(OLD.slice(2));
    expect(flows.context.counters.written).toBe(10);
  }));

test('nothing to delete, and no room: records are dropped until there is some', () =>
  withFolder(async (directory) => {
    const disk = new FaultyDisk();
    const flows = new LiveFlows(directory, { keepFreePercent: 10 }, { disk });
    await flows.sink.open();
    disk.space = { freeBytes: 5, totalBytes: 100 };
    await flows.pass(1000);
    flows.give(10);
    expect(flows.context.dropped()).toEqual({ diskFull: 10 });
    expect(flows.context.counters.failingReason).toBe('diskFull');
    disk.space = { freeBytes: 15, totalBytes: 100 };
    await flows.pass(1000);
    expect(flows.context.counters.failingReason).toBeUndefined();
    flows.give(10, 10);
    await flows.sink.close();
    expect(flows.context.counters.written).toBe(10);
    expect(flows.context.lines).toEqual([
      'error: The disk with flow records is full: records are dropped until there is room again.',
      'info: Files of flow records are written again.',
    ]);
  }));

test('no limit: nothing is deleted', () =>
  withFolder(async (directory) => {
    leaveOld(directory);
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    flows.give(1);
    await flows.pass(100 * DAY_SECONDS * 1000);
    await flows.sink.close();
    expect(oldFiles(directory)).toEqual(OLD);
  }));

test('a file that cannot be deleted is said once, and others are deleted', () =>
  withFolder(async (directory) => {
    leaveOld(directory);
    const disk = new FaultyDisk();
    const { remove } = disk;
    disk.remove = (path) =>
      path.includes(OLD[1] ?? '')
        ? Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }))
        : remove.call(disk, path);
    const flows = new LiveFlows(directory, { keepSeconds: 60 }, { disk });
    await flows.sink.open();
    flows.give(1);
    await flows.pass(1000);
    await flows.sink.close();
    expect(oldFiles(directory)).toEqual([OLD[1]]);
    expect(flows.context.lines).toEqual([
      'warn: An old flow file cannot be deleted.',
      'info: Old flow files were deleted.',
    ]);
    expect(flows.context.counters.written).toBe(1);
  }));
