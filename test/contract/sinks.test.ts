import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FanOut } from '../../src/pipeline/fan-out.ts';
import { Outlet } from '../../src/pipeline/outlet.ts';
import type { Sink } from '../../src/pipeline/sink.ts';
import { liveFiles } from '../../src/sinks/files/create.ts';
import { sinkKinds } from '../../src/sinks/index.ts';
import { liveInject } from '../../src/sinks/inject/create.ts';
import { livePipe } from '../../src/sinks/pipe/create.ts';
import { sinkSettings } from '../../src/sinks/settings.ts';
import { numbered, overwrite } from '../support/batches.ts';
import { capturesSettings } from '../support/captures-settings.ts';
import { FakeNetwork, injecting } from '../support/fake-network.ts';
import { FaultyDisk } from '../support/faulty-disk.ts';
import { PipeReader, pipeSettingsWith } from '../support/pipe-reader.ts';
import { droppedOf, sinkContext, type TestSinkContext } from '../support/sink-context.ts';
import { withFolder } from '../support/tshark.ts';

/** What the suite has to know of one kind of sink. */
interface Fixture {
  /** Makes a sink whose world is in `folder`. */
  make(folder: string, context: TestSinkContext): Sink;
  /** Makes one that cannot be opened. */
  makeUnopenable(folder: string, context: TestSinkContext): Sink;
  /** Makes one together with switches that make its world refuse everything, and accept it again. */
  makeBreakable(folder: string, context: TestSinkContext): { sink: Sink; break(): void; repair(): void };
  /** First numbers of the frames that have left the sink for good, in order. */
  left(folder: string): number[];
}

/** What was sent by sinks of kind `inject`, by the folder that their test has. */
const networks = new Map<string, FakeNetwork>();

function networkOf(folder: string): FakeNetwork {
  const network = networks.get(folder) ?? new FakeNetwork();
  networks.set(folder, network);
  return network;
}

const fixtures: Readonly<Record<string, Fixture>> = {
  files: {
    make: (directory, context) => liveFiles(capturesSettings({ directory }), context, { tickMs: 0 }),
    makeUnopenable: (_folder, context) =>
      liveFiles(capturesSettings({ directory: '/dev/null/captures' }), context, { tickMs: 0 }),
    makeBreakable: (directory, context) => {
      const disk = new FaultyDisk();
      return {
        sink: liveFiles(capturesSettings({ directory }), context, { tickMs: 0, disk }),
        break: () => (disk.failWrites = 'EIO'),
        repair: () => {
          disk.failWrites = undefined;
          context.clock.ms += 1000;
        },
      };
    },
    left: (directory) => {
      const folder = join(directory, 'vni-0');
      const files = existsSync(folder) ? readdirSync(folder).sort() : [];
      return files.flatMap((name) => numbersIn(readFileSync(join(folder, name))));
    },
  },
  inject: {
    make: (folder, context) => liveInject(injecting(), context, networkOf(folder)),
    makeUnopenable: (folder, context) =>
      liveInject(injecting({ interface: 'nowhere' }), context, networkOf(folder)),
    makeBreakable: (folder, context) => {
      const network = networkOf(folder);
      return {
        sink: liveInject(injecting(), context, network),
        break: () => network.goAway('mirror0'),
        repair: () => {
          network.comeBack('mirror0', 9001);
          context.clock.ms += 1000;
        },
      };
    },
    left: (folder) =>
      networkOf(folder)
        .frames()
        .map((frame) => frame.readUInt32BE(0)),
  },
  pipe: {
    make: (folder, context) =>
      livePipe(pipeSettingsWith(), context, { source: new PipeReader(join(folder, 'read')), tickMs: 0 }),
    makeUnopenable: (_folder, context) =>
      livePipe(pipeSettingsWith({ path: '/dev/null/live' }), context, { tickMs: 0 }),
    makeBreakable: (folder, context) => {
      const source = new PipeReader(join(folder, 'read'));
      return {
        sink: livePipe(pipeSettingsWith(), context, { source, tickMs: 0 }),
        break: () => (source.isThere = false),
        repair: () => {
          source.isThere = true;
          context.clock.ms += 1000;
        },
      };
    },
    left: (folder) => {
      const read = join(folder, 'read');
      return existsSync(read) ? numbersIn(readFileSync(read)) : [];
    },
  },
};

/** The numbers of the frames in a pcapng. */
function numbersIn(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) === 6) numbers.push(bytes.readUInt32BE(at + 28));
  }
  return numbers;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Delivers as the pipeline does, and spoils the batch once it is given back. */
async function deliver(fanOut: FanOut, packets: number, first = 0): Promise<void> {
  const batch = numbered(packets, first);
  await fanOut.deliver(batch);
  overwrite(batch);
}

function pipelineOf(sink: Sink, { counters, now }: TestSinkContext): FanOut {
  return new FanOut([
    new Outlet(sink, counters, { policy: 'drop', limits: { batches: 64, bytes: 1e7 }, now }),
  ]);
}

/** A kind with a channel is only half a sink here: its worker's half is in test/unit/sinks/kafka, all of it in test/e2e. */
const whole = sinkKinds.filter(({ channel }) => channel === undefined);

test('every kind in the registry has a fixture here', () => {
  expect(whole.map(({ kind }) => kind)).toEqual(Object.keys(fixtures));
});

test('every kind in the registry has settings', () => {
  expect(sinkKinds.map(({ kind }) => kind)).toEqual(Object.keys(sinkSettings));
});

describe.each(whole.map((kind) => ({ ...kind, fixture: fixtures[kind.kind] as Fixture })))(
  'sink of kind $kind',
  ({ dropReasons, counters: names, fixture }) => {
    const run = (work: (folder: string, context: TestSinkContext) => Promise<void>) =>
      withFolder((folder) => work(folder, sinkContext(dropReasons, 0, names)));

    test('opens and closes without a packet', () =>
      run(async (folder, context) => {
        const sink = fixture.make(folder, context);
        await sink.open();
        await sink.flush();
        await sink.close();
        expect(fixture.left(folder)).toEqual([]);
        expect(context.counters).toMatchObject({ delivered: 0, written: 0, pending: 0, pendingBytes: 0 });
      }));

    test('refuses to be opened twice', () =>
      run(async (folder, context) => {
        const sink = fixture.make(folder, context);
        await sink.open();
        await expect(sink.open()).rejects.toThrow();
        await sink.close();
      }));

    test('closes after it could not be opened', () =>
      run(async (folder, context) => {
        const sink = fixture.makeUnopenable(folder, context);
        await expect(sink.open()).rejects.toMatchObject({ name: 'MirrorError' });
        await expect(sink.close()).resolves.toBeUndefined();
      }));

    test('keeps order, and copies what it keeps: batches are overwritten as soon as they are given back', () =>
      run(async (folder, context) => {
        const sink = fixture.make(folder, context);
        const fanOut = pipelineOf(sink, context);
        await fanOut.open();
        for (let first = 0; first < 500; first += 50) await deliver(fanOut, 50, first);
        await fanOut.close();
        expect(fixture.left(folder)).toEqual(upTo(500));
      }));

    test('a batch without packets changes nothing', () =>
      run(async (folder, context) => {
        const sink = fixture.make(folder, context);
        await sink.open();
        await sink.write(numbered(0));
        await sink.close();
        expect(context.counters).toMatchObject({ written: 0, pending: 0 });
      }));

    test('flush: everything accepted has left', () =>
      run(async (folder, context) => {
        const sink = fixture.make(folder, context);
        const fanOut = pipelineOf(sink, context);
        await fanOut.open();
        await deliver(fanOut, 20);
        await fanOut.flush();
        expect(fixture.left(folder)).toEqual(upTo(20));
        expect(context.counters).toMatchObject({ written: 20, pending: 0, pendingBytes: 0 });
        await deliver(fanOut, 20, 20);
        await fanOut.close();
        expect(fixture.left(folder)).toEqual(upTo(40));
      }));

    test('survives a world that refuses: what is lost is counted, what comes after is written', () =>
      run(async (folder, context) => {
        const breakable = fixture.makeBreakable(folder, context);
        const fanOut = pipelineOf(breakable.sink, context);
        await fanOut.open();
        await deliver(fanOut, 10);
        await fanOut.flush();
        breakable.break();
        await deliver(fanOut, 10, 10);
        await fanOut.flush().catch(() => undefined);
        await deliver(fanOut, 10, 20);
        expect(context.counters.failingReason).toBeDefined();
        breakable.repair();
        await deliver(fanOut, 10, 30);
        await fanOut.flush();
        expect(context.counters.failingReason).toBeUndefined();
        await fanOut.close();
        expect(fixture.left(folder)).toEqual([...upTo(10), ...upTo(10).map((number) => number + 30)]);
        const lost = Object.values(droppedOf(context.counters)).reduce((sum, count) => sum + count, 0);
        expect(lost).toBe(20);
      }));

    test('the ledger adds up after close, and nothing is pending, also when the world refuses', () =>
      run(async (folder, context) => {
        const breakable = fixture.makeBreakable(folder, context);
        const fanOut = pipelineOf(breakable.sink, context);
        await fanOut.open();
        for (let first = 0; first < 300; first += 100) await deliver(fanOut, 100, first);
        breakable.break();
        for (let first = 0; first < 300; first += 100) await deliver(fanOut, 100, first);
        await fanOut.close().catch(() => undefined);
        const { counters } = context;
        expect(counters.delivered).toBe(600);
        expect(counters.written + counters.filtered + counters.droppedTotal).toBe(600);
        expect(counters.pendingBytes).toBe(0);
        expect(fixture.left(folder)).toHaveLength(counters.written);
      }));
  },
);
