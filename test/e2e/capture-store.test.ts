import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../src/observe/report.ts';
import { INDEX_NAME } from '../../src/store/index-file.ts';
import type { IndexedFile } from '../../src/store/indexed-file.ts';
import { pause, type RunningReceive, startReceive, until } from '../support/appliance.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { openIndex } from '../support/indexed-files.ts';
import { readSamples, total } from '../support/metrics-text.ts';
import { requires, requiresRoot } from '../support/requires.ts';
import { runWireshark, tsharkFields, withFolder } from '../support/tshark.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const PACKETS = 184;

function send(receive: RunningReceive, passes: number, ...more: string[]) {
  const to = ['--to', `127.0.0.1:${receive.vxlanPort}`, '--vni', '42'];
  const rate = more.includes('--rate') ? [] : ['--rate', '5000'];
  const loop = ['--loop', String(passes)];
  return startCommand([
    'send',
    '--from',
    traffic,
    ...to,
    ...rate,
    ...loop,
    ...more,
    '--report',
    'json',
    '--log-level',
    'warn',
  ]);
}

async function samples(receive: RunningReceive): Promise<Map<string, number>> {
  return readSamples(await (await fetch(`${receive.url}/metrics`)).text());
}

/** Files below a folder whose names match. */
function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .toSorted();
}

function filesOf(folder: string, lane = 'vni-42'): IndexedFile[] {
  const index = openIndex(folder);
  const files = index.filesOf(lane);
  index.close();
  return files;
}

/** Packets in the whole blocks of a pcapng, as far as they go. */
function wholePackets(bytes: Buffer): number {
  let packets = 0;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    if (at + length > bytes.length) break;
    if (bytes.readUInt32LE(at) === 6) packets++;
    at += length;
  }
  return packets;
}

const onDisk = (folder: string): number =>
  filesIn(folder, /\.pcapng(\.part)?$/).reduce(
    (sum, path) => sum + wholePackets(readFileSync(join(folder, path))),
    0,
  );

/**
 * Takes the earliest of the next records of all files, again and again: what one file holds is never reordered, also where
 * two processors have stamped packets a few nanoseconds the wrong way round.
 */
function mergedByNext(files: readonly (readonly string[])[]): string[] {
  const at = files.map(() => 0);
  const merged: string[] = [];
  for (;;) {
    const next = files.map((times, file) => times[at[file] ?? 0]);
    const first = next.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined);
    if (first === undefined) return merged;
    const file = next.indexOf(first);
    at[file] = (at[file] ?? 0) + 1;
    merged.push(first);
  }
}

test.skipIf(!requires('capinfos'))(
  'killed with -9 under load and started again: all that was on the disk is finished, listed and readable',
  () =>
    withFolder(async (folder) => {
      const receive = await startReceive(folder, 'workers=2', 'sinks.captures.rotatePackets=500');
      const sending = send(receive, 0);
      await until('files were finished', () => filesIn(folder, /\.pcapng$/).length >= 4);
      await until('a file grows', () =>
        filesIn(folder, /\.part$/).some((path) => statSync(join(folder, path)).size > 0),
      );
      receive.child.kill('SIGKILL');
      await receive.finished;
      sending.child.kill('SIGINT');
      await sending.finished;
      const before = onDisk(folder);
      const parts = filesIn(folder, /\.part$/);
      expect(parts.length).toBeGreaterThan(0);

      const again = await startReceive(folder, 'workers=2');
      expect(filesIn(folder, /\.part$/)).toEqual([]);
      expect(onDisk(folder)).toBe(before);
      const finished = again.logged().match(/A capture that was left unfinished was finished/g) ?? [];
      const emptied = again.logged().match(/held no packet: it was removed/g) ?? [];
      expect(finished.length + emptied.length).toBe(parts.length);
      const all = filesIn(folder, /\.pcapng$/);
      await until('every file is listed and hashed', async () => {
        const files = filesOf(folder);
        return files.length === all.length && files.every(({ state }) => state === 'kept');
      });
      const files = filesOf(folder);
      expect(files.map(({ path }) => path).toSorted()).toEqual(all);
      expect(files.reduce((sum, { packets }) => sum + packets, 0)).toBe(before);
      const sums = execFileSync('sha256sum', all, { cwd: folder, encoding: 'utf8' });
      expect(sums.trim().split('\n').toSorted()).toEqual(
        files.map(({ path, sha256 }) => `${sha256}  ${path}`).toSorted(),
      );
      const table = runWireshark('capinfos', [
        '-T',
        '-M',
        '-r',
        '-c',
        ...all.map((path) => join(folder, path)),
      ]);
      expect(table.trim().split('\n')).toHaveLength(all.length);
      expect((await samples(again)).get('mirrortap_store_recovered_files_total{sink="captures"}')).toBe(
        finished.length,
      );
      expect((await again.end()).finished.status).toBe(0);
      // and once more: nothing is left to be done
      const third = await startReceive(folder);
      expect(third.logged()).not.toContain('left unfinished');
      await third.end();
      expect(filesOf(folder)).toEqual(files);
    }),
  120_000,
);

test('compress: zstd, and decap reads every packet back', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(
      folder,
      'sinks.captures.compress=zstd',
      'sinks.captures.rotatePackets=100',
    );
    expect((await send(receive, 3).finished).status).toBe(0);
    await until(
      'all is received',
      async () => total(await samples(receive), 'mirrortap_received_packets_total') === 3 * PACKETS,
    );
    const { report } = await receive.end();
    const files = filesIn(folder, /^vni-42\//);
    expect(files.every((path) => path.endsWith('.pcapng.zst'))).toBe(true);
    expect([...(report.lanes[0]?.files ?? [])].toSorted()).toEqual(files);
    expect(report.lanes[0]?.fileCount).toBe(files.length);
    const paths = files.map((path) => join(folder, path));
    if (requires('zstd')) execFileSync('zstd', ['-qt', ...paths]);
    const out = join(folder, 'again');
    const decap = await runCommand(['decap', ...paths, '--out', out, '--report', 'json']);
    expect(decap.status).toBe(0);
    expect((JSON.parse(decap.stdout) as Report).input.packets).toBe(3 * PACKETS);
  }));

test.skipIf(!requires('mergecap') || !requires('tshark'))(
  "one lane's files of several workers, as the index lists them, merge into all its packets by their time",
  () =>
    withFolder(async (folder) => {
      const receive = await startReceive(folder, 'workers=3', 'sinks.captures.rotatePackets=100');
      // one sender has one outer tuple here or there: several of them reach all workers
      const senders = await Promise.all(Array.from({ length: 8 }, () => send(receive, 2).finished));
      expect(senders.map(({ status }) => status)).toEqual(senders.map(() => 0));
      const { report } = await receive.end();
      const written = report.sinks[0]?.written ?? 0;
      expect(written).toBe(8 * 2 * PACKETS);
      const files = filesOf(folder);
      expect(new Set(files.map(({ worker }) => worker)).size).toBeGreaterThan(1);
      const begins = files.map(({ firstSeconds, firstNanoseconds }) => firstSeconds + firstNanoseconds / 1e9);
      expect(begins).toEqual(begins.toSorted((a, b) => a - b));
      const merged = join(folder, 'merged.pcapng');
      runWireshark('mergecap', ['-w', merged, ...files.map(({ path }) => join(folder, path))]);
      const times = (path: string): string[] =>
        tsharkFields(path, ['frame.time_epoch']).map(([time = '']) => time);
      expect(times(merged)).toHaveLength(written);
      expect(times(merged)).toEqual(mergedByNext(files.map(({ path }) => times(join(folder, path)))));
    }),
  120_000,
);

test(
  'keepBytes under constant traffic: the folder stays below it, but for what grows, and the newest are left',
  () =>
    withFolder(async (folder) => {
      const keepBytes = 500_000;
      const rotateBytes = 65_536;
      const receive = await startReceive(
        folder,
        'workers=1',
        `sinks.captures.keepBytes=${keepBytes}`,
        `sinks.captures.rotateBytes=${rotateBytes}`,
      );
      const sending = send(receive, 0);
      let most = 0;
      await until('old files were deleted many times over', async () => {
        const found = filesIn(folder, /\.pcapng$/);
        const bytes = found.reduce(
          (sum, path) => sum + (statSync(join(folder, path), { throwIfNoEntry: false })?.size ?? 0),
          0,
        );
        most = Math.max(most, bytes);
        return total(await samples(receive), 'mirrortap_store_deleted_files_total') >= 20;
      });
      sending.child.kill('SIGINT');
      await sending.finished;
      const { report } = await receive.end();
      // what is finished between two looks of the store comes on top
      expect(most).toBeLessThan(keepBytes + 20 * rotateBytes);
      const left = filesIn(folder, /\.pcapng$/);
      const bytes = left.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);
      expect(bytes).toBeLessThanOrEqual(keepBytes);
      expect(bytes).toBeGreaterThan(keepBytes - 3 * rotateBytes);
      expect([report.sinks[0]?.dropped, report.sinks[0]?.pending]).toEqual([{}, 0]);
      expect(report.lanes[0]?.files.slice(-left.length).toSorted()).toEqual(left);
      expect(
        filesOf(folder)
          .map(({ path }) => path)
          .toSorted(),
      ).toEqual(left);
    }),
  60_000,
);

test(
  'two appliances in one folder: one that starts leaves the files of the other alone, and both lose nothing',
  () =>
    withFolder(async (folder) => {
      const one = await startReceive(folder, 'workers=1', 'sinks.captures.rotatePackets=150');
      expect((await send(one, 1).finished).status).toBe(0);
      // earlier, the one that grows may be the one that is about to be finished
      await until('one file is finished and the next one grows', () => onDisk(folder) === PACKETS);
      expect(filesIn(folder, /\.pcapng$/)).toHaveLength(1);
      const growing = filesIn(folder, /\.part$/);
      const other = await startReceive(folder, 'workers=1', 'sinks.captures.rotatePackets=150');
      expect(other.logged()).toContain('they are left to it while it runs');
      expect(filesIn(folder, /\.part$/)).toEqual(growing);
      expect((await send(one, 1).finished).status).toBe(0);
      expect((await send(other, 1).finished).status).toBe(0);
      const written = (report: Report): number => report.sinks[0]?.written ?? 0;
      const reports = [(await one.end()).report, (await other.end()).report];
      expect(reports.map(written)).toEqual([2 * PACKETS, PACKETS]);
      const files = filesOf(folder);
      expect(files.map(({ path }) => path).toSorted()).toEqual(filesIn(folder, /^vni-42\//));
      expect(files.every(({ state }) => state === 'kept')).toBe(true);
      expect(files.reduce((sum, { packets }) => sum + packets, 0)).toBe(3 * PACKETS);
      expect(filesIn(folder, /^\.owner/)).toEqual([]);
    }),
  60_000,
);

const mounts = [requires('mount'), requiresRoot()].every((met) => met);

test.skipIf(!mounts)(
  'keepFreePercent on a small disk under constant traffic: old files make room, nothing is lost',
  () =>
    withFolder(async (folder) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'mirrortap-test', folder]);
      try {
        const settings = ['keepFreePercent=60', 'rotateBytes=262144'];
        const receive = await startReceive(
          folder,
          'workers=1',
          ...settings.map((text) => `sinks.captures.${text}`),
        );
        const sending = send(receive, 0, '--rate', '20000');
        await until('old files were deleted', async () => {
          const deleted = (await samples(receive)).get(
            'mirrortap_store_deleted_files_total{sink="captures",reason="space"}',
          );
          return (deleted ?? 0) >= 10;
        });
        sending.child.kill('SIGINT');
        await sending.finished;
        const { report } = await receive.end();
        expect(report.sinks[0]?.dropped).not.toHaveProperty('diskFull');
        expect(report.sinks[0]).toMatchObject({ pending: 0 });
      } finally {
        execFileSync('umount', ['--lazy', folder]);
      }
    }),
  60_000,
);

test('an idle appliance ends the threads of its store, and one without a files sink makes no index', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(folder, 'workers=1');
    const threads = () => readdirSync(`/proc/${receive.child.pid ?? 0}/task`).length;
    const busy = threads();
    await until('the threads of the store end', () => threads() < busy);
    await receive.end();
    expect(readdirSync(folder)).toEqual([INDEX_NAME]);

    const without = join(folder, 'without');
    const other = await startReceive(without, 'sinks.captures.enabled=false');
    await pause(100);
    await other.end();
    expect(readdirSync(folder)).toEqual([INDEX_NAME]);
  }));
