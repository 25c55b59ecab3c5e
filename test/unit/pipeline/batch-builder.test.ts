import { array, assert, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { Mark } from '../../../src/packet/mark.ts';
import type { PacketBatch } from '../../../src/packet/batch.ts';
import { BatchBuilder } from '../../../src/pipeline/batch-builder.ts';
import { blockOf } from '../../support/batches.ts';

/** What a batch delivers, as text. */
function deliveredOf(batch: PacketBatch): string[] {
  return Array.from(batch.delivered.subarray(0, batch.deliveredCount), (slot) => {
    const bytes = batch.bytes.subarray(batch.frameAt[slot], batch.frameEnd[slot]);
    const columns = [
      batch.lane,
      batch.seconds,
      batch.nanoseconds,
      batch.frameWireLen,
      batch.transportVerdict,
    ];
    return [bytes.toString('hex'), ...columns.map((column) => column[slot]), batch.marks[slot]].join(' ');
  });
}

test('packets come out as they went in, byte for byte, in order, over as many batches as they need', () => {
  const frame = uint8Array({ maxLength: 2000 });
  assert(
    property(array(frame, { minLength: 1, maxLength: 60 }), integer({ min: 1, max: 80 }), (frames, times) => {
      const builder = new BatchBuilder();
      const want: string[] = [];
      for (let round = 0; round < times; round++) {
        for (const [index, bytes] of frames.entries()) {
          const block = blockOf(bytes);
          const wireLen = bytes.length + index;
          builder.put(
            block,
            0,
            bytes.length,
            index,
            round,
            999_999_999,
            wireLen,
            3,
            Mark.egress,
            42,
            1,
            0,
            0,
          );
          want.push(
            [Buffer.from(bytes).toString('hex'), index, round, 999_999_999, wireLen, 3, Mark.egress].join(
              ' ',
            ),
          );
        }
      }
      const got: string[] = [];
      for (let batch = builder.take(); batch !== undefined; batch = builder.take())
        got.push(...deliveredOf(batch));
      expect(got).toEqual(want);
    }),
    { numRuns: 20 },
  );
});

test('a frame larger than a block has a batch of its own', () => {
  const builder = new BatchBuilder();
  const large = blockOf(new Uint8Array(1_500_000).fill(7));
  const small = blockOf(new Uint8Array([1, 2, 3]));
  builder.put(small, 0, 3, 0, 0, 0, 3, 0, 0, 42, 1, 0, 0);
  builder.put(large, 0, 1_500_000, 0, 0, 0, 1_500_000, 0, 0, 42, 1, 0, 0);
  builder.put(small, 1, 3, 0, 0, 0, 2, 0, 0, 42, 1, 0, 0);
  const sizes: number[][] = [];
  for (let batch = builder.take(); batch !== undefined; batch = builder.take()) {
    sizes.push(
      Array.from(
        batch.delivered.subarray(0, batch.deliveredCount),
        (slot) => batch.frameEnd[slot]! - batch.frameAt[slot]!,
      ),
    );
  }
  expect(sizes).toEqual([[3], [1_500_000], [2]]);
});

test('a batch that was given back is used again, empty', () => {
  const builder = new BatchBuilder();
  const block = blockOf(new Uint8Array([9]));
  builder.put(block, 0, 1, 0, 0, 0, 1, 0, 0, 42, 1, 0, 0);
  const first = builder.take();
  expect(builder.take()).toBeUndefined();
  builder.give(first!);
  builder.put(block, 0, 1, 5, 0, 0, 1, 0, 0, 42, 1, 0, 0);
  const second = builder.take();
  expect(second).toBe(first);
  expect(deliveredOf(second!)).toEqual(['09 5 0 0 1 0 0']);
});
