import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { liveFiles } from '../../../../src/sinks/files/create.ts';
import { type FilesSink, filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import type { FilesSettings } from '../../../../src/sinks/settings.ts';
import { nodeFileSystem } from '../../../../src/store/file-system.ts';
import { retain } from '../../../../src/store/retain.ts';
import { batchOf, numberedFrame } from '../../../support/batches.ts';
import { capturesSettings } from '../../../support/captures-settings.ts';
import { requires, requiresRoot } from '../../../support/requires.ts';
import { sinkContext, type TestSinkContext } from '../../../support/sink-context.ts';
import { runWireshark, withFolder } from '../../../support/tshark.ts';

const possible = [requires('mount'), requires('tshark'), requiresRoot()].every((met) => met);
const MIB = 1024 * 1024;

/** Runs a live sink on a file system of 8 MiB that is made for it. */
function onSmallDisk(
  settings: Partial<FilesSettings>,
  work: (sink: FilesSink, context: TestSinkContext, directory: string) => Promise<void>,
): Promise<void> {
  return withFolder(async (directory) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'mirrortap-test', directory]);
    try {
      const limits = { keepBytes: 0, keepSeconds: 0, keepFreePercent: 10, ...settings };
      const makeRoom = async () => {
        retain(nodeFileSystem, directory, undefined, { limits, now: Date.now, budgetMs: 10_000 });
      };
      const context = { ...sinkContext(filesDropReasons), makeRoom };
      const sink = liveFiles(capturesSettings({ directory, ...settings }), context, { tickMs: 0 });
      await sink.open();
      await work(sink, context, directory);
    } finally {
      execFileSync('umount', ['--lazy', directory]);
    }
  });
}

async function write(sink: FilesSink, context: TestSinkContext, bytes: number): Promise<void> {
  const frame = numberedFrame(1, 1000);
  for (let left = bytes; left > 0; left -= 100 * frame.length) {
    context.counters.addDelivered(100);
    await sink.write(batchOf(Array.from({ length: 100 }, () => ({ frame }))));
    context.clock.ms += 1000;
    sink.tick();
    await sink.settle();
  }
}

function packetsIn(directory: string): number {
  const names = readdirSync(join(directory, 'vni-0'));
  return names
    .map((name) =>
      runWireshark('tshark', ['-r', join(directory, 'vni-0', name), '-T', 'fields', '-e', 'frame.len']),
    )
    .reduce((sum, lines) => sum + lines.split('\n').length - 1, 0);
}

test.skipIf(!possible)('a real disk that is full: what was counted as written is there, and it resumes', () =>
  onSmallDisk({ keepFreePercent: 0 }, async (sink, context, directory) => {
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(6 * MIB));
    await write(sink, context, 4 * MIB);
    expect(context.counters.failingReason).toBe('diskFull');
    expect(context.counters.pending).toBe(0);
    const before = context.counters.written;
    expect(packetsIn(directory)).toBe(before);
    rmSync(ballast);
    await write(sink, context, 2 * MIB);
    await sink.close();
    expect(context.counters.failingReason).toBeUndefined();
    expect(context.counters.written).toBeGreaterThan(before + 1000);
    expect(packetsIn(directory)).toBe(context.counters.written);
  }),
);

test.skipIf(!possible)(
  'keepFreePercent on a real disk: old files make room for new ones, nothing is dropped',
  () =>
    onSmallDisk({ keepFreePercent: 50, rotateBytes: MIB / 2 }, async (sink, context, directory) => {
      await write(sink, context, 20 * MIB);
      await sink.close();
      expect(context.dropped()).toEqual({});
      const left = readdirSync(join(directory, 'vni-0')).sort();
      expect(left.length).toBeGreaterThan(3);
      expect(left.length).toBeLessThan(12);
      expect(left.at(-1)).toBe(context.files.at(-1)?.path.slice('vni-0/'.length));
    }),
);
