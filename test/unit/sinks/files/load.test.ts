import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { liveFiles, offlineFiles } from '../../../../src/sinks/files/create.ts';
import { filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import { batchOf, numbered, numberedFrame, overwrite, TEST_SECONDS } from '../../../support/batches.ts';
import { capturesSettings } from '../../../support/captures-settings.ts';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { requires } from '../../../support/requires.ts';
import { sinkContext } from '../../../support/sink-context.ts';
import { runWireshark, withFolder } from '../../../support/tshark.ts';

const LANES = 4096;
const program = join(import.meta.dirname, '../../../support/programs/write-many-lanes.ts');

test.skipIf(!requires('capinfos'))(
  '4,096 lanes at once: every packet in its file, in bounded memory and files',
  () =>
    withFolder(async (directory) => {
      const context = sinkContext(filesDropReasons);
      const disk = new FaultyDisk();
      const output = { directory, format: 'pcapng', split: 'lane', force: false } as const;
      // a quarter of what one small chunk a lane would take
      const sink = offlineFiles(output, context, { disk, memoryBytes: (LANES * 4096) / 4 });
      await sink.open();
      const rounds = 6;
      for (let round = 0; round < rounds; round++) {
        for (let first = 0; first < LANES; first += 512) {
          const packets = Array.from({ length: 512 }, (_, i) => ({
            lane: first + i,
            frame: numberedFrame(round, 700),
          }));
          const batch = batchOf(packets);
          await sink.write(batch);
          overwrite(batch);
        }
      }
      await sink.close();
      expect(context.counters).toMatchObject({ written: rounds * LANES, pendingBytes: 0 });
      expect(disk.mostOpenFiles).toBeLessThanOrEqual(1024);
      expect(disk.openFiles.size).toBe(0);
      expect(context.files).toHaveLength(LANES);
      const some = [0, 1, 777, LANES - 1].map((lane) => join(directory, `vni-${lane}.pcapng`));
      const table = runWireshark('capinfos', ['-T', '-M', '-r', '-c', ...some]);
      expect(
        table
          .trim()
          .split('\n')
          .map((line) => line.split('\t').at(-1)),
      ).toEqual(some.map(() => `${rounds}`));
    }),
);

test(
  '4,096 live lanes that all begin anew at one moment, with few open files: nothing is lost',
  () =>
    withFolder(async (directory) => {
      const context = { ...sinkContext(filesDropReasons), openFiles: 100 };
      const disk = new FaultyDisk();
      const settings = capturesSettings({ directory, rotateSeconds: 10 });
      const sink = liveFiles(settings, context, { disk, tickMs: 0 });
      await sink.open();
      for (const seconds of [0, 5, 10, 25]) {
        for (let first = 0; first < LANES; first += 512) {
          const packets = Array.from({ length: 512 }, (_, i) => ({
            lane: first + i,
            seconds: TEST_SECONDS + seconds,
          }));
          context.counters.addDelivered(packets.length);
          await sink.write(batchOf(packets));
        }
      }
      await sink.close();
      expect(context.counters).toMatchObject({ written: 4 * LANES, pending: 0, pendingBytes: 0 });
      expect(context.files.map(({ packets }) => packets).reduce((sum, packets) => sum + packets, 0)).toBe(
        4 * LANES,
      );
      expect(context.files).toHaveLength(3 * LANES);
      // two at a time may be on their way in or out
      expect(disk.mostOpenFiles).toBeLessThanOrEqual(102);
      expect(disk.openFiles.size).toBe(0);
    }),
  180_000,
);

test(
  '4,096 lanes in a process that may have 1,024 files open',
  () =>
    withFolder((directory) => {
      const command = `ulimit -n 1024 && exec ${process.execPath} ${program} ${directory}`;
      const printed = execFileSync('sh', ['-c', command], { encoding: 'utf8' });
      expect(JSON.parse(printed)).toEqual({
        written: 3 * LANES,
        pending: 0,
        dropped: {},
        files: 3 * LANES,
        openFiles: 512,
      });
    }),
  180_000,
);

test('few open files allowed: the sink makes do with them', () =>
  withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const disk = new FaultyDisk();
    const open = disk.open.bind(disk);
    disk.open = (path, flags) =>
      disk.openFiles.size < 10
        ? open(path, flags)
        : Promise.reject(Object.assign(new Error(), { code: 'EMFILE' }));
    const output = { directory, format: 'pcap', split: 'lane', force: false } as const;
    const sink = offlineFiles(output, context, { disk });
    await sink.open();
    for (let round = 0; round < 3; round++) {
      await sink.write(batchOf(Array.from({ length: 50 }, (_, lane) => ({ lane }))));
      await sink.flush();
    }
    await sink.close();
    expect(context.counters.written).toBe(150);
    expect(context.files.every(({ packets }) => packets === 3)).toBe(true);
  }));

test('a disk that hangs: write waits once the memory is full, and goes on when the disk does', () =>
  withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const disk = new FaultyDisk();
    const memoryBytes = 1024 * 1024;
    const sink = liveFiles(capturesSettings({ directory }), context, { disk, memoryBytes, tickMs: 0 });
    await sink.open();
    let release = () => {};
    disk.gate = new Promise((resolve) => (release = resolve));
    const frames = Array.from({ length: 1000 }, (_, i) => ({ frame: numberedFrame(i, 1400) }));
    let settled = false;
    const write = sink.write(batchOf(frames)).then(() => (settled = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(settled).toBe(false);
    expect(context.counters.pendingBytes).toBeLessThanOrEqual(memoryBytes);
    release();
    await write;
    await sink.close();
    expect(context.counters).toMatchObject({ written: 1000, pendingBytes: 0 });
  }));

test('a frame that no memory holds is dropped and counted', () =>
  withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const output = { directory, format: 'pcapng', split: 'lane', force: false } as const;
    const sink = offlineFiles(output, context);
    await sink.open();
    context.counters.addDelivered(3);
    await sink.write(batchOf([{}, { frame: Buffer.alloc(524_288) }, {}]));
    await sink.close();
    expect(context.counters).toMatchObject({ written: 2, pending: 0 });
    expect(context.dropped()).toEqual({ writeFailed: 1 });
  }));

test('small and large frames of many lanes, with little memory: all are written, in order', () =>
  withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const output = { directory, format: 'pcap', split: 'lane', force: false } as const;
    const sink = offlineFiles(output, context, { memoryBytes: 1 });
    await sink.open();
    let packets = 0;
    for (let round = 0; round < 40; round++) {
      const some = Array.from({ length: 200 }, (_, i) => ({
        lane: (i * 7 + round) % 150,
        frame: numberedFrame(round, 60 + ((i * 977 + round * 131) % 64_000)),
      }));
      await sink.write(batchOf(some));
      await sink.write(numbered(3, round, 151));
      packets += 203;
    }
    await sink.close();
    expect(context.counters).toMatchObject({ written: packets, pendingBytes: 0 });
  }));
