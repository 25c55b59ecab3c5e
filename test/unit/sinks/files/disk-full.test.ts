import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { liveFiles, offlineFiles } from '../../../../src/sinks/files/create.ts';
import { type FilesSink, filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import type { FilesSettings } from '../../../../src/sinks/settings.ts';
import { batchOf, numbered } from '../../../support/batches.ts';
import { capturesSettings } from '../../../support/captures-settings.ts';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { requires } from '../../../support/requires.ts';
import { roomMaker } from '../../../support/room-maker.ts';
import { sinkContext, type TestSinkContext } from '../../../support/sink-context.ts';
import { statistics } from '../../../support/statistics.ts';
import { tsharkFields, withFolder } from '../../../support/tshark.ts';

interface Setup {
  readonly sink: FilesSink;
  readonly context: TestSinkContext;
  readonly disk: FaultyDisk;
  readonly directory: string;
}

function withSink(settings: Partial<FilesSettings>, work: (setup: Setup) => Promise<void>): Promise<void> {
  return withFolder(async (directory) => {
    const disk = new FaultyDisk();
    const { keepFreePercent = 10 } = settings;
    const makeRoom = roomMaker(disk, directory, keepFreePercent);
    const context = { ...sinkContext(filesDropReasons), makeRoom };
    const sink = liveFiles(capturesSettings({ directory, ...settings }), context, { tickMs: 0, disk });
    await sink.open();
    await work({ sink, context, disk, directory });
  });
}

/** Hands over a batch as an outlet does. */
async function deliver({ sink, context }: Setup, packets: number, first = 0, lane = 0): Promise<void> {
  context.counters.addDelivered(packets);
  await sink.write(numbered(packets, first, lane));
}

/** Lets a second pass: what is not full is written, the disk is looked at. */
async function second({ sink, context }: Setup): Promise<void> {
  context.clock.ms += 1000;
  sink.tick();
  await sink.settle();
}

test('ENOSPC: packets are dropped and counted, the sink says so, and resumes by itself', () =>
  withSink({}, async (setup) => {
    const { sink, context, disk } = setup;
    await deliver(setup, 10);
    await second(setup);
    disk.failWrites = 'ENOSPC';
    disk.space = { freeBytes: 0, totalBytes: 100 };
    await deliver(setup, 20);
    await second(setup);
    expect(context.counters.failingReason).toBe('diskFull');
    await deliver(setup, 30);
    expect(context.dropped()).toEqual({ diskFull: 50 });
    expect(context.counters).toMatchObject({ written: 10, pending: 0, pendingBytes: 0 });

    disk.failWrites = undefined;
    disk.space = undefined;
    await second(setup);
    expect(context.counters.failingReason).toBeUndefined();
    await deliver(setup, 5);
    await sink.close();
    expect(context.counters).toMatchObject({ written: 15, pending: 0, pendingBytes: 0 });
    expect(context.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
  }));

describe.skipIf(!requires('tshark'))('what is left on a full disk is read by tshark', () => {
  test.each([0, 1, 100, 1000])('%i bytes of the chunk that failed were stored', (bytesBeforeFailure) =>
    withSink({}, async (setup) => {
      const { sink, context, disk, directory } = setup;
      await deliver(setup, 10);
      await second(setup);
      Object.assign(disk, { failWrites: 'ENOSPC', bytesBeforeFailure });
      await deliver(setup, 20);
      await second(setup);
      Object.assign(disk, { failWrites: undefined });
      await sink.close();
      const [file] = context.files;
      expect(file?.lanes).toMatchObject([{ name: 'vni-0', packets: 10, dropped: 20 }]);
      const path = join(directory, file?.path ?? '');
      expect(tsharkFields(path, ['frame.number'])).toHaveLength(10);
    }),
  );

  test('split none: interfaces whose description was lost are not spoken of, their drops are not forgotten', () =>
    withSink({ split: 'none' }, async (setup) => {
      const { sink, context, disk, directory } = setup;
      await deliver(setup, 3, 0, 1);
      await second(setup);
      disk.failWrites = 'ENOSPC';
      context.counters.addDelivered(3);
      await sink.write(batchOf([{ lane: 1 }, { lane: 2 }, { lane: 2 }]));
      context.clock.ms += 1000;
      sink.tick();
      await sink.settle();
      disk.failWrites = undefined;
      context.clock.ms += 1000;
      sink.tick();
      await sink.settle();
      await deliver(setup, 1, 0, 2);
      await sink.close();
      const told = context.files.map(({ path }) => statistics(join(directory, path)));
      expect(told.at(-1)).toEqual([{ interface: 0, received: 3, dropped: 2 }]);
      expect(context.files[0]?.lanes).toMatchObject([{ name: 'vni-1', packets: 3, dropped: 1 }]);
      expect(context.dropped()).toEqual({ diskFull: 3 });
      expect(context.counters.pending).toBe(0);
    }));
});

test('a file whose first block was not stored is removed', () =>
  withSink({}, async (setup) => {
    const { sink, context, disk, directory } = setup;
    disk.failWrites = 'EDQUOT';
    await deliver(setup, 4);
    await second(setup);
    expect(readdirSync(join(directory, 'vni-0'))).toEqual([]);
    await sink.close();
    expect(context.files).toEqual([]);
    expect(context.dropped()).toEqual({ diskFull: 4 });
  }));

test('EIO: the lane tries again after a second', () =>
  withSink({}, async (setup) => {
    const { sink, context, disk } = setup;
    disk.failWrites = 'EIO';
    await deliver(setup, 4);
    await second(setup);
    expect(context.counters.failingReason).toBe('writeFailed');
    await deliver(setup, 2);
    disk.failWrites = undefined;
    context.clock.ms += 1000;
    await deliver(setup, 8);
    await sink.close();
    expect(context.dropped()).toEqual({ writeFailed: 6 });
    expect(context.counters).toMatchObject({ written: 8, pending: 0, failingReason: undefined });
  }));

test('without packets too, the sink finds out that it can write again', () =>
  withSink({}, async (setup) => {
    const { sink, context, disk } = setup;
    disk.failWrites = 'EDQUOT';
    await deliver(setup, 4);
    await second(setup);
    await second(setup);
    expect(context.counters.failingReason).toBe('diskFull');
    disk.failWrites = undefined;
    await second(setup);
    expect(context.counters.failingReason).toBeUndefined();
    await sink.close();
  }));

test('a lane whose folder cannot be written does not hold up the others', () =>
  withSink({}, async (setup) => {
    const { sink, context, disk } = setup;
    disk.failOpens = { path: 'vni-1/', errno: 'EACCES' };
    for (let round = 0; round < 3; round++) {
      await deliver(setup, 5, 0, 1);
      await deliver(setup, 5, 0, 2);
      await second(setup);
    }
    await sink.close();
    expect(context.counters).toMatchObject({ written: 15, pending: 0, pendingBytes: 0 });
    expect(context.dropped()).toEqual({ writeFailed: 15 });
  }));

test('keepFreePercent: the oldest finished files go first, then writing stops until there is room', () =>
  withSink({ rotatePackets: 1, keepFreePercent: 10 }, async (setup) => {
    const { sink, context, disk, directory } = setup;
    await deliver(setup, 3);
    await second(setup);
    const finished = context.files.map(({ path }) => path);
    expect(finished).toHaveLength(2);
    disk.space = { freeBytes: 9, totalBytes: 100 };
    await second(setup);
    expect(disk.removed).toEqual(finished.map((path) => join(directory, path)));
    expect(existsSync(join(directory, 'vni-0', '20261121T040000Z-000003-w0.pcapng.part'))).toBe(true);
    expect(context.counters.failingReason).toBe('diskFull');
    await deliver(setup, 7);
    expect(context.dropped()).toEqual({ diskFull: 7 });

    disk.space = { freeBytes: 10, totalBytes: 100 };
    await second(setup);
    expect(context.counters.failingReason).toBeUndefined();
    await deliver(setup, 2);
    await sink.close();
    expect(context.counters).toMatchObject({ written: 5, pending: 0 });
  }));

test('keepFreePercent 0: nothing is ever deleted', () =>
  withSink({ rotatePackets: 1, keepFreePercent: 0 }, async (setup) => {
    await deliver(setup, 3);
    await second(setup);
    setup.disk.space = { freeBytes: 0, totalBytes: 100 };
    await second(setup);
    await setup.sink.close();
    expect(setup.disk.removed).toEqual([]);
  }));

test.each([
  { errno: 'ENOSPC', code: 'DISK_FULL', reason: 'diskFull' },
  { errno: 'EIO', code: 'CAPTURE_WRITE_FAILED', reason: 'writeFailed' },
])(
  'offline, $errno ends the work with $code, and no file pretends to be complete',
  ({ errno, code, reason }) =>
    withFolder(async (directory) => {
      const context = sinkContext(filesDropReasons);
      const disk = new FaultyDisk();
      const output = { directory, format: 'pcapng', split: 'lane', force: false } as const;
      const sink = offlineFiles(output, context, { tickMs: 0, disk });
      const setup = { sink, context, disk, directory };
      await sink.open();
      await deliver(setup, 10);
      await sink.flush();
      disk.failWrites = errno;
      await deliver(setup, 20);
      await expect(sink.flush()).rejects.toMatchObject({ name: 'MirrorError', code });
      await expect(sink.write(numbered(1))).rejects.toMatchObject({ code });
      await expect(sink.close()).rejects.toMatchObject({ code });
      expect(readdirSync(directory)).toEqual(['vni-0.pcapng.part']);
      expect(context.dropped()).toEqual({ [reason]: 20 });
      expect(context.counters).toMatchObject({ written: 10, pending: 0, pendingBytes: 0 });
      expect(disk.openFiles.size).toBe(0);
    }),
);
