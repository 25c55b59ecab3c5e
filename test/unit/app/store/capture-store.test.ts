import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CaptureStore, type StoreSink } from '../../../../src/app/store/capture-store.ts';
import { register, thisProcess } from '../../../../src/store/owner.ts';
import { INDEX_NAME } from '../../../../src/store/index-file.ts';
import { nodeFileSystem } from '../../../../src/store/file-system.ts';
import { pause, until } from '../../../support/appliance.ts';
import { TEST_SECONDS } from '../../../support/batches.ts';
import { openIndex } from '../../../support/indexed-files.ts';
import { leaveCaptures, variedPackets, writeCaptures } from '../../../support/live-captures.ts';
import { requires, requiresRoot } from '../../../support/requires.ts';
import { withFolder } from '../../../support/tshark.ts';

interface TestStore {
  readonly store: CaptureStore;
  readonly lines: string[];
  readonly renamed: string[];
}

function makeStore(directory: string, more: Partial<StoreSink> = {}): TestStore {
  const lines: string[] = [];
  const renamed: string[] = [];
  const line = (level: string) => (_fields: unknown, message: string) =>
    void lines.push(`${level}: ${message}`);
  const store = new CaptureStore({
    sinks: [
      {
        name: 'captures',
        directory,
        compress: 'none',
        keepBytes: 0,
        keepSeconds: 0,
        keepFreePercent: 0,
        ...more,
      },
    ],
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    now: Date.now,
    onRenamed: (_from, to) => renamed.push(to),
  });
  onTestFinished(() => store.close());
  return { store, lines, renamed };
}

/** All rows of an index. */
function rows(directory: string) {
  const index = openIndex(directory);
  const files = index.lanes().flatMap((lane) => index.filesOf(lane));
  index.close();
  return files;
}

test('no sink: nothing runs, and nothing is made', async () => {
  const options = { sinks: [], log: console, now: Date.now, onRenamed: () => {} };
  const store = new CaptureStore(options);
  await store.open();
  await store.makeRoom('captures');
  expect(store.snapshot()).toEqual([]);
  await store.close();
});

test('finished files are listed, compressed and hashed by the time it is closed; a restart finds all as it was', () =>
  withFolder(async (directory) => {
    const { store, renamed } = makeStore(directory, { compress: 'zstd' });
    await store.open();
    const files = await writeCaptures({
      directory,
      settings: { rotatePackets: 10 },
      packets: variedPackets(60, 2),
    });
    for (const file of files) store.finished('captures', 0, file);
    await store.close();
    expect(renamed.toSorted()).toEqual(files.map(({ path }) => `${path}.zst`).toSorted());
    expect(store.snapshot()).toMatchObject([
      { sink: 'captures', files: 6, waitingFiles: 0, overlookedFiles: 0, compressedFiles: 6 },
    ]);
    const before = rows(directory);
    expect(before.map(({ state, packets, origin }) => [state, packets, origin])).toEqual(
      Array.from({ length: 6 }, () => ['kept', 10, 'sink']),
    );
    expect(readdirSync(directory).toSorted()).toEqual([INDEX_NAME, 'vni-0', 'vni-1']);

    const again = makeStore(directory);
    await again.store.open();
    await again.store.close();
    expect(rows(directory)).toEqual(before);
  }));

test('what a crash left is finished before open resolves, and listed', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'captures');
    const left = await leaveCaptures({ directory, packets: variedPackets(30, 3) });
    writeFileSync(join(directory, 'vni-0', '20261121T040000Z-000777-w0.pcapng.part'), Buffer.alloc(500));
    writeFileSync(join(directory, 'vni-0', '20261121T040000Z-000778-w0.pcapng.part'), '');
    for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (path.endsWith('.part')) utimesSync(join(directory, path), 1000, 1000);
    }
    const { store, lines } = makeStore(directory);
    await store.open();
    expect(left).toHaveLength(3);
    expect(readdirSync(join(directory, 'vni-0')).toSorted()).toEqual([
      '20261121T040000Z-000001-w0.pcapng',
      '20261121T040000Z-000777-w0.pcapng.damaged',
    ]);
    expect(lines).toEqual([
      ...left.map(() => 'info: A capture that was left unfinished was finished.'),
      'info: A capture that was left unfinished held no packet: it was removed.',
      'warn: A capture that was left unfinished cannot be read: it was set aside.',
      'info: Captures that were left unfinished were dealt with.',
    ]);
    await store.close();
    expect(rows(directory)).toMatchObject([
      { path: left[0]?.slice(0, -5), origin: 'recovered', state: 'kept', packets: 10, dropped: undefined },
      { origin: 'recovered' },
      { origin: 'recovered' },
    ]);
    expect(store.snapshot()[0]?.recoveredFiles).toBe(3);
  }));

test('what a worker left when it died is finished while the others go on', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'captures');
    const { store } = makeStore(directory);
    await store.open();
    const packets = variedPackets(30);
    const [left = ''] = await leaveCaptures({ directory, worker: 2, packets });
    await leaveCaptures({ directory, worker: 3, packets, growing: 'others' });
    await pause(50);
    store.workerDied(2);
    await store.close();
    expect(readdirSync(join(directory, 'vni-0')).toSorted()).toEqual([
      left.slice('vni-0/'.length, -'.part'.length),
      '20261121T040000Z-000001-w3.pcapng.part',
    ]);
    expect(rows(directory)).toMatchObject([{ worker: 2, packets: 30, origin: 'recovered', state: 'kept' }]);
  }));

const possible = [requires('mount'), requiresRoot()].every((met) => met);

test.skipIf(!possible)(
  'on a full disk it begins all the same, makes room, and lists what is there once it can',
  () =>
    withFolder(async (directory) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'mirrortap-test', directory]);
      try {
        const packets = variedPackets(600);
        const files = await writeCaptures({ directory, settings: { rotatePackets: 100 }, packets });
        const ballast = join(directory, 'ballast');
        fillUp(ballast);
        const { store } = makeStore(directory, { keepFreePercent: 5 });
        await store.open();
        await store.makeRoom('captures');
        const left = readdirSync(join(directory, 'vni-0'));
        expect(left.length).toBeLessThan(files.length);
        expect(left).toEqual(files.slice(-left.length).map(({ path }) => path.slice('vni-0/'.length)));
        await store.close();
        rmSync(ballast);
        const again = makeStore(directory);
        await again.store.open();
        await until('what is left is listed', () => again.store.snapshot()[0]?.files === left.length);
        await again.store.close();
      } finally {
        execFileSync('umount', ['--lazy', directory]);
      }
    }),
);

/** Writes until nothing fits any more. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  for (let bytes = 65_536; bytes > 0; ) {
    try {
      writeSync(file, Buffer.alloc(bytes));
    } catch {
      bytes = bytes >> 1;
    }
  }
  closeSync(file);
}

test('beside another living process: its files are left alone', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'captures');
    mkdirSync(directory);
    const child = spawn('sleep', ['1000']);
    onTestFinished(() => void child.kill('SIGKILL'));
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ');
    register(nodeFileSystem, directory, {
      pid: child.pid ?? 0,
      startTicks: Number(stat[21]),
      place: thisProcess().place,
    });
    const [left = ''] = await leaveCaptures({ directory, packets: variedPackets(30) });
    const { store, lines } = makeStore(directory);
    await store.open();
    await store.close();
    expect(readdirSync(join(directory, 'vni-0'))).toEqual([left.slice('vni-0/'.length)]);
    expect(lines).toContain(
      'info: Unfinished captures may be those of another mirrortap: they are left to it while it runs.',
    );
  }));

test('finished files without a row are found in the background', () =>
  withFolder(async (directory) => {
    await writeCaptures({ directory, settings: { rotatePackets: 5 }, packets: variedPackets(20) });
    const { store } = makeStore(directory);
    await store.open();
    await until('all are listed', () => store.snapshot()[0]?.files === 4);
    await store.close();
    expect(rows(directory).map(({ origin }) => origin)).toEqual(['found', 'found', 'found', 'found']);
  }));

test('a damaged index is set aside while it runs too, and made again from the files', () =>
  withFolder(async (directory) => {
    await writeCaptures({ directory, packets: variedPackets(20) });
    const first = makeStore(directory);
    await first.store.open();
    await first.store.close();
    writeFileSync(join(directory, INDEX_NAME), 'no database');
    const { store, lines } = makeStore(directory);
    await store.open();
    await until('the file is listed', () => store.snapshot()[0]?.files === 1);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      'warn: The index of captures cannot be used: a new one is made from the files.',
    ]);
  }));

test('room is made by deleting the oldest files, and when it is made the call settles', () =>
  withFolder(async (directory) => {
    const packets = variedPackets(40, 1, TEST_SECONDS);
    const files = await writeCaptures({
      directory,
      settings: { rotatePackets: 10, rotateSeconds: 0 },
      packets,
    });
    const { store } = makeStore(directory, { keepBytes: 2 * (files[0]?.bytes ?? 0) + 500 });
    await store.open();
    for (const file of files) store.finished('captures', 0, file);
    await until('the oldest are deleted', () => readdirSync(join(directory, 'vni-0')).length === 2);
    expect(readdirSync(join(directory, 'vni-0'))).toEqual(files.slice(2).map(({ path }) => path.slice(6)));
    await store.makeRoom('captures');
    const [state] = store.snapshot();
    expect(state?.deleted).toContainEqual({
      reason: 'bytes',
      files: 2,
      bytes: (files[0]?.bytes ?? 0) + (files[1]?.bytes ?? 0),
    });
    expect(state?.files).toBe(2);
  }));

test('4,096 lanes that finish at one moment: all are listed, and the main thread is free meanwhile', () =>
  withFolder(async (directory) => {
    const { store } = makeStore(directory);
    await store.open();
    const files = await writeCaptures({ directory, packets: variedPackets(4096, 4096) });
    let longestMs = 0;
    let beforeMs = performance.now();
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - beforeMs);
      beforeMs = performance.now();
    }, 5);
    for (const file of files) store.finished('captures', 0, file);
    await until('all are listed', () => store.snapshot()[0]?.files === 4096);
    clearInterval(watch);
    expect(store.snapshot()[0]).toMatchObject({ overlookedFiles: 0, waitingFiles: 0 });
    // not how fast it is, but that it is not done in one go on this thread
    expect(longestMs).toBeLessThan(5000);
    await store.close();
  }));

test('keepSeconds: a file goes when its time has come, though nothing else happens', () =>
  withFolder(async (directory) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const ended = Math.floor(Date.now() / 1000) - 100;
    const packets = [{ seconds: ended }, { seconds: ended + 60 }];
    const files = await writeCaptures({ directory, settings: { rotatePackets: 1 }, packets });
    const { store } = makeStore(directory, { keepSeconds: 105 });
    await store.open();
    for (const file of files) store.finished('captures', 0, file);
    await until('both are listed', () => store.snapshot()[0]?.files === 2);
    await until('the older one is gone', () => {
      vi.advanceTimersByTime(60_000);
      return store.snapshot()[0]?.files === 1;
    });
    expect(Date.now() / 1000).toBeGreaterThan(ended + 105);
    expect(readdirSync(join(directory, 'vni-0'))).toEqual(files.slice(1).map(({ path }) => path.slice(6)));
    expect(store.snapshot()[0]?.deleted).toContainEqual({ reason: 'age', files: 1, bytes: files[0]?.bytes });
    await store.close();
  }));
