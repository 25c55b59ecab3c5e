import * as analysisTallies from '../analysis-tally.ts';
import type { GapPool } from './gaps.ts';
import * as gapPool from './gaps.ts';
import * as sequences from './sequence.ts';
import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { AnalysisTally } = analysisTallies;
const { GAPS_MAX } = gapPool;
const { JUMP_MAX } = sequences;
const { GAP_COUNT_SHIFT, SideBit, SideWord } = tcpWords;

/** So long an acknowledged gap may still be filled, and its bytes taken back from those that never came. */
const TAKE_BACK_US = 1_000_000;

/** How the gaps of one side of a connection come and go, and with them where its sequence begins. */
export class SideGaps {
  readonly #pool: GapPool;
  readonly #tally: Float64Array;

  /** @param tally the worker's `AnalysisTally` */
  constructor(pool: GapPool, tally: Float64Array) {
    this.#pool = pool;
    this.#tally = tally;
  }

  /** The side's sequence begins earlier than was known: what is between is a gap before all data. */
  lead(words: Int32Array, side: number, start: number): void {
    const gaps = this.#pool;
    const bits = words[side + SideWord.bits]!;
    if ((bits & SideBit.leading) !== 0) gaps.setStart(gaps.first(words, side), start);
    else {
      const base = words[side + SideWord.base]!;
      if (!gaps.insert(words, side, 0, start, base, words[side + SideWord.advancedUs]!)) {
        this.#tally[AnalysisTally.gapsForgotten]! += 1;
        return;
      }
      words[side + SideWord.bits]! |= SideBit.leading;
    }
    words[side + SideWord.base] = start;
  }

  /** What was acknowledged so far is settled: it was counted in a record that is written. */
  settleRecord(words: Int32Array, side: number): void {
    if ((words[side + SideWord.bits]! & SideBit.ackKnown) === 0) return;
    const gaps = this.#pool;
    const acked = words[side + SideWord.acked]!;
    let node = gaps.first(words, side);
    while (node !== 0 && !gaps.isOpen(node) && ((acked - gaps.start(node)) | 0) > 0) {
      if (((acked - gaps.end(node)) | 0) < 0) {
        if ((words[side + SideWord.bits]! & SideBit.leading) === 0) gaps.setStart(node, acked);
        return;
      }
      node = this.dropFirst(words, side);
    }
  }

  /** Gives all gaps of a side back. */
  forget(words: Int32Array, side: number): void {
    while (this.#pool.first(words, side) !== 0) this.#pool.remove(words, side, 0);
    words[side + SideWord.bits]! &= ~SideBit.leading;
  }

  /** Notes that what is before this sequence number was not seen; false where it is not noted. */
  skip(words: Int32Array, side: number, sequence: number, us: number): boolean {
    const gaps = this.#pool;
    const next = words[side + SideWord.next]!;
    const bits = words[side + SideWord.bits]!;
    // a fragment may have had these bytes
    if ((bits & SideBit.openEnd) !== 0) return false;
    if ((bits & SideBit.leading) !== 0 && (bits & SideBit.data) === 0) {
      gaps.setEnd(gaps.first(words, side), sequence);
      return true;
    }
    this.makeRoom(words, side, sequence);
    const isNoted = gaps.append(words, side, next, sequence, us);
    if (!isNoted) this.#tally[AnalysisTally.gapsForgotten]! += 1;
    if ((bits & SideBit.data) === 0) {
      if (isNoted) words[side + SideWord.bits]! |= SideBit.leading;
      else words[side + SideWord.base] = sequence;
    }
    return isNoted;
  }

  /** There is data after the last gap. */
  close(words: Int32Array, side: number): void {
    if ((words[side + SideWord.bits]! & SideBit.gapCount) === 0) return;
    this.#pool.setOpen(this.#pool.last(words, side), false);
  }

  /** Makes a place for one gap more where the side has as many as it may, and keeps all within a range that compares. */
  makeRoom(words: Int32Array, side: number, end: number): void {
    const gaps = this.#pool;
    const first = gaps.first(words, side);
    if (first === 0) return;
    const bits = words[side + SideWord.bits]!;
    const isAckKnown = (bits & SideBit.ackKnown) !== 0;
    const isAcked = isAckKnown && ((words[side + SideWord.acked]! - gaps.end(first)) | 0) >= 0;
    const span = (end - gaps.start(first)) | 0;
    if (span < 0 || span > JUMP_MAX) {
      if (!isAcked) this.#tally[AnalysisTally.gapsForgotten]! += 1;
      this.dropFirst(words, side);
      this.makeRoom(words, side, end);
    } else if (isAcked && (bits & SideBit.gapCount) >>> GAP_COUNT_SHIFT === GAPS_MAX) {
      this.dropFirst(words, side);
    }
  }

  /** Forgets gaps that were acknowledged long ago. */
  forgetOld(words: Int32Array, side: number, us: number): void {
    const gaps = this.#pool;
    const acked = words[side + SideWord.acked]!;
    let node = gaps.first(words, side);
    while (node !== 0 && !gaps.isOpen(node) && ((acked - gaps.end(node)) | 0) >= 0) {
      if (((us - gaps.madeUs(node)) | 0) < TAKE_BACK_US) return;
      node = this.dropFirst(words, side);
    }
  }

  dropFirst(words: Int32Array, side: number): number {
    const gaps = this.#pool;
    if ((words[side + SideWord.bits]! & SideBit.leading) !== 0) {
      words[side + SideWord.base] = gaps.end(gaps.first(words, side));
      words[side + SideWord.bits]! &= ~SideBit.leading;
    }
    return gaps.remove(words, side, 0);
  }

  /** Cuts `from .. to - 1` out of a gap; returns the last of what is left of it, 0 for nothing. */
  cut(words: Int32Array, side: number, previous: number, node: number, from: number, to: number): number {
    const gaps = this.#pool;
    const isLeading = previous === 0 && (words[side + SideWord.bits]! & SideBit.leading) !== 0;
    if (from !== gaps.start(node)) {
      const end = gaps.end(node);
      const isOpen = gaps.isOpen(node);
      gaps.setEnd(node, from);
      gaps.setOpen(node, false);
      if (to === end) return node;
      if (gaps.insert(words, side, node, to, end, gaps.madeUs(node))) {
        gaps.setOpen(gaps.next(node), isOpen);
        return gaps.next(node);
      }
      this.#tally[AnalysisTally.gapsForgotten]! += 1;
      return node;
    }
    if (isLeading) words[side + SideWord.bits]! &= ~SideBit.leading;
    if (to !== gaps.end(node)) {
      gaps.setStart(node, to);
      return node;
    }
    gaps.remove(words, side, previous);
    return 0;
  }
}
