import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { liveFiles } from '../../../../src/sinks/files/create.ts';
import { type FilesSink, filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import type { FilesSettings } from '../../../../src/sinks/settings.ts';
import { batchOf, numbered, numberedFrame, TEST_SECONDS } from '../../../support/batches.ts';
import { capturesSettings } from '../../../support/captures-settings.ts';
import { requires } from '../../../support/requires.ts';
import { sinkContext, type TestSinkContext } from '../../../support/sink-context.ts';
import { statistics } from '../../../support/statistics.ts';
import { withFolder } from '../../../support/tshark.ts';

const off = { rotateBytes: 0, rotateSeconds: 0, rotatePackets: 0 };

/** Runs a live sink in a folder of its own. */
function withSink(
  settings: Partial<FilesSettings>,
  work: (sink: FilesSink, context: TestSinkContext, directory: string) => Promise<void>,
): Promise<void> {
  return withFolder(async (directory) => {
    const context = sinkContext(filesDropReasons);
    const sink = liveFiles(capturesSettings({ directory, ...off, ...settings }), context, { tickMs: 0 });
    await sink.open();
    await work(sink, context, directory);
  });
}

test('by packets', () =>
  withSink({ rotatePackets: 10 }, async (sink, context) => {
    for (let first = 0; first < 25; first += 5) await sink.write(numbered(5, first));
    await sink.close();
    expect(context.files.map(({ packets }) => packets)).toEqual([10, 10, 5]);
  }));

test('by bytes: no file grows past the limit, statistics excepted', () =>
  withSink({ rotateBytes: 65_536 }, async (sink, context, directory) => {
    for (let first = 0; first < 1000; first += 10) await sink.write(numbered(10, first));
    await sink.close();
    const sizes = context.files.map(({ path }) => statSync(join(directory, path)).size);
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536 + 76);
    expect(Math.max(...sizes)).toBeGreaterThan(65_000);
    expect(context.files.map(({ bytes }) => bytes)).toEqual(sizes);
    expect(context.counters.written).toBe(1000);
  }));

test('by bytes: a packet larger than the limit has a file of its own', () =>
  withSink({ rotateBytes: 65_536 }, async (sink, context) => {
    const large = { frame: numberedFrame(1, 65_535) };
    await sink.write(batchOf([{}, large, large, {}]));
    await sink.close();
    expect(context.files.map(({ packets }) => packets)).toEqual([1, 1, 1, 1]);
  }));

test('by the time of packets', () =>
  withSink({ rotateSeconds: 300 }, async (sink, context) => {
    const seconds = [0, 299, 300, 599, 600].map((after) => TEST_SECONDS + after);
    await sink.write(batchOf(seconds.map((second) => ({ seconds: second }))));
    await sink.close();
    expect(context.files.map(({ path, packets }) => [path, packets])).toEqual([
      ['vni-0/20261121T040000Z-000001-w0.pcapng', 2],
      ['vni-0/20261121T040500Z-000002-w0.pcapng', 2],
      ['vni-0/20261121T041000Z-000003-w0.pcapng', 1],
    ]);
  }));

test('an idle lane is finished when its time is over by the clock', () =>
  withSink({ rotateSeconds: 300 }, async (sink, context) => {
    await sink.write(numbered(1));
    context.clock.ms += 299_000;
    sink.tick();
    await sink.settle();
    expect(context.files).toHaveLength(0);
    context.clock.ms += 1000;
    sink.tick();
    await sink.settle();
    expect(context.files).toHaveLength(1);
    await sink.close();
    expect(context.files).toHaveLength(1);
  }));

test('without limits there is one file, however long it takes', () =>
  withSink({}, async (sink, context) => {
    await sink.write(batchOf([{ seconds: TEST_SECONDS }, { seconds: TEST_SECONDS + 1e6 }]));
    context.clock.ms += 1e9;
    sink.tick();
    await sink.close();
    expect(context.files).toHaveLength(1);
  }));

test('a file that is not full is written once it is a second old', () =>
  withSink({}, async (sink, context) => {
    await sink.write(numbered(3));
    context.clock.ms += 999;
    sink.tick();
    await sink.settle();
    expect(context.counters.written).toBe(0);
    expect(context.counters.pendingBytes).toBeGreaterThan(0);
    context.clock.ms += 1;
    sink.tick();
    await sink.settle();
    expect(context.counters.written).toBe(3);
    expect(context.counters.pendingBytes).toBe(0);
    await sink.close();
  }));

test('the slot of a lane that was closed: its file is finished when another worker gives the slot away', () =>
  withSink({}, async (sink, context) => {
    await sink.write(numbered(1, 0, 4));
    context.lanes.replace(4, { ...context.lanes.lane(4), name: 'vni-400' });
    context.clock.ms += 1000;
    sink.tick();
    await sink.settle();
    expect(context.files.map(({ lanes }) => lanes[0]?.name)).toEqual(['vni-4']);
    await sink.close();
  }));

test.skipIf(!requires('tshark'))(
  'drops are told by the file during which they happened, or by the next one',
  () =>
    withSink({ rotatePackets: 2 }, async (sink, context, directory) => {
      sink.missed(numbered(3));
      await sink.write(numbered(1));
      sink.missed(numbered(1));
      await sink.write(numbered(2, 1));
      await sink.close();
      const told = context.files.map(({ path }) => statistics(join(directory, path)));
      expect(told).toEqual([
        [{ interface: 0, received: 6, dropped: 4 }],
        [{ interface: 0, received: 1, dropped: 0 }],
      ]);
      expect(context.files.map(({ lanes }) => lanes[0]?.dropped)).toEqual([4, 0]);
    }),
);
