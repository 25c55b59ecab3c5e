import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { nodeSpoolDisk } from '../../../../../src/sinks/kafka/spool/spool-disk.ts';
import type { SpoolEntry } from '../../../../../src/sinks/kafka/spool/spool.ts';
import {
  numberedBlock,
  numbersFrom,
  numbersOf,
  openSpool,
  readAll,
  segmentsIn,
} from '../../../../support/spooling.ts';
import { withFolder } from '../../../../support/tshark.ts';

const program = new URL('../../../../support/programs/spool-memory.ts', import.meta.url).pathname;
const blocks = (first: number, end: number) => numbersFrom(first, end).map((n) => numberedBlock(n, 100));

/** A disk that stops at the next read, and a promise for when it has. */
function stoppingDisk() {
  const disk = { ...nodeSpoolDisk };
  const goOn = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  const stopAtNextRead = () => {
    disk.read = async (...call) => {
      stopped.resolve();
      await goOn.promise;
      return nodeSpoolDisk.read(...call);
    };
    return stopped.promise;
  };
  return { disk, stopAtNextRead, goOn: () => goOn.resolve() };
}

test('a read that is under way at a rewind begins again', () =>
  withFolder(async (directory) => {
    const { disk, stopAtNextRead, goOn } = stoppingDisk();
    const { spool } = await openSpool(directory, {}, disk);
    await spool.append(blocks(0, 10));
    const first = await spool.read(1);
    expect(first.length).toBeGreaterThan(0);
    await spool.append([numberedBlock(10, 100_000)]);
    const stopped = stopAtNextRead();
    const reading = spool.read(1);
    await stopped;
    spool.rewind();
    goOn();
    expect(numbersOf(await reading)[0]).toBe(0);
    await spool.close();
  }));

test('what was read before a rewind may be acknowledged after it, also while it is read again', () =>
  withFolder(async (directory) => {
    const { disk, stopAtNextRead, goOn } = stoppingDisk();
    const { spool } = await openSpool(directory, { segmentBytes: 400 }, disk);
    for (let number = 0; number < 10; number++) await spool.append(blocks(number, number + 1));
    const before = await readAll(spool);
    spool.rewind();
    const stopped = stopAtNextRead();
    const reading = spool.read(1);
    await stopped;
    const acknowledged = spool.acknowledge(before[4]!);
    goOn();
    expect(numbersOf(await reading)[0]).toBe(5);
    await acknowledged;
    expect(spool.records).toBe(5);
    await spool.acknowledge(before[9]!);
    expect(spool.isEmpty).toBe(true);
    expect(await spool.read(1)).toEqual([]);
    await spool.close();
  }));

test('appended, read, acknowledged and expired at the same time, nothing is lost and nothing changes place', () =>
  withFolder(async (directory) => {
    const { spool } = await openSpool(directory, { segmentBytes: 5000, maxSeconds: 1 });
    const read: SpoolEntry[] = [];
    const work: Promise<unknown>[] = [];
    let appended = 0;
    const fill = async () => {
      while (appended < 1000) {
        const next = appended + 1 + (appended % 7);
        work.push(spool.append(blocks(appended, next)));
        appended = next;
        if (work.length % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const empty = async () => {
      while (read.length < 1000 || !spool.isEmpty) {
        const entries = await spool.read(2000);
        read.push(...entries);
        for (const entry of entries) work.push(spool.acknowledge(entry));
        work.push(spool.expire());
        if (entries.length === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([fill(), empty()]);
    await Promise.all(work);
    expect(numbersOf(read)).toEqual(numbersFrom(0, appended));
    expect([spool.records, spool.bytes, spool.diskBytes, segmentsIn(directory)]).toEqual([0, 0, 0, []]);
    await spool.close();
  }));

test('closed while calls are under way: they settle, and nothing that was kept is lost', () =>
  withFolder(async (directory) => {
    const { spool } = await openSpool(directory);
    const results = [spool.append(blocks(0, 3)), spool.append(blocks(3, 5))];
    const reading = spool.read(1000);
    const closed = spool.close();
    expect(spool.close()).toBe(closed);
    await closed;
    expect(await reading).toEqual([]);
    const kept = (await Promise.all(results)).reduce(
      (sum, result, i) => sum + (result === 'kept' ? 3 - i : 0),
      0,
    );
    expect(await spool.append(blocks(9, 10))).toBe('failed');
    const again = await openSpool(directory);
    expect(numbersOf(await readAll(again.spool))).toEqual(numbersFrom(0, kept));
    await again.spool.close();
  }));

test('memory does not grow with what the spool holds', () =>
  withFolder((directory) => {
    const grown = Number(execFileSync(process.execPath, [program, directory], { encoding: 'utf8' }));
    expect(grown).toBeLessThan(160 * 1024 * 1024);
  }));
