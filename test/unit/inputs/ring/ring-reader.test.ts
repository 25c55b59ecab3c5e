import { array, assert as check, constantFrom, integer, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packetHeader } from '../../../../src/inputs/ring/ring-layout.ts';
import { BATCH_PACKETS, type RingBatch, RingReader } from '../../../../src/inputs/ring/ring-reader.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { AssertionFailure } from '../../../../src/wire/assert.ts';
import { numberedPacket } from '../../../support/consumer.ts';
import { packetsOf } from '../../../support/decoding.ts';
import { FakeRing } from '../../../support/fake-ring.ts';

function readerOf(ring: FakeRing): RingReader {
  return new RingReader(ring.handle, ring.bytes);
}

function put(ring: FakeRing, from: number, to: number): void {
  for (let number = from; number < to; number++) ring.put({ bytes: numberedPacket(number) });
}

/** Takes all that is ready. */
function takeAll(reader: RingReader): RingBatch[] {
  const taken: RingBatch[] = [];
  while (reader.isReady) taken.push(...[reader.take()].filter((one) => one !== undefined));
  return taken;
}

function numbersOf(taken: readonly RingBatch[]): number[] {
  return taken.flatMap(({ batch }) =>
    Array.from({ length: batch.count }, (_, slot) => batch.bytes.readUInt32BE((batch.end[slot] ?? 0) - 4)),
  );
}

/** `from .. end - 1` */
const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, i) => from + i);

test('every column of a packet is as the kernel has it, and its bytes lie in the ring', () => {
  const ring = new FakeRing();
  const reader = readerOf(ring);
  ring.put({ bytes: Buffer.from('45aa'), seconds: 0xf000_0000, nanoseconds: 999_999_999 });
  ring.put({ bytes: Buffer.from('60bbcc'), wireLen: 70_000, seconds: 1, nanoseconds: 0 });
  ring.tick();
  const [taken, ...others] = takeAll(reader);
  expect(others).toEqual([]);
  expect(taken?.batch.bytes.buffer).toBe(ring.bytes.buffer);
  expect(taken === undefined ? [] : packetsOf(taken.batch)).toEqual([
    {
      time: '4026531840.999999999',
      linkType: LinkType.raw,
      wireLen: 4,
      data: Buffer.from('45aa').toString('hex'),
    },
    {
      time: '1.000000000',
      linkType: LinkType.raw,
      wireLen: 70_000,
      data: Buffer.from('60bbcc').toString('hex'),
    },
  ]);
});

test('a block is not ready before the kernel hands it over, but shows that it fills', () => {
  const ring = new FakeRing();
  const reader = readerOf(ring);
  expect([reader.isReady, reader.isFilling]).toEqual([false, false]);
  put(ring, 0, 1);
  expect([reader.isReady, reader.isFilling]).toEqual([false, true]);
  ring.tick();
  expect(reader.isReady).toBe(true);
  expect(numbersOf(takeAll(reader))).toEqual([0]);
  expect([reader.isReady, reader.isFilling]).toEqual([false, false]);
});

test('a block of more packets than a batch holds comes in several', () => {
  const ring = new FakeRing({ blockBytes: 1 << 20 });
  const reader = readerOf(ring);
  const count = 2 * BATCH_PACKETS + 5;
  put(ring, 0, count);
  ring.tick();
  const taken = takeAll(reader);
  expect(taken.map(({ batch }) => batch.count)).toEqual([BATCH_PACKETS, BATCH_PACKETS, 5]);
  expect(numbersOf(taken)).toEqual(upTo(count));
  expect(ring.owners).toBe('ukkk');
  for (const one of [...taken.slice(1), ...taken.slice(0, 1)]) {
    expect(ring.owners).toBe('ukkk');
    reader.give(one);
  }
  expect(ring.owners).toBe('kkkk');
});

test('while a block is read its batches may come back: it stays until it was read to the end', () => {
  const ring = new FakeRing({ blockBytes: 1 << 20 });
  const reader = readerOf(ring);
  put(ring, 0, BATCH_PACKETS + 1);
  ring.tick();
  const first = reader.take();
  if (first !== undefined) reader.give(first);
  expect(ring.owners).toBe('ukkk');
  const [last] = takeAll(reader);
  if (last !== undefined) reader.give(last);
  expect(ring.owners).toBe('kkkk');
});

test('a batch of several blocks holds them all; one that was not full is its last', () => {
  const ring = new FakeRing({ blocks: 5, blockBytes: 1024 });
  const reader = readerOf(ring);
  // the batch begins in the fourth block of the ring and ends in its first
  for (let number = 0; number < 3; number++) {
    put(ring, number, number + 1);
    ring.tick();
  }
  for (const one of takeAll(reader)) reader.give(one);
  put(ring, 3, 23);
  ring.tick();
  put(ring, 23, 24);
  ring.tick();
  const [taken, last, ...others] = takeAll(reader);
  if (taken === undefined || last === undefined) throw new Error('two batches');
  expect([numbersOf([taken]), numbersOf([last]), others]).toEqual([upTo(23, 3), [23], []]);
  expect(ring.owners).toBe('uukuu');
  reader.give(taken);
  expect(ring.owners).toBe('kukkk');
  reader.give(last);
  expect(ring.owners).toBe('kkkkk');
});

test('blocks go back in the order in which their batches come back, whatever it is', () => {
  const ring = new FakeRing();
  const reader = readerOf(ring);
  for (const number of [0, 1, 2]) {
    put(ring, number, number + 1);
    ring.tick();
  }
  const [first, second, third] = takeAll(reader);
  if (first === undefined || second === undefined || third === undefined) throw new Error('three batches');
  expect(ring.owners).toBe('uuuk');
  reader.give(second);
  expect(ring.owners).toBe('ukuk');
  reader.give(third);
  reader.give(first);
  expect(ring.owners).toBe('kkkk');
  expect(() => reader.give(first)).toThrow(AssertionFailure);
});

test('a full ring is not read twice, and goes on once a block is back', () => {
  const ring = new FakeRing();
  const reader = readerOf(ring);
  for (let number = 0; number < 4; number++) {
    put(ring, number, number + 1);
    ring.tick();
  }
  const taken = takeAll(reader);
  expect(numbersOf(taken)).toEqual([0, 1, 2, 3]);
  expect([ring.owners, reader.isReady]).toEqual(['uuuu', false]);
  put(ring, 4, 6);
  expect(ring.drops).toBe(2);
  for (const one of taken) reader.give(one);
  put(ring, 6, 7);
  ring.tick();
  expect(numbersOf(takeAll(reader))).toEqual([6]);
  expect(ring.drops).toBe(2);
});

test('blocks without a packet go back at once, and nothing is delivered', () => {
  const ring = new FakeRing();
  const reader = readerOf(ring);
  ring.tickEmpty();
  ring.tickEmpty();
  expect(ring.owners).toBe('uukk');
  expect(takeAll(reader)).toEqual([]);
  expect(ring.owners).toBe('kkkk');
  put(ring, 0, 1);
  ring.tick();
  expect(numbersOf(takeAll(reader))).toEqual([0]);
});

describe('another reader takes over', () => {
  test('what the first held goes back, what it has not read is read', () => {
    const ring = new FakeRing();
    const dead = readerOf(ring);
    for (const number of [0, 1]) {
      put(ring, number, number + 1);
      ring.tick();
    }
    takeAll(dead);
    put(ring, 2, 3);
    ring.tick();
    expect(ring.owners).toBe('uuuk');
    const reader = readerOf(ring);
    expect(ring.owners).toBe('kkuk');
    expect(numbersOf(takeAll(reader))).toEqual([2]);
  });

  test('in the middle of a block it goes on there', () => {
    const ring = new FakeRing({ blockBytes: 1 << 20 });
    const dead = readerOf(ring);
    const count = BATCH_PACKETS + 100;
    put(ring, 0, count);
    ring.tick();
    dead.take();
    const reader = readerOf(ring);
    const taken = takeAll(reader);
    expect(numbersOf(taken)).toEqual(upTo(count, BATCH_PACKETS));
    for (const one of taken) reader.give(one);
    expect(ring.owners).toBe('kkkk');
  });

  test('of a full ring of which everything was read, it reads nothing, and all goes back', () => {
    const ring = new FakeRing();
    const dead = readerOf(ring);
    put(ring, 0, 200);
    takeAll(dead);
    expect(ring.owners).toBe('uuuu');
    const reader = readerOf(ring);
    expect([ring.owners, reader.isReady]).toEqual(['kkkk', false]);
  });

  test('of a full ring of which nothing was read, it reads everything', () => {
    const ring = new FakeRing();
    readerOf(ring);
    put(ring, 0, 200);
    const drops = ring.drops;
    expect(drops).toBeGreaterThan(0);
    expect(numbersOf(takeAll(readerOf(ring)))).toEqual(upTo(200 - drops));
  });
});

/** What happens to a ring and its reader, one after the other. */
const happenings = array(
  tuple(constantFrom('put', 'put', 'tick', 'take', 'takeAll', 'give', 'die'), integer({ min: 1, max: 30 })),
  { maxLength: 150 },
);

test.each([1, 0x7fff_fffd, 0xffff_fffd])(
  'whatever happens, every packet that found room is handed on once, in order (first block %i)',
  (firstSequence) => {
    check(
      property(happenings, integer({ min: 1, max: 5 }), (steps, blocks) => {
        const ring = new FakeRing({ blocks, blockBytes: 1024, firstSequence });
        // a block of this size holds about eight packets
        const newReader = (): RingReader => new RingReader(ring.handle, ring.bytes, 3);
        let reader = newReader();
        let out: RingBatch[] = [];
        let next = 0;
        const expected: number[] = [];
        const seen: number[] = [];
        const take = (): void => {
          const one = reader.isReady ? reader.take() : undefined;
          if (one === undefined) return;
          seen.push(...numbersOf([one]));
          out.push(one);
        };
        for (const [what, amount] of [...steps, ['die', 1], ['tick', 1], ['takeAll', 1]] as typeof steps) {
          if (what === 'put') {
            for (let i = 0; i < amount; i++, next++) {
              if (ring.put({ bytes: numberedPacket(next) })) expected.push(next);
            }
          } else if (what === 'tick') {
            ring.tick();
          } else if (what === 'take') {
            take();
          } else if (what === 'takeAll') {
            while (reader.isReady) take();
          } else if (what === 'give') {
            for (const one of out.splice(amount % (out.length + 1), 1)) reader.give(one);
          } else {
            // the batches of the dead one are written off
            out = [];
            reader = newReader();
          }
        }
        expect(seen).toEqual(expected);
        for (const one of out) reader.give(one);
        expect(ring.owners).toBe('k'.repeat(blocks));
      }),
      { numRuns: 300 },
    );
  },
);

const { at } = packetHeader;
const damages: readonly { readonly name: string; damage: (ring: FakeRing) => void }[] = [
  { name: 'more packets than fit', damage: (ring) => ring.damageCount(0, 1000) },
  { name: 'the first packet longer than its block', damage: (ring) => ring.damage(0, at.tp_snaplen, 4000) },
  { name: 'a length beyond 2^31', damage: (ring) => ring.damage(0, at.tp_snaplen, 0xffff_ff00) },
  { name: 'a next packet outside the block', damage: (ring) => ring.damage(0, at.tp_next_offset, 8192) },
  {
    name: 'a next packet far outside the ring',
    damage: (ring) => ring.damage(0, at.tp_next_offset, 0x7fff_fff8),
  },
  { name: 'a next packet that is the same', damage: (ring) => ring.damage(0, at.tp_next_offset, 0) },
  { name: 'a next packet at an odd place', damage: (ring) => ring.damage(0, at.tp_next_offset, 101) },
  { name: 'a block that is too early', damage: (ring) => ring.damageSequence(0, 3) },
];

test.each(damages)('the kernel is not believed: $name', ({ damage }) => {
  const ring = new FakeRing();
  const reader = readerOf(ring);
  put(ring, 0, 3);
  ring.tick();
  damage(ring);
  expect(() => takeAll(reader)).toThrow(AssertionFailure);
});
