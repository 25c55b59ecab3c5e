import { array, assert, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { Mark } from '../../../src/packet/mark.ts';
import type { PacketBatch } from '../../../src/packet/batch.ts';
import { PlacedPacket } from '../../../src/packet/placed-packet.ts';
import { BatchBuilder } from '../../../src/pipeline/batch-builder.ts';
import type { Block } from '../../../src/wire/block.ts';
import { blockOf } from '../../support/batches.ts';

/** Puts a packet: its place, then what is known of it. */
function put(builder: BatchBuilder, block: Block, ...numbers: number[]): void {
  const packet = new PlacedPacket();
  const [frameAt = 0, frameEnd = 0, lane = 0, seconds = 0, nanoseconds = 0] = numbers;
  const [frameWireLen = 0, transportVerdict = 0, marks = 0] = numbers.slice(5);
  Object.assign(packet, { frameAt, frameEnd, lane, seconds, nanoseconds });
  Object.assign(packet, { frameWireLen, transportVerdict, marks });
  builder.put(block, packet);
}

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
          put(builder, block, 0, bytes.length, index, round, 999_999_999, wireLen, 3, Mark.egress);
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
  put(builder, small, 0, 3, 0, 0, 0, 3, 0, 0);
  put(builder, large, 0, 1_500_000, 0, 0, 0, 1_500_000, 0, 0);
  put(builder, small, 1, 3, 0, 0, 0, 2, 0, 0);
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
  put(builder, block, 0, 1, 0, 0, 0, 1, 0, 0);
  const first = builder.take();
  expect(builder.take()).toBeUndefined();
  builder.give(first!);
  put(builder, block, 0, 1, 5, 0, 0, 1, 0, 0);
  const second = builder.take();
  expect(second).toBe(first);
  expect(deliveredOf(second!)).toEqual(['09 5 0 0 1 0 0']);
});

test('the mirror source travels with its packet', () => {
  const builder = new BatchBuilder();
  const packet = new PlacedPacket();
  Object.assign(packet, { frameAt: 20, frameEnd: 23, mirrorSourceAt: 2, vni: 0xff_ffff, encapsulation: 3 });
  const block = blockOf(Uint8Array.from({ length: 24 }, (_, index) => index));
  for (const version of [4, 6, 0])
    builder.put(block, Object.assign(packet, { mirrorSourceVersion: version }));
  const batch = builder.take()!;
  const sources = [0, 1, 2].map((slot) => {
    const at = batch.mirrorSourceAt[slot]!;
    return [...batch.bytes.subarray(at, at + [4, 16, 0][slot]!)];
  });
  expect(sources).toEqual([[2, 3, 4, 5], Array.from({ length: 16 }, (_, index) => index + 2), []]);
  expect([...batch.mirrorSourceVersion.subarray(0, 3)]).toEqual([4, 6, 0]);
  expect([...batch.vni.subarray(0, 3), ...batch.encapsulation.subarray(0, 3)]).toEqual([
    0xff_ffff, 0xff_ffff, 0xff_ffff, 3, 3, 3,
  ]);
  expect(deliveredOf(batch).map((text) => text.split(' ')[0])).toEqual(['141516', '141516', '141516']);
});
