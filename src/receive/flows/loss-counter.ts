import * as laneCounting from '../lane-counters.ts';
import type { GapPool } from './gaps.ts';
import { higher, lower } from './sequence.ts';
import { addAcked, addUnseen } from './tcp-words.ts';
import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { LANE_COUNTERS_LENGTH, LaneCounter } = laneCounting;
const { SideBit, SideWord } = tcpWords;

/**
 * Counts the bytes of one side that the other acknowledged, and those of them that never came: in the side's words and
 * in its lane, at once.
 *
 * Only bytes between data that was seen count. What lies before the first and after the last, this appliance may not
 * have been meant to see.
 */
export class LossCounter {
  readonly #gaps: GapPool;
  readonly #laneCounters: Float64Array;
  /** Set whenever bytes are counted that never came. */
  hasLost = false;

  constructor(gaps: GapPool, laneCounters: Float64Array) {
    this.#gaps = gaps;
    this.#laneCounters = laneCounters;
  }

  /** Counts that `from .. to - 1` were acknowledged, gaps among them as unseen. */
  countAcked(words: Int32Array, side: number, from: number, to: number, lane: number): void {
    this.addAcked(words, side, (to - from) | 0, lane);
    if ((words[side + SideWord.bits]! & SideBit.gapCount) === 0) return;
    const gaps = this.#gaps;
    let node = gaps.first(words, side);
    if ((words[side + SideWord.bits]! & SideBit.leading) !== 0) node = gaps.next(node);
    for (; node !== 0; node = gaps.next(node)) {
      const unseen = (lower(to, gaps.end(node)) - higher(from, gaps.start(node))) | 0;
      if (unseen > 0) this.#addUnseen(words, side, unseen, lane);
    }
  }

  /** Counts what changes when the bytes `from .. to - 1` of a gap come now. */
  settle(
    words: Int32Array,
    side: number,
    previous: number,
    node: number,
    from: number,
    to: number,
    lane: number,
  ): void {
    const gaps = this.#gaps;
    const bits = words[side + SideWord.bits]!;
    if ((bits & SideBit.ackKnown) === 0) return;
    const acked = words[side + SideWord.acked]!;
    const start = gaps.start(node);
    const end = gaps.end(node);
    const isLeading = previous === 0 && (bits & SideBit.leading) !== 0;
    const isOpen = gaps.isOpen(node);
    // only between data bytes count; now these are data
    const before = isLeading || isOpen ? 0 : overlap(start, end, acked);
    const after = overlap(isLeading ? from : start, isOpen ? to : end, acked);
    const below = isLeading ? 0 : overlap(start, from, acked);
    const above = isOpen ? 0 : overlap(to, end, acked);
    if (after !== before) this.addAcked(words, side, after - before, lane);
    if (below + above !== before) this.#addUnseen(words, side, below + above - before, lane);
  }

  /** Sequence number of the first data that was seen. */
  firstData(words: Int32Array, side: number): number {
    const isLed = (words[side + SideWord.bits]! & SideBit.leading) !== 0;
    return isLed ? this.#gaps.end(this.#gaps.first(words, side)) : words[side + SideWord.base]!;
  }

  /** One past the last data that was seen. */
  dataEnd(words: Int32Array, side: number): number {
    const next = words[side + SideWord.next]!;
    if ((words[side + SideWord.bits]! & SideBit.gapCount) === 0) return next;
    const last = this.#gaps.last(words, side);
    return this.#gaps.isOpen(last) ? this.#gaps.start(last) : next;
  }

  addAcked(words: Int32Array, side: number, bytes: number, lane: number): void {
    addAcked(words, side, bytes);
    this.#laneCounters[lane * LANE_COUNTERS_LENGTH + LaneCounter.ackedBytes]! += bytes;
  }

  #addUnseen(words: Int32Array, side: number, bytes: number, lane: number): void {
    const change = addUnseen(words, side, bytes);
    if (change > 0) this.hasLost = true;
    this.#laneCounters[lane * LANE_COUNTERS_LENGTH + LaneCounter.unseenBytes]! += change;
  }
}

/** Bytes of `start .. end - 1` that lie before `limit`. */
function overlap(start: number, end: number, limit: number): number {
  return Math.max(0, (lower(limit, end) - start) | 0);
}
