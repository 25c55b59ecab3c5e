import { cpSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { HEAD_BYTES, HEADER_BYTES } from '../../../../../src/sinks/kafka/spool/layout.ts';
import type { SpoolOptions } from '../../../../../src/sinks/kafka/spool/spool.ts';
import { faultySpoolDisk } from '../../../../support/faulty-spool-disk.ts';
import { numberedBlock, numbersOf, openSpool, readAll, segmentsIn } from '../../../../support/spooling.ts';
import { withFolder } from '../../../../support/tshark.ts';

const blocks = (...numbers: number[]) => numbers.map((number) => numberedBlock(number, 100));
const ENTRY_BYTES = HEAD_BYTES + 100;

/** A spool on a disk that a test breaks. */
async function breakable(directory: string, changes: Partial<SpoolOptions> = {}) {
  const disk = faultySpoolDisk();
  const { spool } = await openSpool(directory, changes, disk);
  disk.calls.length = 0;
  return { spool, faults: disk.faults, calls: disk.calls };
}

/** What a process finds that takes the place of one that was killed now. */
async function foundAfterKill(directory: string): Promise<number[]> {
  const copy = `${directory}-copy`;
  cpSync(directory, copy, { recursive: true });
  const { spool } = await openSpool(copy);
  const numbers = numbersOf(await readAll(spool));
  await spool.close();
  rmSync(copy, { recursive: true });
  return numbers;
}

test.each([
  { errno: 'ENOSPC', stored: 0, result: 'full', code: 'DISK_FULL' },
  { errno: 'ENOSPC', stored: 170, result: 'full', code: 'DISK_FULL' },
  { errno: 'EDQUOT', stored: 1, result: 'full', code: 'DISK_FULL' },
  { errno: 'EIO', stored: ENTRY_BYTES, result: 'failed', code: 'SPOOL_FAILED' },
])('an append that fails leaves nothing behind: $errno after $stored bytes', (fault) =>
  withFolder(async (folder) => {
    const directory = join(folder, 'spool');
    const { spool, faults } = await breakable(directory);
    for (const first of [1, 3]) {
      faults.write = fault;
      expect(await spool.append(blocks(101, 102))).toBe(fault.result);
      expect(spool.failure).toMatchObject({ code: fault.code, context: { error: fault.errno } });
      faults.write = undefined;
      expect(await spool.append(blocks(first, first + 1))).toBe('kept');
      expect(spool.failure).toBeUndefined();
    }
    const [name = '', ...others] = segmentsIn(directory);
    expect(others).toEqual([]);
    expect(statSync(join(directory, name)).size).toBe(HEADER_BYTES + 4 * ENTRY_BYTES);
    expect([spool.records, spool.diskBytes]).toEqual([4, HEADER_BYTES + 4 * ENTRY_BYTES]);
    expect(await foundAfterKill(directory)).toEqual([1, 2, 3, 4]);
    expect(numbersOf(await readAll(spool))).toEqual([1, 2, 3, 4]);
    await spool.close();
  }),
);

test('a write that ends early goes on where it ended', () =>
  withFolder(async (directory) => {
    const { spool, faults } = await breakable(directory);
    faults.write = { stored: 77 };
    expect(await spool.append(blocks(1, 2, 3))).toBe('kept');
    faults.write = undefined;
    expect(numbersOf(await readAll(spool))).toEqual([1, 2, 3]);
    await spool.close();
  }));

test('what cannot be cut off again is never read, also not after a crash', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'spool');
    const { spool, faults } = await breakable(directory);
    await spool.append(blocks(1));
    Object.assign(faults, { write: { stored: ENTRY_BYTES + 10, errno: 'EIO' }, truncate: 'EIO' });
    expect(await spool.append(blocks(101, 102))).toBe('failed');
    Object.assign(faults, { write: undefined, truncate: undefined });
    expect(await spool.append(blocks(2, 3))).toBe('kept');
    expect(segmentsIn(directory)).toHaveLength(2);
    expect(await foundAfterKill(directory)).toEqual([1, 2, 3]);
    expect(numbersOf(await readAll(spool))).toEqual([1, 2, 3]);
    await spool.close();
  }));

test('fsync always: every append is on the disk before it counts, or fails and is taken back', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'spool');
    const { spool, faults, calls } = await breakable(directory, { fsync: 'always' });
    await spool.append(blocks(1));
    expect(calls).toEqual(['write', 'sync', 'syncFolder']);
    await spool.append(blocks(2));
    expect(calls.slice(3)).toEqual(['write', 'sync']);
    faults.sync = 'EIO';
    expect(await spool.append(blocks(101))).toBe('failed');
    faults.sync = undefined;
    expect(await spool.append(blocks(3))).toBe('kept');
    expect(segmentsIn(directory)).toHaveLength(2);
    expect(await foundAfterKill(directory)).toEqual([1, 2, 3]);
    await spool.close();
  }));

test('fsync interval: soon after an append, once for many', () =>
  withFolder(async (directory) => {
    const { spool, calls } = await breakable(directory, { fsync: 'interval', fsyncMs: 300 });
    for (let number = 0; number < 5; number++) await spool.append(blocks(number));
    expect(calls).not.toContain('sync');
    await vi.waitFor(() => expect(calls.slice(-2)).toEqual(['sync', 'syncFolder']), { timeout: 20_000 });
    expect(calls).toHaveLength(7);
    const [first] = await spool.read(1);
    await spool.acknowledge(first!);
    // the position
    await vi.waitFor(() => expect(calls.slice(-2)).toEqual(['write', 'sync']), { timeout: 20_000 });
    await spool.close();
  }));

test('fsync always: the position, which can do with it, is synced soon after', () =>
  withFolder(async (directory) => {
    const { spool, calls } = await breakable(directory, { fsync: 'always', fsyncMs: 10 });
    await spool.append(blocks(1, 2));
    const [first] = await spool.read(1);
    const before = calls.length;
    await spool.acknowledge(first!);
    await vi.waitFor(() => expect(calls.slice(before)).toEqual(['write', 'sync']), { timeout: 20_000 });
    await spool.close();
  }));

test('fsync interval: where it fails, what comes next goes into another file', () =>
  withFolder(async (directory) => {
    const { spool, faults } = await breakable(directory, { fsync: 'interval', fsyncMs: 10 });
    faults.sync = 'EIO';
    await spool.append(blocks(1));
    await vi.waitFor(() => expect(spool.failure?.code).toBe('SPOOL_FAILED'), { timeout: 20_000 });
    faults.sync = undefined;
    expect(await spool.append(blocks(2))).toBe('kept');
    expect(segmentsIn(directory)).toHaveLength(2);
    await spool.close();
  }));

test('fsync never: it is left to the system', () =>
  withFolder(async (directory) => {
    const { spool, calls } = await breakable(directory);
    for (let number = 0; number < 5; number++) await spool.append(blocks(number));
    await spool.close();
    expect(calls.filter((call) => call !== 'write')).toEqual([]);
  }));

test('a position that cannot be noted: nothing is lost, blocks come again after a crash', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'spool');
    const { spool, faults } = await breakable(directory);
    await spool.append(blocks(1, 2, 3));
    const [first, second] = await readAll(spool);
    await spool.acknowledge(first!);
    faults.position = 'EIO';
    await spool.acknowledge(second!);
    expect(spool.failure?.code).toBe('SPOOL_FAILED');
    expect(spool.records).toBe(1);
    expect(await foundAfterKill(directory)).toEqual([2, 3]);
    faults.position = undefined;
    await spool.close();
    expect(await foundAfterKill(directory)).toEqual([3]);
  }));

test('a segment that cannot be deleted is counted, and deleted later', () =>
  withFolder(async (directory) => {
    const { spool, faults } = await breakable(directory);
    await spool.append(blocks(1));
    faults.remove = 'EACCES';
    const [first] = await spool.read(1);
    await spool.acknowledge(first!);
    expect([spool.isEmpty, spool.records, spool.diskBytes]).toEqual([true, 0, HEADER_BYTES + ENTRY_BYTES]);
    faults.remove = undefined;
    await spool.append(blocks(2));
    const [second] = await spool.read(1);
    expect(numbersOf([second!])).toEqual([2]);
    await spool.acknowledge(second!);
    expect([segmentsIn(directory), spool.diskBytes]).toEqual([[], 0]);
    await spool.close();
  }));

test('a place of the disk that cannot be read costs the blocks that lie there', () =>
  withFolder(async (directory) => {
    const { spool, faults } = await breakable(directory);
    const many = Array.from({ length: 40 }, (_, number) => numberedBlock(number, 1000));
    await spool.append(many);
    faults.unreadable = { from: 10_000, to: 10_001 };
    const entries = await readAll(spool);
    const numbers = numbersOf(entries);
    // the page of 4096 bytes has the ends of four or five of them
    expect(numbers.length).toBeGreaterThanOrEqual(35);
    expect(numbers.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(numbers.at(-1)).toBe(39);
    expect(spool.lost).toMatchObject({ blocks: 40 - numbers.length, records: 40 - numbers.length });
    await spool.acknowledge(entries.at(-1)!);
    expect([spool.isEmpty, spool.records]).toEqual([true, 0]);
    await spool.close();
  }));

test('a file that cannot be opened for now is read later; one that is gone is lost, and counted', () =>
  withFolder(async (directory) => {
    const { spool, faults } = await breakable(directory, { segmentBytes: 300 });
    for (let number = 0; number < 6; number++) await spool.append(blocks(number));
    faults.open = 'EMFILE';
    await expect(spool.read(1000)).rejects.toMatchObject({
      code: 'SPOOL_FAILED',
      context: { error: 'EMFILE' },
    });
    faults.open = undefined;
    const names = segmentsIn(directory);
    expect(names).toHaveLength(6);
    rmSync(join(directory, names[0]!));
    rmSync(join(directory, names[3]!));
    rmSync(join(directory, names[5]!));
    const entries = await readAll(spool);
    expect(numbersOf(entries)).toEqual([1, 2, 4]);
    expect(spool.lost).toMatchObject({ blocks: 3, records: 3 });
    await spool.acknowledge(entries.at(-1)!);
    expect([spool.isEmpty, spool.records, spool.diskBytes]).toEqual([true, 0, 0]);
    await spool.close();
  }));

test('a wrong byte in what is read last is told from the end', () =>
  withFolder(async (directory) => {
    const { spool, faults } = await breakable(directory);
    await spool.append(blocks(1));
    const [name = ''] = segmentsIn(directory);
    faults.unreadable = { from: 0, to: readFileSync(join(directory, name)).length };
    expect(await spool.read(1000)).toEqual([]);
    expect([spool.isEmpty, spool.records, spool.lost.blocks]).toEqual([true, 0, 1]);
    faults.unreadable = undefined;
    await spool.append(blocks(2));
    expect(numbersOf(await spool.read(1000))).toEqual([2]);
    await spool.close();
  }));
