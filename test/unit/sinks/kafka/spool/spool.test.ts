import { join } from 'node:path';
import { expect, test } from 'vitest';
import { numberedBlock, numbersOf, openSpool, readAll, segmentsIn } from '../../../../support/spooling.ts';
import { withFolder } from '../../../../support/tshark.ts';

const from = (first: number, count: number, bytes?: number) =>
  Array.from({ length: count }, (_, i) => numberedBlock(first + i, bytes));
const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

test('what is appended is read in order, and the files go once it is acknowledged', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'a', 'spool');
    const { spool, recovered } = await openSpool(directory);
    expect(recovered).toMatchObject({ records: 0, bytes: 0, cutBytes: 0, damaged: 0 });
    expect(spool.isEmpty).toBe(true);
    expect(await spool.read(1000)).toEqual([]);
    expect(await spool.append(from(1, 3))).toBe('kept');
    expect(await spool.append([{ bytes: Buffer.alloc(0), records: 7 }])).toBe('kept');
    expect([spool.isEmpty, spool.records, spool.bytes]).toEqual([false, 10, 24]);
    const entries = await readAll(spool);
    expect(numbersOf(entries.slice(0, 3))).toEqual([1, 2, 3]);
    expect(entries.map(({ records }) => records)).toEqual([1, 1, 1, 7]);
    await spool.acknowledge(entries[1]!);
    expect([spool.isEmpty, spool.records, spool.bytes]).toEqual([false, 8, 8]);
    await spool.acknowledge(entries[0]!);
    expect(spool.records).toBe(8);
    expect(segmentsIn(directory)).toHaveLength(1);
    await spool.acknowledge(entries[3]!);
    expect([spool.isEmpty, spool.records, spool.bytes, spool.diskBytes]).toEqual([true, 0, 0, 0]);
    expect(segmentsIn(directory)).toEqual([]);
    await spool.append(from(5, 1));
    expect(numbersOf(await readAll(spool))).toEqual([5]);
    await spool.close();
  }));

test('opened anew: what is not acknowledged is read again, from several segments', () =>
  withFolder(async (directory) => {
    const options = { segmentBytes: 2000, maxBytes: 1_000_000 };
    const first = await openSpool(directory, options);
    for (let i = 0; i < 50; i += 5) await first.spool.append(from(i, 5, 100));
    expect(segmentsIn(directory).length).toBeGreaterThan(4);
    const read = await readAll(first.spool, 300);
    expect(numbersOf(read)).toEqual(range(0, 50));
    await first.spool.acknowledge(read[22]!);
    await first.spool.close();
    const before = segmentsIn(directory);
    const second = await openSpool(directory, options);
    expect(second.recovered).toMatchObject({ records: 27, bytes: 2700, cutBytes: 0, damaged: 0 });
    expect(segmentsIn(directory)).toEqual(before);
    await second.spool.append(from(50, 1, 100));
    expect(numbersOf(await readAll(second.spool))).toEqual(range(23, 28));
    second.spool.rewind();
    const again = await readAll(second.spool);
    expect(numbersOf(again)).toEqual(range(23, 28));
    await second.spool.acknowledge(again.at(-1)!);
    expect(segmentsIn(directory)).toEqual([]);
    await second.spool.close();
    const third = await openSpool(directory, options);
    expect(third.spool.isEmpty).toBe(true);
    await third.spool.close();
  }));
