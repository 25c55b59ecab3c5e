import type { FlowHash } from './flow-hash.ts';
import { isSameKey } from './flow-key.ts';
import { HASH, NO_ROW, ROW_WORDS } from './flow-layout.ts';

const EMPTY = 0;
/** Buckets for each row at least: three quarters full or less, so that searches stay short. */
const ROOM = 1.5;

/** Buckets of an index over so many rows: a power of two. */
export function indexBuckets(maxFlows: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, maxFlows * ROOM)));
}

/**
 * Finds rows by key: a hash table with open addressing. A bucket holds a row's number + 1 in its lower bits and upper bits of
 * its hash above, so that a row of another key is hardly ever looked at.
 */
export class FlowIndex {
  readonly #words: Int32Array;
  readonly #hash: FlowHash;
  readonly #buckets: Int32Array;
  readonly #mask: number;
  /** Bits of a bucket that are the row's number + 1. */
  readonly #numberMask: number;

  constructor(words: Int32Array, maxFlows: number, hash: FlowHash) {
    this.#words = words;
    this.#hash = hash;
    this.#buckets = new Int32Array(indexBuckets(maxFlows));
    this.#mask = this.#buckets.length - 1;
    this.#numberMask = 2 ** (32 - Math.clz32(maxFlows)) - 1;
  }

  /** The row with the key of the row at `at`, or NO_ROW. Notes the hash of the key at `at`. */
  find(at: number): number {
    const words = this.#words;
    const buckets = this.#buckets;
    const numbers = this.#numberMask;
    const hash = this.#hash.of(words, at);
    words[at + HASH] = hash;
    let bucket = hash & this.#mask;
    for (;;) {
      const entry = buckets[bucket]!;
      if (entry === EMPTY) return NO_ROW;
      if (((entry ^ hash) & ~numbers) === 0) {
        const row = (entry & numbers) - 1;
        if (isSameKey(words, at, row * ROW_WORDS)) return row;
      }
      bucket = (bucket + 1) & this.#mask;
    }
  }

  /** Adds a row whose key and hash are in place, and whose key is not here yet. */
  add(row: number): void {
    const buckets = this.#buckets;
    const hash = this.#words[row * ROW_WORDS + HASH]!;
    let bucket = hash & this.#mask;
    while (buckets[bucket] !== EMPTY) bucket = (bucket + 1) & this.#mask;
    buckets[bucket] = (hash & ~this.#numberMask) | (row + 1);
  }

  /** Takes a row out; entries behind it move up, so that no search for one of them ends at the gap. */
  remove(row: number): void {
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
  }

  /** The bucket where the search for an entry begins. */
  #home(entry: number): number {
    return this.#words[((entry & this.#numberMask) - 1) * ROW_WORDS + HASH]! & this.#mask;
  }
}
