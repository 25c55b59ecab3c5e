import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeLane } from '../../../../src/packet/lane.ts';
import { filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import { liveFiles, offlineFiles } from '../../../../src/sinks/files/create.ts';
import { batchOf, numbered, TEST_SECONDS } from '../../../support/batches.ts';
import { capturesSettings } from '../../../support/captures-settings.ts';
import { sinkContext } from '../../../support/sink-context.ts';
import { withFolder } from '../../../support/tshark.ts';

const offline = { format: 'pcapng', split: 'lane', force: false } as const;

test('offline: DIR/<lane>.pcapng, called .part until it is finished', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'made', 'on', 'demand');
    const context = sinkContext(filesDropReasons);
    const sink = offlineFiles({ ...offline, directory }, context);
    await sink.open();
    await sink.write(batchOf([{ lane: 1 }, { lane: 2 }, { lane: 1 }]));
    await sink.flush();
    expect(readdirSync(directory).sort()).toEqual(['vni-1.pcapng.part', 'vni-2.pcapng.part']);
    await sink.close();
    expect(readdirSync(directory).sort()).toEqual(['vni-1.pcapng', 'vni-2.pcapng']);
    expect(context.files.map(({ path, packets }) => [path, packets]).sort()).toEqual([
      ['vni-1.pcapng', 2],
      ['vni-2.pcapng', 1],
    ]);
  }));

test('offline, split none: DIR/all.pcapng', () =>
  withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const sink = offlineFiles({ ...offline, split: 'none', directory }, context);
    await sink.open();
    await sink.write(batchOf([{ lane: 1 }, { lane: 2 }, { lane: 1 }]));
    await sink.close();
    expect(readdirSync(directory)).toEqual(['all.pcapng']);
    expect(context.files).toMatchObject([
      {
        path: 'all.pcapng',
        packets: 3,
        lanes: [
          { name: 'vni-1', packets: 2 },
          { name: 'vni-2', packets: 1 },
        ],
      },
    ]);
  }));

test('offline: files that are there are refused, nothing is left behind, and force replaces them', () =>
  withFolder(async (directory) => {
    writeFileSync(join(directory, 'vni-2.pcapng'), 'precious');
    const context = sinkContext(filesDropReasons);
    const sink = offlineFiles({ ...offline, directory }, context);
    await sink.open();
    const batch = batchOf([{ lane: 1 }, { lane: 2 }]);
    await sink.write(batch);
    await expect(sink.close()).rejects.toMatchObject({ name: 'MirrorError', code: 'OUTPUT_EXISTS' });
    expect(readdirSync(directory)).toEqual(['vni-2.pcapng']);
    expect(statSync(join(directory, 'vni-2.pcapng')).size).toBe('precious'.length);

    const forced = offlineFiles({ ...offline, directory, force: true }, sinkContext(filesDropReasons));
    await forced.open();
    await forced.write(batch);
    await forced.close();
    expect(statSync(join(directory, 'vni-2.pcapng')).size).toBeGreaterThan(100);
  }));

test('offline: an unfinished file of an earlier run is refused too', () =>
  withFolder(async (directory) => {
    writeFileSync(join(directory, 'vni-0.pcapng.part'), 'precious');
    const sink = offlineFiles({ ...offline, directory }, sinkContext(filesDropReasons));
    await sink.open();
    await sink.write(numbered(1));
    await expect(sink.close()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(statSync(join(directory, 'vni-0.pcapng.part')).size).toBe('precious'.length);
  }));

test('a folder that cannot be made is an error at once', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    const directory = join(folder, 'file', 'below');
    const sink = offlineFiles({ ...offline, directory }, sinkContext(filesDropReasons));
    await expect(sink.open()).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE', context: { directory } });
    await sink.close();
  }));

// Node's own `mkdir -p` never ends there
test.skipIf(process.platform !== 'linux')('also below a file system that makes no folders', async () => {
  const sink = offlineFiles({ ...offline, directory: '/proc/none/below' }, sinkContext(filesDropReasons));
  await expect(sink.open()).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
  await sink.close();
});

test('a file where the folder should be is an error that says so', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'file');
    writeFileSync(directory, '');
    const sink = offlineFiles({ ...offline, directory }, sinkContext(filesDropReasons));
    await expect(sink.open()).rejects.toMatchObject({ context: { directory, error: 'ENOTDIR' } });
    await sink.close();
  }));

test('live: DIR/<lane>/<start>-<sequence>-w<worker>.pcapng, the sequence going on after a restart', () =>
  withFolder(async (directory) => {
    const run = async (worker: number, seconds: number) => {
      const context = sinkContext(filesDropReasons, worker);
      const sink = liveFiles(capturesSettings({ directory, rotatePackets: 2 }), context, { tickMs: 0 });
      await sink.open();
      await sink.write(batchOf(Array.from({ length: 3 }, () => ({ lane: 7, seconds }))));
      await sink.close();
      return context.files.map(({ path }) => path);
    };
    expect(await run(0, TEST_SECONDS)).toEqual([
      'vni-7/20261121T040000Z-000001-w0.pcapng',
      'vni-7/20261121T040000Z-000002-w0.pcapng',
    ]);
    expect(await run(1, TEST_SECONDS)).toEqual([
      'vni-7/20261121T040000Z-000001-w1.pcapng',
      'vni-7/20261121T040000Z-000002-w1.pcapng',
    ]);
    // a crash left a file behind: its number is taken
    writeFileSync(join(directory, 'vni-7', '20261121T040001Z-999999-w0.pcapng.part'), '');
    expect(await run(0, TEST_SECONDS + 61)).toEqual([
      'vni-7/20261121T040101Z-1000000-w0.pcapng',
      'vni-7/20261121T040101Z-1000001-w0.pcapng',
    ]);
  }));

test('live, split none: DIR/all/…; files are 0640 and folders 0750', () =>
  withFolder(async (directory) => {
    const before = process.umask(0);
    try {
      const context = sinkContext(filesDropReasons);
      const sink = liveFiles(capturesSettings({ directory, split: 'none' }), context, { tickMs: 0 });
      await sink.open();
      await sink.write(batchOf([{ lane: 1 }, { lane: 2 }]));
      await sink.close();
      const file = join(directory, 'all', '20261121T040000Z-000001-w0.pcapng');
      expect(statSync(file).mode & 0o777).toBe(0o640);
      expect(statSync(join(directory, 'all')).mode & 0o777).toBe(0o750);
    } finally {
      process.umask(before);
    }
  }));

test('live: a folder that someone deletes is made again', () =>
  withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const sink = liveFiles(capturesSettings({ directory, rotatePackets: 1 }), context, { tickMs: 0 });
    await sink.open();
    await sink.write(numbered(1));
    await sink.write(numbered(1));
    await sink.settle();
    rmSync(join(directory, 'vni-0'), { recursive: true });
    await sink.write(numbered(1));
    await sink.close();
    expect(existsSync(join(directory, 'vni-0', '20261121T040000Z-000003-w0.pcapng'))).toBe(true);
    expect(context.counters.written).toBe(3);
  }));

test('a directory slot that gets another lane gets another file', () =>
  withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const sink = offlineFiles({ ...offline, directory }, context);
    await sink.open();
    await sink.write(numbered(2));
    context.lanes.replace(0, makeLane(2, 99, true, 0, 0xab, 101));
    await sink.write(numbered(1));
    await sink.close();
    expect(context.files.map(({ path, packets }) => [path, packets]).sort()).toEqual([
      ['geneve-99-00000000000000ab-ip.pcapng', 1],
      ['vni-0.pcapng', 2],
    ]);
  }));

test.each(['', '.zst', '.gz'])(
  'a name that another process has finished since (%s) is not taken again',
  (suffix) =>
    withFolder(async (directory) => {
      const one = sinkContext(filesDropReasons);
      const sink = liveFiles(capturesSettings({ directory, rotatePackets: 1 }), one, { tickMs: 0 });
      await sink.open();
      await sink.write(numbered(1));
      await sink.flush();
      const taken = `20261121T040000Z-000002-w0.pcapng${suffix}`;
      writeFileSync(join(directory, 'vni-0', taken), 'of another process');
      await sink.write(numbered(2));
      await sink.close();
      expect(one.counters.written).toBe(3);
      expect(readdirSync(join(directory, 'vni-0')).toSorted()).toEqual([
        '20261121T040000Z-000001-w0.pcapng',
        taken,
        '20261121T040000Z-000003-w0.pcapng',
        '20261121T040000Z-000004-w0.pcapng',
      ]);
      expect(readFileSync(join(directory, 'vni-0', taken), 'utf8')).toBe('of another process');
    }),
);
