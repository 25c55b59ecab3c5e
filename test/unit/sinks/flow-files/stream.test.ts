import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { FlowFilesSink } from '../../../../src/sinks/flow-files/flow-files-sink.ts';
import { flowFilesDropReasons } from '../../../../src/sinks/flow-files/drop-reasons.ts';
import { type FlowStream, streamedFlows } from '../../../../src/sinks/flow-files/stream.ts';
import { type Disk, nodeDisk } from '../../../../src/sinks/files/disk.ts';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { numberedRecord } from '../../../support/flow-records.ts';
import { flowSinkContext } from '../../../support/flow-sink-context.ts';
import { numbersIn } from '../../../support/live-flows.ts';
import { withFolder } from '../../../support/tshark.ts';

function stream(of: Partial<FlowStream>, disk?: Disk) {
  const context = flowSinkContext(flowFilesDropReasons);
  const target = { path: '-', stdout: -1, force: false, ...of };
  return { context, sink: streamedFlows(target, context, disk === undefined ? {} : { disk }) };
}

function give(sink: FlowFilesSink, count: number): void {
  for (let i = 0; i < count; i++) sink.record(numberedRecord(i));
}

test('a file is made with its folder, is called .part at first, and told of when it is finished', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'a/b/flows.json');
    const { sink, context } = stream({ path });
    await sink.open();
    expect(existsSync(`${path}.part`)).toBe(true);
    give(sink, 5);
    await sink.close();
    expect(existsSync(`${path}.part`)).toBe(false);
    expect(numbersIn(join(folder, 'a/b'), 'flows.json')).toEqual([0, 1, 2, 3, 4]);
    expect(statSync(path).mode & 0o027).toBe(0);
    expect(context.files).toEqual(['flows.json']);
  }));

test('no record: an empty file', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'flows.json');
    const { sink } = stream({ path });
    await sink.open();
    await sink.close();
    expect(readFileSync(path, 'utf8')).toBe('');
  }));

test.each(['flows.json', 'flows.json.part'])('%s is in the way, unless --force replaces it', (taken) =>
  withFolder(async (folder) => {
    const path = join(folder, 'flows.json');
    writeFileSync(join(folder, taken), 'an older run\n');
    const { sink } = stream({ path });
    await expect(sink.open()).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
      context: { path: join(folder, taken) },
    });
    await sink.close();
    expect(readFileSync(join(folder, taken), 'utf8')).toBe('an older run\n');

    const forced = stream({ path, force: true });
    await forced.sink.open();
    give(forced.sink, 2);
    await forced.sink.close();
    expect(numbersIn(folder, 'flows.json')).toEqual([0, 1]);
  }),
);

test('a named pipe is written to as it is', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const read = text(createReadStream(path));
    const { sink } = stream({ path });
    await sink.open();
    give(sink, 3);
    await sink.close();
    expect((await read).split('\n')).toHaveLength(4);
  }));

test('a folder in the place of the file is named', () =>
  withFolder(async (folder) => {
    const { sink } = stream({ path: folder });
    await expect(sink.open()).rejects.toMatchObject({
      code: 'FLOWS_WRITE_FAILED',
      context: { path: folder },
    });
  }));

test('no thread waits in the system for the reader of a pipe', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const tries: unknown[] = [];
    let read: Promise<string> | undefined;
    const open: Disk['open'] = (...args) => {
      tries.push(args[1]);
      // the second try has found no reader either
      if (tries.length === 2) {
        setImmediate(() => {
          read = text(createReadStream(path));
        });
      }
      return nodeDisk.open(...args);
    };
    const { sink } = stream({ path }, { ...nodeDisk, open });
    await sink.open();
    give(sink, 3);
    await sink.close();
    expect((await read)?.split('\n')).toHaveLength(4);
    expect(tries.length).toBeGreaterThan(2);
  }));

test('standard output: written to where it stands, and left open', () =>
  withFolder(async (folder) => {
    const stdout = openSync(join(folder, 'out'), 'w');
    writeFileSync(stdout, 'before\n');
    const { sink } = stream({ stdout });
    await sink.open();
    give(sink, 2);
    await sink.close();
    writeFileSync(stdout, 'after\n');
    const lines = readFileSync(join(folder, 'out'), 'utf8').split('\n');
    expect([lines[0], lines.length, lines.at(-2)]).toEqual(['before', 5, 'after']);
  }));

test('a full disk ends the work with an error, and the file stays unfinished', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'flows.json');
    const disk = new FaultyDisk();
    const { sink, context } = stream({ path }, disk);
    await sink.open();
    disk.failWrites = 'ENOSPC';
    disk.bytesBeforeFailure = 100;
    give(sink, 5);
    await expect(sink.flush()).rejects.toMatchObject({ code: 'DISK_FULL', context: { path: 'flows.json' } });
    give(sink, 5);
    await expect(sink.close()).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(existsSync(path)).toBe(false);
    expect(context.dropped()).toEqual({ diskFull: 10 });
  }));
