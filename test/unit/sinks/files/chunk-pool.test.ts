import { assert, constantFrom, integer, oneof, property, record, array } from 'fast-check';
import { expect, test } from 'vitest';
import { CHUNK_BYTES_MIN, type Chunk, ChunkPool } from '../../../../src/sinks/files/chunk-pool.ts';

const MIB = 1024 * 1024;

test('a chunk has the size that was asked for, rounded up to a power of two', () => {
  const pool = new ChunkPool(4 * MIB);
  expect(pool.take(1, 1)?.bytes.length).toBe(CHUNK_BYTES_MIN);
  expect(pool.take(16_384, 100)?.bytes.length).toBe(16_384);
  expect(pool.take(16_384, 16_385)?.bytes.length).toBe(32_768);
  expect(pool.take(pool.largestBytes, pool.largestBytes)?.bytes.length).toBe(pool.largestBytes);
});

test('nothing is as large as more than the largest chunk', () => {
  const pool = new ChunkPool(4 * MIB);
  expect(pool.take(4096, pool.largestBytes + 1)).toBeUndefined();
});

test('a smaller chunk is given where there is none of the wanted size, but never less than is needed', () => {
  const pool = new ChunkPool(MIB);
  const small = [pool.take(4096, 1), pool.take(524_288, 1)];
  expect(pool.take(524_288, 1)?.bytes.length).toBe(4096);
  expect(pool.take(524_288, 4097)).toBeUndefined();
  expect(small.every((chunk) => chunk !== undefined)).toBe(true);
});

test('memory that came back serves chunks of any size', () => {
  const pool = new ChunkPool(MIB);
  const small = Array.from({ length: MIB / 4096 }, () => pool.take(4096, 1));
  expect(pool.take(4096, 1)).toBeUndefined();
  for (const chunk of small) if (chunk !== undefined) pool.release(chunk);
  expect(pool.takenBytes).toBe(0);
  expect(pool.take(524_288, 524_288)).toBeDefined();
  expect(pool.take(524_288, 524_288)).toBeDefined();
});

test('the chunk that came back last is handed out first', () => {
  const pool = new ChunkPool(4 * MIB);
  const chunk = pool.take(16_384, 1);
  pool.take(16_384, 1);
  if (chunk === undefined) throw new Error('no chunk');
  chunk.used = 7;
  chunk.packets = 1;
  pool.release(chunk);
  expect(pool.take(16_384, 1)).toBe(chunk);
  expect([chunk.used, chunk.packets]).toEqual([0, 0]);
});

test('whatever is taken and given back: chunks never overlap, and no more memory is out than there is', () => {
  const step = oneof(
    record({ take: constantFrom(1, 5000, 16_384, 70_000, 262_144, 524_288) }),
    record({ release: integer({ min: 0, max: 1000 }) }),
  );
  assert(
    property(array(step, { maxLength: 300 }), (steps) => {
      const pool = new ChunkPool(2 * MIB);
      const out: Chunk[] = [];
      for (const one of steps) {
        if ('take' in one) {
          const chunk = pool.take(one.take, one.take);
          if (chunk !== undefined) out.push(chunk);
        } else {
          const [chunk] = out.splice(one.release % Math.max(out.length, 1), 1);
          if (chunk !== undefined) pool.release(chunk);
        }
        const taken = out.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
        expect(pool.takenBytes).toBe(taken);
        expect(taken).toBeLessThanOrEqual(pool.totalBytes);
      }
      for (const [index, chunk] of out.entries()) chunk.bytes.fill(index);
      for (const [index, chunk] of out.entries()) {
        expect(chunk.bytes.every((byte) => byte === index % 256)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});
