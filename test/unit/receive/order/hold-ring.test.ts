import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Held, HoldRing } from '../../../../src/receive/order/hold-ring.ts';
import { NONE } from '../../../../src/receive/order/stream-table.ts';
import { batchOf } from '../../../support/batches.ts';

/** A ring that is used as it should be, with a plain list beside it. */
class Pair {
  readonly records: { readonly at: number; readonly frame: Buffer }[] = [];
  readonly ring: HoldRing;
  #made = 0;

  constructor(bytes: number) {
    this.ring = new HoldRing(bytes);
  }

  put(length: number): boolean {
    if (!this.ring.hasRoom(length)) return false;
    const frame = Buffer.alloc(length, ++this.#made);
    const at = this.ring.put(batchOf([{ frame, nanoseconds: this.#made }]), 0, this.#made);
    this.ring.words[at + Held.row] = 1;
    this.records.push({ at, frame });
    return true;
  }

  free(index: number): void {
    const [record] = this.records.splice(index, 1);
    if (record !== undefined) this.ring.free(record.at);
  }
}

function expectWhole({ ring, records }: Pair): void {
  expect(ring.oldest).toBe(records[0]?.at ?? NONE);
  for (const { at, frame } of records) {
    const from = HoldRing.frameAt(at);
    expect(ring.bytes.subarray(from, from + frame.length)).toEqual(frame);
    expect(ring.words[at + Held.frameBytes]).toBe(frame.length);
    expect(ring.clockUs(at)).toBe(ring.words[at + Held.nanoseconds]);
  }
}

test('records stay whole and in order, however they come and leave', () => {
  const length = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(0, 8, 64));
  const step = fc.oneof(
    length.map((bytes) => ({ put: bytes, free: 0 })),
    fc.nat(20).map((free) => ({ put: NONE, free })),
  );
  fc.assert(
    fc.property(fc.integer({ min: 80, max: 1500 }), fc.array(step, { maxLength: 80 }), (bytes, steps) => {
      const pair = new Pair(bytes);
      for (const { put, free } of steps) {
        if (put === NONE) pair.free(free % Math.max(1, pair.records.length));
        else if (!pair.put(put)) expect(pair.records.length > 0 || !pair.ring.couldHold(put)).toBe(true);
        expectWhole(pair);
      }
      while (pair.records.length > 0) pair.free(0);
      // whatever was there, all of it is free again
      const most = (Math.floor(bytes / 8) - 10) * 8;
      expect([pair.ring.hasRoom(most), pair.ring.hasRoom(most + 1)]).toEqual([true, false]);
    }),
    { numRuns: 500 },
  );
});

test('a frame that fills the memory, and one that is a byte longer', () => {
  const ring = new HoldRing(80 + 100);
  expect([ring.couldHold(96), ring.couldHold(97)]).toEqual([true, false]);
  expect([ring.hasRoom(96), ring.hasRoom(97)]).toEqual([true, false]);
});

test('a full memory has room for nothing until the oldest leaves', () => {
  const pair = new Pair(3 * 144);
  expect([pair.put(64), pair.put(64), pair.put(64), pair.put(0)]).toEqual([true, true, true, false]);
  pair.free(1);
  expect(pair.put(0)).toBe(false);
  pair.free(0);
  expect([pair.put(128), pair.put(64), pair.put(120), pair.put(0)]).toEqual([true, false, false, true]);
  expectWhole(pair);
});
