import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { ASSEMBLY_LEN, AssemblyPool } from '../../../../src/receive/flows/assembly-pool.ts';

function makePool() {
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  return { pool: new AssemblyPool(tally), tally };
}

function contents(pool: AssemblyPool, assembly: number): Buffer {
  return pool.bytes.subarray(pool.begin(assembly), pool.end(assembly));
}

test('pieces in any order, doubled and overlapping, make the stream', () => {
  const cuts = fc.array(fc.tuple(fc.nat(400), fc.nat(150)), { minLength: 1, maxLength: 25 });
  fc.assert(
    fc.property(cuts, (pieces) => {
      const { pool } = makePool();
      const stream = Buffer.from(Array.from({ length: 600 }, (_, i) => i % 251));
      const there = new Set<number>();
      const assembly = pool.claim(1, 2, 3, 4);
      for (const [from, length] of pieces) {
        const to = from + length;
        expect(pool.put(assembly, from, stream, from, to)).toBe(true);
        for (let i = from; i < to; i++) there.add(i);
        let prefix = 0;
        while (there.has(prefix)) prefix++;
        expect(contents(pool, assembly)).toEqual(stream.subarray(0, prefix));
      }
    }),
  );
});

test('a piece that begins before the stream, or ends after the buffer, is shortened', () => {
  const { pool } = makePool();
  const assembly = pool.claim(1, 2, 3, 4);
  const bytes = Buffer.alloc(ASSEMBLY_LEN + 10, 0x61);
  expect(pool.put(assembly, -5, Buffer.from('12345'), 0, 5)).toBe(true);
  expect(contents(pool, assembly)).toHaveLength(0);
  expect(pool.put(assembly, -3, Buffer.from('xyzab'), 0, 5)).toBe(true);
  expect(contents(pool, assembly).toString()).toBe('ab');
  const neighbour = pool.begin(assembly) + ASSEMBLY_LEN;
  expect(pool.put(assembly, 2, bytes, 0, bytes.length)).toBe(true);
  expect(contents(pool, assembly)).toHaveLength(ASSEMBLY_LEN);
  expect(pool.bytes[neighbour]).toBe(0);
  expect(pool.put(assembly, 2 ** 50, bytes, 0, 5)).toBe(true);
  expect(pool.put(assembly, -(2 ** 31), bytes, 0, 5)).toBe(true);
});

test('more than 32 pieces apart are refused, and one that joins two is not', () => {
  const { pool } = makePool();
  const assembly = pool.claim(1, 2, 3, 4);
  const bytes = Buffer.from('a');
  for (let i = 0; i < 32; i++) expect(pool.put(assembly, 2 * i, bytes, 0, 1)).toBe(true);
  expect(pool.put(assembly, 100, bytes, 0, 1)).toBe(false);
  for (let i = 0; i < 31; i++) expect(pool.put(assembly, 2 * i + 1, bytes, 0, 1)).toBe(true);
  expect(contents(pool, assembly)).toHaveLength(63);
  expect(pool.put(assembly, 100, bytes, 0, 1)).toBe(true);
});

test('when all are taken the one that was begun first is given up, and counted', () => {
  const { pool, tally } = makePool();
  const first = pool.claim(1, 0, 0, 0);
  for (let owner = 2; owner <= 64; owner++) pool.claim(owner, 0, 0, 0);
  expect(tally[AnalysisTally.namesDropped]).toBe(0);
  expect(pool.isOf(first, 1)).toBe(true);
  expect(pool.claim(65, 0, 0, 0)).toBe(first);
  expect(pool.isOf(first, 1)).toBe(false);
  expect(pool.isOf(first, 65)).toBe(true);
  expect(tally[AnalysisTally.namesDropped]).toBe(1);
  const second = pool.claim(66, 0, 0, 0);
  pool.release(second);
  expect(pool.isOf(second, 66)).toBe(false);
  expect(pool.claim(67, 0, 0, 0)).toBe(second);
  expect(tally[AnalysisTally.namesDropped]).toBe(2);
});

test('a new owner finds an empty assembly, and its sender', () => {
  const { pool } = makePool();
  const old = pool.claim(1, 0, 0, 0);
  pool.put(old, 0, Buffer.from('old'), 0, 3);
  pool.release(old);
  const assembly = pool.claim(2, 443, 0xffff_ffff, 0xffff_fff0);
  expect(assembly).toBe(old);
  expect(contents(pool, assembly)).toHaveLength(0);
  expect(pool.isFrom(assembly, 443, 0xffff_ffff)).toBe(true);
  expect(pool.isFrom(assembly, 442, 0xffff_ffff)).toBe(false);
  expect(pool.isFrom(assembly, 443, 0)).toBe(false);
  expect(pool.isOf(0, 0)).toBe(false);
});

test('sequence numbers go round', () => {
  const { pool } = makePool();
  const assembly = pool.claim(1, 0, 0, 0xffff_fff0);
  expect(pool.offset(assembly, 0xffff_fff0)).toBe(0);
  expect(pool.offset(assembly, 4)).toBe(20);
  expect(pool.offset(assembly, 0xffff_ffe0)).toBe(-16);
});
