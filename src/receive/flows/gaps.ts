import { assert } from '../../wire/assert.ts';
import { GAP_COUNT_ONE, GAP_COUNT_SHIFT, GAP_INDEX, SideBit, SideWord } from './tcp-words.ts';

/** Most gaps of one side. */
export const GAPS_MAX = 16;

const NODE_WORDS = 4;
const START = 0;
const END = 1;
const NEXT = 2;
const MADE_US = 3;
/** In the word of the next node. */
const IS_OPEN = 1 << 31;

/**
 * Gaps in the sequences of all connections of a worker: ranges of sequence numbers, `start .. end - 1`, that were not
 * seen although later ones were. Each side has a list in ascending order; all lists share one memory of fixed size.
 *
 * A node: start, end, next node of the list (0: none) and whether the gap is open, time at which the gap appeared in
 * microseconds modulo 2^32. An open gap is the last of its side: what follows it so far is no data, but an ACK or FIN
 * whose sequence number told of data before it.
 */
export class GapPool {
  readonly #nodes: Int32Array;
  /** First of the nodes that nobody has; 0: none. */
  #free = 1;

  /** @param most gaps in all, 1..262,143 */
  constructor(most: number) {
    assert(most >= 1 && most <= GAP_INDEX, `There is room for 1 to ${GAP_INDEX} gaps.`);
    this.#nodes = new Int32Array((most + 1) * NODE_WORDS);
    for (let node = 1; node < most; node++) this.#nodes[node * NODE_WORDS + NEXT] = node + 1;
  }

  /** First gap of a side, 0 for none. */
  first(words: Int32Array, side: number): number {
    return words[side + SideWord.gaps]! & GAP_INDEX;
  }

  next(node: number): number {
    return this.#nodes[node * NODE_WORDS + NEXT]! & GAP_INDEX;
  }

  /** Last gap of a side, 0 for none. */
  last(words: Int32Array, side: number): number {
    let last = this.first(words, side);
    while (last !== 0 && this.next(last) !== 0) last = this.next(last);
    return last;
  }

  isOpen(node: number): boolean {
    return this.#nodes[node * NODE_WORDS + NEXT]! < 0;
  }

  setOpen(node: number, isOpen: boolean): void {
    const next = this.next(node);
    this.#nodes[node * NODE_WORDS + NEXT] = isOpen ? next | IS_OPEN : next;
  }

  start(node: number): number {
    return this.#nodes[node * NODE_WORDS + START]!;
  }

  end(node: number): number {
    return this.#nodes[node * NODE_WORDS + END]!;
  }

  madeUs(node: number): number {
    return this.#nodes[node * NODE_WORDS + MADE_US]!;
  }

  setStart(node: number, start: number): void {
    this.#nodes[node * NODE_WORDS + START] = start;
  }

  setEnd(node: number, end: number): void {
    this.#nodes[node * NODE_WORDS + END] = end;
  }

  /**
   * Puts a gap behind `previous`, or first in the list where that is 0.
   *
   * @returns false where the side has as many as it may have, or the memory is full
   */
  insert(
    words: Int32Array,
    side: number,
    previous: number,
    start: number,
    end: number,
    madeUs: number,
  ): boolean {
    const count = (words[side + SideWord.bits]! & SideBit.gapCount) >>> GAP_COUNT_SHIFT;
    const node = this.#free;
    if (node === 0 || count >= GAPS_MAX) return false;
    const nodes = this.#nodes;
    const at = node * NODE_WORDS;
    this.#free = nodes[at + NEXT]!;
    nodes[at + START] = start;
    nodes[at + END] = end;
    nodes[at + MADE_US] = madeUs;
    nodes[at + NEXT] = previous === 0 ? this.first(words, side) : this.next(previous);
    this.#link(words, side, previous, node);
    words[side + SideWord.bits]! += GAP_COUNT_ONE;
    return true;
  }

  /** Puts a gap behind all others of the side; see `insert`. */
  append(words: Int32Array, side: number, start: number, end: number, madeUs: number): boolean {
    return this.insert(words, side, this.last(words, side), start, end, madeUs);
  }

  /** Takes the gap behind `previous` out of the list, or the first where that is 0; returns the one after it. */
  remove(words: Int32Array, side: number, previous: number): number {
    const nodes = this.#nodes;
    const node = previous === 0 ? this.first(words, side) : this.next(previous);
    const after = this.next(node);
    this.#link(words, side, previous, after);
    nodes[node * NODE_WORDS + NEXT] = this.#free;
    this.#free = node;
    words[side + SideWord.bits]! -= GAP_COUNT_ONE;
    return after;
  }

  #link(words: Int32Array, side: number, previous: number, node: number): void {
    if (previous !== 0) this.#nodes[previous * NODE_WORDS + NEXT] = node;
    else words[side + SideWord.gaps] = (words[side + SideWord.gaps]! & ~GAP_INDEX) | node;
  }
}
