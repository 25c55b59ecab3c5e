import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowHash, identityHalf } from '../../../../src/receive/flows/flow-hash.ts';
import { FlowIndex, indexBuckets } from '../../../../src/receive/flows/flow-index.ts';
import {
  allocateRows,
  HIGH,
  KIND,
  KIND_IPV6,
  LANE_KEY,
  LOW,
  LOW_REST,
  MIRROR_SOURCE,
  NO_ROW,
  PORTS,
  ROW_WORDS,
  START_SECONDS,
} from '../../../../src/receive/flows/flow-layout.ts';
import { scaled } from '../../../support/scale.ts';

const MOST = 40;
const LANE = 1 << 28;

test('finds what a map would find, whatever was added and removed before', () => {
  const steps = fc.array(fc.record({ key: fc.nat(60), adds: fc.boolean() }), { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(steps, fc.constantFrom(3, 5, MOST), fc.integer(), (list, most, seed) => {
      const words = allocateRows(most);
      const index = new FlowIndex(words, most, new FlowHash(seed));
      const keyAt = most * ROW_WORDS;
      const rows = new Map<number, number>();
      const free = Array.from({ length: most }, (_, row) => row);
      for (const { key, adds } of list) {
        words[keyAt + PORTS] = key;
        words[keyAt + LANE_KEY] = LANE;
        const row = index.find(keyAt);
        expect(row).toBe(rows.get(key) ?? NO_ROW);
        expect(index.findPlain(key, 0, 0, 0, LANE, 0, 0, 0)).toBe(row);
        if (!adds && row !== NO_ROW) {
          index.remove(row);
          rows.delete(key);
          free.push(row);
        } else if (adds && row === NO_ROW && free.length > 0) {
          const taken = free.pop() ?? 0;
          words.copyWithin(taken * ROW_WORDS, keyAt, keyAt + ROW_WORDS);
          index.add(taken);
          rows.set(key, taken);
        }
      }
    }),
    { numRuns: scaled(2000) },
  );
});

test('grows to its full size with its rows', () => {
  const most = 5000;
  const words = allocateRows(most);
  const index = new FlowIndex(words, most, new FlowHash(1));
  const keyAt = most * ROW_WORDS;
  for (let row = 0; row < most; row++) {
    words[keyAt + PORTS] = row;
    words[keyAt + LANE_KEY] = LANE;
    expect(index.find(keyAt)).toBe(NO_ROW);
    words.copyWithin(row * ROW_WORDS, keyAt, keyAt + ROW_WORDS);
    index.add(row);
  }
  for (let row = 0; row < most; row++) expect(index.findPlain(row, 0, 0, 0, LANE, 0, 0, 0)).toBe(row);
});

test('keys that have one hash are two keys', () => {
  const hash = new FlowHash(1);
  const byHash = new Map<number, number>();
  let pair: readonly [number, number] | undefined;
  // of so many keys some have the same 32 bits, by the birthday problem
  for (let key = 0; key < 400_000 && pair === undefined; key++) {
    // not in a row: what is near each other is kept apart by design
    const ports = Math.imul(key, 0x9e37_79b1);
    const own = hash.ofPlain(ports, key, 0, 0, LANE, 0, 0, 0);
    const other = byHash.get(own);
    if (other !== undefined) pair = [other, key];
    byHash.set(own, key);
  }
  expect(pair).toBeDefined();
  const words = allocateRows(MOST);
  const index = new FlowIndex(words, MOST, hash);
  const keyAt = MOST * ROW_WORDS;
  for (const [row, key] of pair!.entries()) {
    words[keyAt + PORTS] = Math.imul(key, 0x9e37_79b1);
    words[keyAt + LOW] = key;
    words[keyAt + LANE_KEY] = LANE;
    expect(index.find(keyAt)).toBe(NO_ROW);
    expect(index.findPlain(words[keyAt + PORTS]!, key, 0, 0, LANE, 0, 0, 0)).toBe(NO_ROW);
    words.copyWithin(row * ROW_WORDS, keyAt, keyAt + ROW_WORDS);
    index.add(row);
  }
  for (const row of [0, 1, 0]) {
    const [ports, low] = [words[row * ROW_WORDS + PORTS]!, words[row * ROW_WORDS + LOW]!];
    expect(index.findPlain(ports, low, 0, 0, LANE, 0, 0, 0)).toBe(row);
  }
});

test.each([
  [1, 2],
  [2, 4],
  [100, 256],
  [1_000_000, 2_097_152],
])('for %i rows there are %i buckets', (rows, buckets) => {
  expect(indexBuckets(rows)).toBe(buckets);
});

const families = [
  { name: 'ports in a row', write: (words: Int32Array, i: number) => (words[PORTS] = i) },
  { name: 'ports in the upper half', write: (words: Int32Array, i: number) => (words[PORTS] = i << 16) },
  {
    name: 'networks and ports, both in upper halves',
    write: (words: Int32Array, i: number) => {
      words[LOW] = (i & 0xff) << 16;
      words[PORTS] = (i >>> 8) << 16;
    },
  },
  {
    name: 'two addresses that count together',
    write: (words: Int32Array, i: number) => {
      words[LOW] = i;
      words[HIGH] = i;
    },
  },
  { name: 'mirror sources', write: (words: Int32Array, i: number) => (words[MIRROR_SOURCE] = i << 8) },
  {
    name: 'last words of IPv6 addresses',
    write: (words: Int32Array, i: number) => {
      words[KIND] = KIND_IPV6;
      words[LOW_REST + 2] = i;
    },
  },
];

test.each(families)('$name are spread evenly', ({ write }) => {
  const words = new Int32Array(ROW_WORDS);
  const hash = new FlowHash(7);
  const count = 32_768;
  const buckets = new Int32Array(65_536);
  for (let i = 0; i < count; i++) {
    write(words, i);
    buckets[hash.of(words, 0) & 0xffff]! += 1;
  }
  // thrown at random, 32,768 balls hit 25,780 of 65,536 buckets, give or take 70, and none more than 10 times
  expect(buckets.reduce((sum, balls) => sum + Math.min(balls, 1), 0)).toBeGreaterThan(25_400);
  expect(Math.max(...buckets)).toBeLessThan(10);
});

/** A word whose upper half says `bits` in its highest 7, and which folded to 16 bits is always the same. */
function topBits(bits: number): number {
  const half = (bits << 9) & 0xffff;
  return (half << 16) | half;
}

const topFamilies = [
  {
    name: 'an address and the ports',
    write: (words: Int32Array, i: number) => {
      words[LOW] = topBits(i);
      words[PORTS] = topBits(i >>> 7);
    },
  },
  {
    name: 'both addresses',
    write: (words: Int32Array, i: number) => {
      words[LOW] = topBits(i);
      words[HIGH] = topBits(i >>> 7);
    },
  },
  {
    name: 'IPv6 addresses',
    write: (words: Int32Array, i: number) => {
      words[KIND] = KIND_IPV6;
      words[LOW_REST + 1] = topBits(i);
      words[LOW_REST + 2] = topBits(i >>> 7);
    },
  },
];

test.each(topFamilies)('keys that differ in the upper bits of $name do not meet', ({ write }) => {
  const words = new Int32Array(ROW_WORDS);
  for (const seed of [0, 7, 0x7eed_5eed]) {
    const hash = new FlowHash(seed);
    const seen = new Set<number>();
    for (let i = 0; i < 2 ** 14; i++) {
      write(words, i);
      seen.add(hash.of(words, 0));
    }
    // thrown at random, 2^14 balls hit as many of 2^32 buckets, or one less
    expect(seen.size).toBeGreaterThan(2 ** 14 - 10);
  }
});

test('flows that differ in key or start have different numbers', () => {
  const words = new Int32Array(ROW_WORDS);
  const seen = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    words[LOW] = i % 10;
    words[START_SECONDS] = Math.floor(i / 10);
    seen.add(`${identityHalf(words, 0, 0)} ${identityHalf(words, 0, 1)}`);
  }
  expect(seen.size).toBe(1000);
});
