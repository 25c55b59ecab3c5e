import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeSpoolDisk } from '../../../../../src/sinks/kafka/spool/spool-disk.ts';
import { requires, requiresRoot } from '../../../../support/requires.ts';
import {
  numberedBlock,
  numbersFrom,
  numbersOf,
  openSpool,
  readAll,
  segmentsIn,
} from '../../../../support/spooling.ts';
import { withFolder } from '../../../../support/tshark.ts';

const possible = [requires('mount'), requiresRoot()].every((met) => met);
const MIB = 1024 * 1024;

test('maxBytes bounds what the files take; room comes back with what is acknowledged', () =>
  withFolder(async (directory) => {
    const { spool } = await openSpool(directory, { maxBytes: 80_000, segmentBytes: MIB });
    let kept = 0;
    while ((await spool.append([numberedBlock(kept, 1000)])) === 'kept') kept++;
    expect(spool.failure).toBeUndefined();
    expect(kept).toBeGreaterThan(70);
    expect(spool.diskBytes).toBeLessThanOrEqual(80_000);
    // a segment is an eighth at most, however large it may be otherwise
    expect(segmentsIn(directory).length).toBeGreaterThanOrEqual(8);
    const entries = await readAll(spool);
    await spool.acknowledge(entries[11]!);
    expect(await spool.append([numberedBlock(kept, 1000)])).toBe('kept');
    spool.rewind();
    expect(numbersOf(await readAll(spool))).toEqual(numbersFrom(12, kept + 1));
    expect(await spool.append([numberedBlock(0, 80_000)])).toBe('full');
    await spool.close();
    const again = await openSpool(directory, { maxBytes: 1000 });
    expect(again.recovered.records).toBe(kept + 1 - 12);
    expect(await again.spool.append([numberedBlock(0)])).toBe('full');
    expect(numbersOf(await readAll(again.spool))).toEqual(numbersFrom(12, kept + 1));
    await again.spool.close();
  }));

test('all of an append or none of it', () =>
  withFolder(async (directory) => {
    const { spool } = await openSpool(directory, { maxBytes: 3000 });
    const three = [1, 2, 3].map((number) => numberedBlock(number, 1000));
    expect(await spool.append(three)).toBe('full');
    expect(spool.isEmpty).toBe(true);
    expect(await spool.append(three.slice(1))).toBe('kept');
    expect(numbersOf(await readAll(spool))).toEqual([2, 3]);
    await spool.close();
  }));

test('read is bounded, but a block that is longer comes all the same', () =>
  withFolder(async (directory) => {
    const { spool } = await openSpool(directory);
    await spool.append([0, 1, 2, 3].map((number) => numberedBlock(number, 100_000)));
    expect(numbersOf(await spool.read(250_000))).toEqual([0, 1]);
    expect(numbersOf(await spool.read(1))).toEqual([2]);
    expect(numbersOf(await spool.read(1 << 30))).toEqual([3]);
    expect(await spool.read(1)).toEqual([]);
    await spool.close();
  }));

test('what is too old is dropped and counted, unless somebody has read it and may be sending it', () =>
  withFolder(async (directory) => {
    let nowMs = 0;
    const { spool } = await openSpool(directory, { maxSeconds: 60, segmentBytes: 400, now: () => nowMs });
    for (let number = 0; number < 20; number++) {
      nowMs = number * 10_000;
      await spool.append([{ ...numberedBlock(number, 50), records: 3 }]);
    }
    nowMs = 120_000;
    expect(segmentsIn(directory)).toHaveLength(7);
    const [first] = await spool.read(1);
    expect(await spool.expire()).toBe(0);
    spool.rewind();
    expect(await spool.expire()).toBe(6 * 3);
    expect(segmentsIn(directory)).toHaveLength(5);
    expect([spool.records, spool.bytes]).toEqual([14 * 3, 14 * 50]);
    await spool.acknowledge(first!);
    expect(spool.records).toBe(14 * 3);
    expect(await spool.expire()).toBe(0);
    expect(numbersOf(await readAll(spool))).toEqual(numbersFrom(6, 20));
    spool.rewind();
    nowMs = 1_000_000;
    expect(await spool.expire()).toBe(14 * 3);
    expect([spool.isEmpty, segmentsIn(directory)]).toEqual([true, []]);
    await spool.close();
  }));

test('nothing is too old where no age is given', () =>
  withFolder(async (directory) => {
    let nowMs = 0;
    const { spool } = await openSpool(directory, { maxSeconds: 0, now: () => nowMs });
    await spool.append([numberedBlock(1)]);
    nowMs = Number.MAX_SAFE_INTEGER;
    expect(await spool.expire()).toBe(0);
    await spool.close();
  }));

test('what is free counts what the spool has already', () =>
  withFolder(async (directory) => {
    const freeBytes = 1_000_000;
    const disk = { ...nodeSpoolDisk, freeSpace: async () => ({ freeBytes, totalBytes: 2 * freeBytes }) };
    const first = await openSpool(directory, {}, disk);
    expect(first.recovered.freeBytes).toBe(freeBytes);
    await first.spool.append([numberedBlock(1, 500_000)]);
    await first.spool.close();
    const again = await openSpool(directory, {}, disk);
    expect(again.spool.diskBytes).toBeGreaterThan(500_000);
    expect(again.recovered.freeBytes).toBe(freeBytes + again.spool.diskBytes);
    await again.spool.close();
  }));

test.skipIf(!possible)(
  'a real disk that is full: full is said, what was kept is there, and it goes on once there is room',
  () =>
    withFolder(async (directory) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'mirrortap-test', directory]);
      try {
        const folder = join(directory, 'spool');
        const options = { maxBytes: 100 * MIB, segmentBytes: MIB };
        const { spool, recovered } = await openSpool(folder, options);
        expect(recovered.freeBytes).toBeLessThanOrEqual(8 * MIB);
        const ballast = join(directory, 'ballast');
        writeFileSync(ballast, Buffer.alloc(3 * MIB));
        let kept = 0;
        const append = async () => (await spool.append([numberedBlock(kept, 70_000)])) === 'kept' && ++kept;
        for (let tries = 0; tries < 100; tries++) await append();
        expect(kept).toBeGreaterThan(50);
        expect(kept).toBeLessThan(80);
        expect(spool.failure?.code).toBe('DISK_FULL');
        rmSync(ballast);
        for (let tries = 0; tries < 10; tries++) expect(await append()).toBe(kept);
        expect(spool.failure).toBeUndefined();
        while (await append());
        // the position is noted, and segments deleted, where there is no room for anything else
        const entries = await spool.read(MIB);
        await spool.acknowledge(entries.at(-1)!);
        await spool.close();
        const again = await openSpool(folder, options);
        expect(again.recovered).toMatchObject({ cutBytes: 0, damaged: 0, records: kept - entries.length });
        expect(numbersOf(await readAll(again.spool))).toEqual(numbersFrom(entries.length, kept));
        expect(await again.spool.append([numberedBlock(kept, 70_000)])).toBe('kept');
        await again.spool.close();
      } finally {
        execFileSync('umount', ['--lazy', directory]);
      }
    }),
);
