import { needsEndpoint } from '../lane-key.ts';
import type { FlowHash } from './flow-hash.ts';
import { isSameKey } from './flow-key.ts';
import * as layout from './flow-layout.ts';

// for speed: see "Constants" in src/README.md
const {
  ENDPOINT_HIGH,
  ENDPOINT_LOW,
  HASH,
  HIGH,
  KIND,
  LANE_KEY,
  LOW,
  MIRROR_SOURCE,
  NO_ROW,
  PORTS,
  ROW_WORDS,
} = layout;

const EMPTY = 0;
/** No lane has this key. */
const NO_LANE = 0;
/** Buckets for each row at least, so that searches stay short. */
const ROOM = 1.5;
const LEAST_BUCKETS = 1024;
/** A number of rows that is never reached. */
const NEVER = -1;

/** Buckets of an index over so many rows: a power of two. */
export function indexBuckets(rows: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, rows * ROOM)));
}

/**
 * Finds rows by key: a hash table with open addressing. A bucket holds a row's number + 1 in its lower bits and upper bits of
 * its hash above, so that a row of another key is hardly ever looked at.
 *
 * The memory is that of a full table from the beginning. Of it only as much is used as the rows need, so that what is used
 * stays in the processor's cache; each time that is doubled, all rows are put in anew.
 */
export class FlowIndex {
  readonly #words: Int32Array;
  readonly #hash: FlowHash;
  readonly #buckets: Int32Array;
  /** Buckets in use - 1. */
  #mask: number;
  /** Rows in the index, and how many of them make it grow. */
  #rows = 0;
  #growAt: number;
  /** The row that was found last. */
  #last = 0;
  /** Bits of a bucket that are the row's number + 1. */
  readonly #numberMask: number;

  constructor(words: Int32Array, maxFlows: number, hash: FlowHash) {
    this.#words = words;
    this.#hash = hash;
    this.#buckets = new Int32Array(indexBuckets(maxFlows));
    const used = Math.min(LEAST_BUCKETS, this.#buckets.length);
    this.#mask = used - 1;
    this.#growAt = growAt(used, this.#buckets.length);
    this.#numberMask = 2 ** (32 - Math.clz32(maxFlows)) - 1;
  }

  /** The row with the key of the row at `at`, or NO_ROW. Notes the hash of the key at `at`. */
  find(at: number): number {
    const words = this.#words;
    const buckets = this.#buckets;
    const numbers = this.#numberMask;
    const hash = this.#hash.of(words, at);
    words[at + HASH] = hash;
    for (let bucket = hash & this.#mask; ; bucket = (bucket + 1) & this.#mask) {
      const entry = buckets[bucket]!;
      if (entry === EMPTY) return NO_ROW;
      if (((entry ^ hash) & ~numbers) !== 0) continue;
      const row = (entry & numbers) - 1;
      if (isSameKey(words, at, row * ROW_WORDS)) return row;
    }
  }

  /** The row with this key, which has no rest; NO_ROW where there is none. The row that was found last is looked at first. */
  findPlain(
    ports: number,
    low: number,
    high: number,
    kind: number,
    laneKey: number,
    source: number,
    endpointHigh: number,
    endpointLow: number,
  ): number {
    const words = this.#words;
    const last = this.#last * ROW_WORDS;
    if (isPlainKey(words, last, ports, low, high, kind, laneKey, source, endpointHigh, endpointLow))
      return this.#last;
    const buckets = this.#buckets;
    const numbers = this.#numberMask;
    const hash = this.#hash.ofPlain(ports, low, high, kind, laneKey, source, endpointHigh, endpointLow);
    for (let bucket = hash & this.#mask; ; bucket = (bucket + 1) & this.#mask) {
      const entry = buckets[bucket]!;
      if (entry === EMPTY) return NO_ROW;
      if (((entry ^ hash) & ~numbers) !== 0) continue;
      const row = (entry & numbers) - 1;
      const at = row * ROW_WORDS;
      if (!isPlainKey(words, at, ports, low, high, kind, laneKey, source, endpointHigh, endpointLow))
        continue;
      this.#last = row;
      return row;
    }
  }

  /** Adds a row whose key and hash are in place, and whose key is not here yet. */
  add(row: number): void {
    if (this.#rows === this.#growAt) this.#grow();
    this.#rows++;
    this.#put(row, this.#words[row * ROW_WORDS + HASH]!);
  }

  /** Takes a row out; entries behind it move up, so that no search for one of them ends at the gap. Its key is no key any more. */
  remove(row: number): void {
    this.#words[row * ROW_WORDS + LANE_KEY] = NO_LANE;
    const buckets = this.#buckets;
    const mask = this.#mask;
    let gap = this.#words[row * ROW_WORDS + HASH]! & mask;
    while ((buckets[gap]! & this.#numberMask) !== row + 1) gap = (gap + 1) & mask;
    for (let next = (gap + 1) & mask; buckets[next] !== EMPTY; next = (next + 1) & mask) {
      const home = this.#home(buckets[next]!);
      // an entry whose search begins behind the gap stays where it is
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      buckets[gap] = buckets[next]!;
      gap = next;
    }
    buckets[gap] = EMPTY;
    this.#rows--;
  }

  #put(row: number, hash: number): void {
    const buckets = this.#buckets;
    let bucket = hash & this.#mask;
    while (buckets[bucket] !== EMPTY) bucket = (bucket + 1) & this.#mask;
    buckets[bucket] = (hash & ~this.#numberMask) | (row + 1);
  }

  /** Doubles the buckets in use. Takes a copy of those so far: a dozen times in the life of a worker. */
  #grow(): void {
    const buckets = this.#buckets;
    const entries = buckets.slice(0, this.#mask + 1);
    buckets.fill(EMPTY, 0, entries.length);
    this.#mask = 2 * entries.length - 1;
    this.#growAt = growAt(2 * entries.length, buckets.length);
    for (const entry of entries) {
      if (entry === EMPTY) continue;
      const row = (entry & this.#numberMask) - 1;
      this.#put(row, this.#words[row * ROW_WORDS + HASH]!);
    }
  }

  /** The bucket where the search for an entry begins. */
  #home(entry: number): number {
    return this.#words[((entry & this.#numberMask) - 1) * ROW_WORDS + HASH]! & this.#mask;
  }
}

/** Rows with which so many buckets are full enough to be doubled. */
function growAt(buckets: number, most: number): number {
  return buckets === most ? NEVER : Math.floor(buckets / ROOM);
}

/** Whether the row at `at` has this key, which has no rest. */
function isPlainKey(
  words: Int32Array,
  at: number,
  ports: number,
  low: number,
  high: number,
  kind: number,
  laneKey: number,
  source: number,
  endpointHigh: number,
  endpointLow: number,
): boolean {
  return (
    words[at + PORTS] === ports &&
    words[at + LOW] === low &&
    words[at + HIGH] === high &&
    words[at + KIND] === kind &&
    words[at + LANE_KEY] === laneKey &&
    words[at + MIRROR_SOURCE] === source &&
    (!needsEndpoint(laneKey) ||
      (words[at + ENDPOINT_HIGH] === endpointHigh && words[at + ENDPOINT_LOW] === endpointLow))
  );
}
