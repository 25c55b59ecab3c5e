import { expect, test } from 'vitest';
import { FaultyDisk } from '../../../support/faulty-disk.ts';
import { flowFiles, LiveFlows, numbersIn } from '../../../support/live-flows.ts';
import { withFolder } from '../../../support/tshark.ts';

const upTo = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i);

test('a write that finds no room: what was half written is taken back, later records go to a new file', () =>
  withFolder(async (directory) => {
    const disk = new FaultyDisk();
    const flows = new LiveFlows(directory, {}, { disk });
    await flows.sink.open();
    flows.give(10);
    await flows.sink.flush();
    disk.failWrites = 'ENOSPC';
    disk.bytesBeforeFailure = 1234;
    flows.give(10, 10);
    await flows.sink.flush();
    flows.give(10, 20);
    expect(flows.context.dropped()).toEqual({ diskFull: 20 });
    await flows.pass(1000);
    expect(flows.context.counters.failingReason).toBe('diskFull');
    disk.failWrites = undefined;
    await flows.pass(1000);
    expect(flows.context.counters.failingReason).toBeUndefined();
    flows.give(10, 30);
    await flows.sink.close();
    expect(flowFiles(directory).map((name) => numbersIn(directory, name))).toEqual([upTo(10), upTo(10, 30)]);
    expect(flows.context.lines).toEqual([
      'error: A file of flow records cannot be written; records are dropped until it can.',
      'info: Files of flow records are written again.',
    ]);
    expect(flows.context.counters).toMatchObject({ written: 20, pending: 0, pendingBytes: 0 });
  }));

test('a disk that fails is tried again after a second, and said once', () =>
  withFolder(async (directory) => {
    const disk = new FaultyDisk();
    const flows = new LiveFlows(directory, {}, { disk });
    await flows.sink.open();
    disk.failWrites = 'EIO';
    for (let i = 0; i < 5; i++) {
      flows.give(10, 10 * i);
      await flows.pass(1000);
    }
    expect(flows.context.dropped()).toEqual({ writeFailed: 50 });
    expect(flows.context.lines).toHaveLength(1);
    expect(flowFiles(directory)).toEqual([]);
    disk.failWrites = undefined;
    await flows.pass(1000);
    flows.give(10, 50);
    await flows.sink.close();
    expect(flows.context.counters.written).toBe(10);
  }));

test('a file that cannot be opened costs what waits for it', () =>
  withFolder(async (directory) => {
    const disk = new FaultyDisk();
    const flows = new LiveFlows(directory, {}, { disk });
    await flows.sink.open();
    disk.failOpens = { path: '.ndjson', errno: 'EMFILE' };
    flows.give(10);
    await flows.sink.flush();
    expect(flows.context.dropped()).toEqual({ writeFailed: 10 });
    disk.failOpens = undefined;
    await flows.pass(1000);
    flows.give(10, 10);
    await flows.sink.close();
    expect(flows.context.counters.written).toBe(10);
  }));
