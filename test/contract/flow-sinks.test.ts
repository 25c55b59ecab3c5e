import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FlowRecord } from '../../src/packet/flow-record.ts';
import type { FlowSink } from '../../src/pipeline/flow-sink.ts';
import { flowSinkKinds } from '../../src/sinks/index.ts';
import { liveFlows } from '../../src/sinks/flow-files/create.ts';
import { flowFilesDropReasons } from '../../src/sinks/flow-files/drop-reasons.ts';
import { streamedFlows } from '../../src/sinks/flow-files/stream.ts';
import { flowSinkSettings } from '../../src/sinks/settings.ts';
import { FaultyDisk } from '../support/faulty-disk.ts';
import { largestRecord, numberedRecord, overwriteRecord } from '../support/flow-records.ts';
import { flowFilesSettings, flowSinkContext, type TestFlowContext } from '../support/flow-sink-context.ts';
import { withFolder } from '../support/tshark.ts';

const MEMORY_BYTES = 4 * 524_288;

/** What the suite has to know of one flow sink. */
interface Fixture {
  readonly name: string;
  readonly dropReasons: readonly string[];
  /** `drop`: loses records, counted, where it must; `fail`: loses none, and ends with an error instead. */
  readonly onFailure: 'drop' | 'fail';
  /** Makes a sink whose world is in `folder` and fails as `disk` does. */
  make(folder: string, context: TestFlowContext, disk: FaultyDisk): FlowSink;
  /** Makes one that cannot be opened; left out where there is nothing to open. */
  makeUnopenable?(folder: string, context: TestFlowContext): FlowSink;
  /** Numbers of the records that have left the sink for good, in order. */
  left(folder: string): number[];
}

const fixtures: readonly Fixture[] = [
  {
    name: 'flow-files',
    dropReasons: flowFilesDropReasons,
    onFailure: 'drop',
    make: (directory, context, disk) =>
      liveFlows(flowFilesSettings({ directory }), context, { tickMs: 0, disk, memoryBytes: MEMORY_BYTES }),
    makeUnopenable: (_folder, context) =>
      liveFlows(flowFilesSettings({ directory: '/dev/null/flows' }), context, { tickMs: 0 }),
    left: (directory) =>
      readdirSync(directory)
        .filter((name) => name.includes('.ndjson'))
        .sort()
        .flatMap((name) => numbersIn(join(directory, name))),
  },
  {
    name: 'decap --flows FILE',
    dropReasons: flowFilesDropReasons,
    onFailure: 'fail',
    make: (folder, context, disk) =>
      streamedFlows({ path: join(folder, 'flows.ndjson'), stdout: -1, force: false }, context, {
        disk,
        memoryBytes: MEMORY_BYTES,
      }),
    makeUnopenable: (_folder, context) =>
      streamedFlows({ path: '/dev/null/flows.ndjson', stdout: -1, force: false }, context),
    left: (folder) => ['flows.ndjson', 'flows.ndjson.part'].flatMap((name) => numbersIn(join(folder, name))),
  },
  {
    name: 'decap --flows -',
    dropReasons: flowFilesDropReasons,
    onFailure: 'fail',
    make: (folder, context, disk) =>
      streamedFlows({ path: '-', stdout: openSync(join(folder, 'stdout'), 'a'), force: false }, context, {
        disk,
        memoryBytes: MEMORY_BYTES,
      }),
    left: (folder) => numbersIn(join(folder, 'stdout')),
  },
];

function numbersIn(path: string): number[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  // a stream that failed may end in half a record: what it took cannot be taken back
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n').filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { mirrortap: { sequence: number } }).mirrortap.sequence);
}

const upTo = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i);

/** Hands over records as the pipeline does, and spoils each once it is taken. */
function give(sink: FlowSink, { counters }: TestFlowContext, records: number, first = 0): void {
  for (let i = 0; i < records; i++) giveOne(sink, counters, numberedRecord(first + i));
}

function giveOne(sink: FlowSink, counters: TestFlowContext['counters'], record: FlowRecord): void {
  counters.addDelivered(1);
  expect(sink.record(record)).toBeUndefined();
  overwriteRecord(record);
}

/** Settles when everything that waits for nothing else is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('every kind in the registry has a fixture here, and settings', () => {
  // one with a channel is only half a sink here: see test/unit/sinks/kafka and test/e2e
  const kinds = flowSinkKinds.filter(({ channel }) => channel === undefined).map(({ kind }) => kind);
  const names = fixtures.map(({ name }) => name);
  expect(kinds.filter((kind) => !names.includes(kind))).toEqual([]);
  expect(kinds).toEqual(Object.keys(flowSinkSettings));
});

type Work = (sink: FlowSink, context: TestFlowContext, folder: string, disk: FaultyDisk) => Promise<void>;

/** Runs a sink in a folder of its own. */
function runner({ dropReasons, make }: Fixture): (work: Work) => Promise<void> {
  return (work) =>
    withFolder((folder) => {
      const context = flowSinkContext(dropReasons);
      const disk = new FaultyDisk();
      return work(make(folder, context, disk), context, folder, disk);
    });
}

const runners = fixtures.map((fixture) => ({ ...fixture, run: runner(fixture) }));

describe.each(runners)('$name', ({ run, left }) => {
  test('opens and closes without a record', () =>
    run(async (sink, { counters }, folder) => {
      await sink.open();
      await sink.ready();
      await sink.flush();
      await sink.close();
      expect(left(folder)).toEqual([]);
      expect(counters).toMatchObject({ delivered: 0, written: 0, pending: 0, pendingBytes: 0 });
    }));

  test('refuses to be opened twice', () =>
    run(async (sink) => {
      await sink.open();
      await expect(sink.open()).rejects.toThrow();
      await sink.close();
    }));

  test('keeps order, and copies what it keeps: a record is overwritten as soon as it is taken', () =>
    run(async (sink, context, folder) => {
      await sink.open();
      for (let first = 0; first < 2000; first += 100) {
        give(sink, context, 100, first);
        await sink.ready();
      }
      await sink.close();
      expect(left(folder)).toEqual(upTo(2000));
      expect(context.counters).toMatchObject({ written: 2000, pending: 0, pendingBytes: 0 });
    }));

  test('flush: everything taken has left', () =>
    run(async (sink, context, folder) => {
      await sink.open();
      give(sink, context, 20);
      await sink.flush();
      expect(left(folder)).toEqual(upTo(20));
      expect(context.counters).toMatchObject({ written: 20, pending: 0, pendingBytes: 0 });
      give(sink, context, 20, 20);
      await sink.close();
      expect(left(folder)).toEqual(upTo(40));
    }));

  test('who waits for room loses nothing, however slow the disk is', () =>
    run(async (sink, context, folder, disk) => {
      await sink.open();
      let open = (): void => undefined;
      disk.gate = new Promise((resolve) => (open = resolve));
      let waits = true;
      for (let first = 0; waits; first += 100) {
        give(sink, context, 100, first);
        waits = await Promise.race([sink.ready().then(() => true), turn().then(() => false)]);
      }
      expect(context.counters.pendingBytes).toBeLessThan(MEMORY_BYTES);
      expect(context.counters.pendingBytes).toBeGreaterThan(MEMORY_BYTES / 4);
      open();
      await sink.ready();
      give(sink, context, 100, context.counters.delivered);
      await sink.close();
      expect(left(folder)).toEqual(upTo(context.counters.delivered));
      expect(context.counters).toMatchObject({ written: context.counters.delivered, pendingBytes: 0 });
    }));

  test('the largest records', () =>
    run(async (sink, context) => {
      await sink.open();
      for (let i = 0; i < 300; i++) {
        giveOne(sink, context.counters, largestRecord());
        await sink.ready();
      }
      await sink.close();
      expect(context.counters.written).toBe(300);
    }));

  test('a world that refuses: the ledger adds up, nothing is pending, and what is written is whole', () =>
    run(async (sink, context, folder, disk) => {
      const { counters } = context;
      await sink.open();
      give(sink, context, 100);
      await sink.flush();
      disk.failWrites = 'EIO';
      disk.bytesBeforeFailure = 700;
      give(sink, context, 100, 100);
      await sink.flush().catch(() => undefined);
      give(sink, context, 100, 200);
      await sink.ready();
      await sink.close().catch(() => undefined);
      expect(counters.delivered).toBe(300);
      expect(counters.failingReason).toBe('writeFailed');
      expect({ written: counters.written, lost: context.dropped() }).toEqual({
        written: 100,
        lost: { writeFailed: 200 },
      });
      expect(counters.pendingBytes).toBe(0);
      expect(left(folder).slice(0, 100)).toEqual(upTo(100));
    }));
});

describe.each(runners.filter((fixture) => fixture.makeUnopenable !== undefined))(
  '$name, which may not open',
  ({ run, makeUnopenable }) => {
    test('closes after it could not be opened', () =>
      run(async (_sink, context, folder) => {
        const sink = makeUnopenable?.(folder, context);
        await expect(sink?.open()).rejects.toMatchObject({ name: 'MirrorError' });
        await expect(sink?.close()).resolves.toBeUndefined();
      }));
  },
);

describe.each(runners.filter(({ onFailure }) => onFailure === 'drop'))(
  '$name, which drops',
  ({ run, left }) => {
    test('what comes after a world that refused is written', () =>
      run(async (sink, context, folder, disk) => {
        const { counters, clock } = context;
        await sink.open();
        give(sink, context, 10);
        await sink.flush();
        disk.failWrites = 'EIO';
        give(sink, context, 10, 10);
        await sink.flush();
        give(sink, context, 10, 20);
        disk.failWrites = undefined;
        clock.ms += 1000;
        give(sink, context, 10, 30);
        await sink.flush();
        expect(counters.failingReason).toBeUndefined();
        await sink.close();
        expect(left(folder)).toEqual([...upTo(10), ...upTo(10, 30)]);
        expect(context.dropped()).toEqual({ writeFailed: 20 });
      }));

    test('memory is bounded: what finds no room is dropped, and counted', () =>
      run(async (sink, context, folder, disk) => {
        const { counters } = context;
        await sink.open();
        let open = (): void => undefined;
        disk.gate = new Promise((resolve) => (open = resolve));
        give(sink, context, 5000);
        expect(counters.pendingBytes).toBeLessThanOrEqual(MEMORY_BYTES);
        expect(counters.failingReason).toBe('queueFull');
        const taken = 5000 - (context.dropped()['queueFull'] ?? 0);
        expect(taken).toBeLessThan(4000);
        expect(taken).toBeGreaterThan(1000);
        open();
        await sink.ready();
        give(sink, context, 1, 5000);
        expect(counters.failingReason).toBeUndefined();
        await sink.close();
        expect(left(folder)).toEqual([...upTo(taken), 5000]);
        expect(counters.written).toBe(taken + 1);
      }));
  },
);

describe.each(runners.filter(({ onFailure }) => onFailure === 'fail'))(
  '$name, which drops nothing',
  ({ run }) => {
    test('a failure is kept, and thrown by flush and close', () =>
      run(async (sink, context, _folder, disk) => {
        await sink.open();
        give(sink, context, 10);
        disk.failWrites = 'EPIPE';
        await expect(sink.flush()).rejects.toMatchObject({
          code: 'FLOWS_WRITE_FAILED',
          cause: { code: 'EPIPE' },
        });
        give(sink, context, 10, 10);
        await sink.ready();
        await expect(sink.close()).rejects.toMatchObject({ code: 'FLOWS_WRITE_FAILED' });
        expect(context.dropped()).toEqual({ writeFailed: 20 });
      }));
  },
);
