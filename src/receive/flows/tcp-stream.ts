import * as analysisTallies from '../analysis-tally.ts';
import * as tcp from '../../wire/tcp.ts';
import type { GapPool } from './gaps.ts';
import * as gapPool from './gaps.ts';
import type { LossCounter } from './loss-counter.ts';
import { higher, lower } from './sequence.ts';
import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { AnalysisTally } = analysisTallies;
const { Flag } = tcp;
const { GAPS_MAX } = gapPool;
const { GAP_COUNT_SHIFT, SideBit, SideWord } = tcpWords;

/** Farther ahead than any window (RFC 7323 section 2.3) a segment is of another connection, or a lie. */
export const JUMP_MAX = 0x4000_0000;
/** Farther ahead an ACK or FIN without data is not believed. */
const REACH_MAX = 0x100_0000;
/** Farther below the first segment that was seen, data is not late but of another connection. */
const LATE_START_MAX = 0x100_0000;
/** So long an acknowledged gap may still be filled, and its bytes taken back from those that never came. */
const TAKE_BACK_US = 1_000_000;

const ASKED = SideBit.askedOnce | SideBit.askedTwice;

const UNEVEN = SideBit.data | SideBit.gapCount | SideBit.openEnd;
const UNEVEN_OLD = SideBit.data | SideBit.gapCount;
const EVEN_ACK = SideBit.data | SideBit.ackKnown;
const UNEVEN_ACK = EVEN_ACK | SideBit.gapCount | ASKED;

/** What a segment that begins before the next expected sequence number was. */
export const Late = {
  /** Every byte of it had been seen. */
  repeated: 0,
  /** Some of its bytes were seen for the first time. */
  filled: 1,
} as const;

export interface TcpStreamOptions {
  readonly gaps: GapPool;
  readonly loss: LossCounter;
  readonly tally: Float64Array;
}

/**
 * The bytes of one side of a connection: which were seen, which were acknowledged, and which of these never came.
 *
 * A gap is counted when the other side's acknowledgement passes it, and taken back where it is filled after that, in the
 * same record and not more than `TAKE_BACK_US` after the gap appeared (a while longer where nobody looks).
 */
export class TcpStream {
  readonly #gaps: GapPool;
  readonly #loss: LossCounter;
  readonly #tally: Float64Array;
  /** When the first of the gaps that the last `fill` touched appeared. */
  madeUs = 0;

  constructor({ gaps, loss, tally }: TcpStreamOptions) {
    this.#gaps = gaps;
    this.#loss = loss;
    this.#tally = tally;
  }

  /** The side's next data begins here, and nothing is known of any before. */
  start(words: Int32Array, side: number, sequence: number, us: number): void {
    this.forget(words, side);
    words[side + SideWord.next] = sequence;
    words[side + SideWord.base] = sequence;
    words[side + SideWord.advancedUs] = us;
    let bits = words[side + SideWord.bits]! & ~(SideBit.data | SideBit.openEnd);
    // an acknowledgement that came before may be of anything
    if (Math.abs((words[side + SideWord.acked]! - sequence) | 0) > JUMP_MAX) bits &= ~SideBit.ackKnown;
    words[side + SideWord.bits] = bits | SideBit.known;
  }

  /**
   * Whether data is what nearly all data is: next in a side that has had some, with no gap, nothing acknowledged before it
   * came, and no need to look farther. Then `step` takes it, else `advance` or `fill`.
   */
  isNext(words: Int32Array, side: number, sequence: number, len: number): boolean {
    return (
      words[side + SideWord.next]! === sequence &&
      (words[side + SideWord.bits]! & UNEVEN) === SideBit.data &&
      ((words[side + SideWord.acked]! - sequence) | 0) <= 0 &&
      ((sequence + len - words[side + SideWord.base]!) | 0) <= JUMP_MAX
    );
  }

  step(words: Int32Array, side: number, sequence: number, len: number, us: number): void {
    words[side + SideWord.next] = (sequence + len) | 0;
    words[side + SideWord.advancedUs] = us;
  }

  /** Whether all of this data was seen before, in a side without gaps: `fill` would find it so, and change nothing. */
  isOld(words: Int32Array, side: number, sequence: number, len: number): boolean {
    const below = (words[side + SideWord.next]! - sequence) | 0;
    return (
      below >= len &&
      below <= JUMP_MAX &&
      (words[side + SideWord.bits]! & UNEVEN_OLD) === SideBit.data &&
      ((sequence - words[side + SideWord.base]!) | 0) >= 0
    );
  }

  /** Takes data that begins at the next expected sequence number or after it. */
  advance(words: Int32Array, side: number, sequence: number, len: number, us: number, lane: number): void {
    let jump = (sequence - words[side + SideWord.next]!) | 0;
    if (jump > JUMP_MAX) {
      this.start(words, side, sequence, us);
      words[side + SideWord.bits]! &= ~SideBit.ackKnown;
      jump = 0;
    }
    // no gap is counted before the first data
    let from = sequence;
    if ((words[side + SideWord.bits]! & SideBit.data) !== 0) from = this.#loss.dataEnd(words, side);
    if (jump > 0) this.#skip(words, side, sequence, us);
    this.#close(words, side);

    const bits = words[side + SideWord.bits]!;
    const end = (sequence + len) | 0;
    words[side + SideWord.next] = end;
    words[side + SideWord.advancedUs] = us;
    words[side + SideWord.bits] = (bits | SideBit.data) & ~SideBit.openEnd;
    if (((end - words[side + SideWord.base]!) | 0) > JUMP_MAX) this.#follow(words, side, end);
    const isAckKnown = (words[side + SideWord.bits]! & SideBit.ackKnown) !== 0;
    if (isAckKnown && ((words[side + SideWord.acked]! - from) | 0) > 0) {
      this.#loss.countAcked(words, side, from, lower(words[side + SideWord.acked]!, end), lane);
    }
  }

  /** Takes an ACK or FIN without data: its sequence number tells that all before it was sent. */
  reach(words: Int32Array, side: number, sequence: number, us: number): void {
    const jump = (sequence - words[side + SideWord.next]!) | 0;
    if (jump <= 0 || jump > REACH_MAX) return;
    const gaps = this.#gaps;
    const last = gaps.last(words, side);
    if (last !== 0 && gaps.isOpen(last)) gaps.setEnd(last, sequence);
    else if (this.#skip(words, side, sequence, us)) gaps.setOpen(gaps.last(words, side), true);
    words[side + SideWord.next] = sequence;
    words[side + SideWord.bits]! &= ~SideBit.openEnd;
    if (((sequence - words[side + SideWord.base]!) | 0) > JUMP_MAX) this.#follow(words, side, sequence);
  }

  /** Whether an acknowledgement, in a segment with `len` bytes, tells nothing that the other side had not said before. */
  saysNothing(words: Int32Array, side: number, ack: number, len: number): boolean {
    const bits = words[side + SideWord.bits]!;
    const news = (ack - words[side + SideWord.acked]!) | 0;
    if (news > 0 || (bits & SideBit.ackKnown) === 0) return false;
    // said again, it asks for what is in the first gap
    return news < 0 || len > 0 || (bits & SideBit.gapCount) === 0;
  }

  /** Takes an acknowledgement of more data of a side without gaps; false, with nothing done, for any other. */
  acknowledgeNext(words: Int32Array, side: number, ack: number, lane: number): boolean {
    const acked = words[side + SideWord.acked]!;
    const news = (ack - acked) | 0;
    if (news <= 0 || (words[side + SideWord.bits]! & UNEVEN_ACK) !== EVEN_ACK) return false;
    const ahead = (ack - words[side + SideWord.next]!) | 0;
    if (ahead > 0 || ahead < -JUMP_MAX || ((acked - words[side + SideWord.base]!) | 0) < 0) return false;
    words[side + SideWord.acked] = ack;
    this.#loss.addAcked(words, side, news, lane);
    return true;
  }

  /** Takes an acknowledgement by the other side. */
  acknowledge(words: Int32Array, side: number, ack: number, us: number, lane: number): void {
    const bits = words[side + SideWord.bits]!;
    const acked = words[side + SideWord.acked]!;
    const isKnown = (bits & SideBit.ackKnown) !== 0;
    if (isKnown && ((ack - acked) | 0) <= 0) return;
    const next = words[side + SideWord.next]!;
    if ((bits & SideBit.known) !== 0 && Math.abs((ack - next) | 0) > JUMP_MAX) return;
    words[side + SideWord.acked] = ack;
    words[side + SideWord.bits] = (bits & ~ASKED) | SideBit.ackKnown;
    if ((bits & SideBit.data) === 0) return;

    let from = this.#loss.firstData(words, side);
    if (isKnown && ((acked - from) | 0) > 0) from = acked;
    const to = lower(ack, this.#loss.dataEnd(words, side));
    if (((to - from) | 0) <= 0) return;
    this.#loss.countAcked(words, side, from, to, lane);
    if ((bits & SideBit.gapCount) !== 0) this.#forgetOld(words, side, us);
  }

  /** Takes an acknowledgement that says again what was acknowledged. */
  ask(words: Int32Array, side: number): void {
    const bits = words[side + SideWord.bits]!;
    if ((bits & SideBit.gapCount) === 0) return;
    words[side + SideWord.bits] =
      (bits & SideBit.askedOnce) === 0 ? bits | SideBit.askedOnce : bits | SideBit.askedTwice;
  }

  /** Whether the other side has asked twice for what begins here. */
  isAsked(words: Int32Array, side: number, sequence: number): boolean {
    if ((words[side + SideWord.bits]! & SideBit.askedTwice) === 0) return false;
    return words[side + SideWord.acked]! === sequence;
  }

  /**
   * Takes data `start .. end - 1` that lies before the next expected sequence number, all of it.
   *
   * @returns one of `Late`
   */
  fill(words: Int32Array, side: number, start: number, end: number, lane: number): number {
    if (((start - words[side + SideWord.base]!) | 0) < 0) this.#extendDown(words, side, start, end);
    const gaps = this.#gaps;
    let result: number = Late.repeated;
    let previous = 0;
    let node = gaps.first(words, side);
    while (node !== 0 && ((end - gaps.start(node)) | 0) > 0) {
      if (((start - gaps.end(node)) | 0) >= 0) {
        previous = node;
        node = gaps.next(node);
        continue;
      }
      if (result === Late.repeated) this.madeUs = gaps.madeUs(node);
      result = Late.filled;
      words[side + SideWord.bits]! |= SideBit.data;
      const from = higher(start, gaps.start(node));
      const to = lower(end, gaps.end(node));
      this.#loss.settle(words, side, previous, node, from, to, lane);
      const kept = this.#cut(words, side, previous, node, from, to);
      if (kept === 0) node = previous === 0 ? gaps.first(words, side) : gaps.next(previous);
      else {
        previous = kept;
        node = gaps.next(kept);
      }
    }
    return result;
  }

  /** Where late data is first of all: before that, a SYN whose place nobody knew, or data from before the first. */
  #extendDown(words: Int32Array, side: number, start: number, end: number): void {
    const bits = words[side + SideWord.bits]!;
    const base = words[side + SideWord.base]!;
    if ((bits & Flag.syn) !== 0 || ((base - start) | 0) > LATE_START_MAX) return;
    if ((bits & (SideBit.data | SideBit.leading)) === 0) {
      // only an ACK had told where the side was
      words[side + SideWord.next] = end;
      words[side + SideWord.base] = end;
      words[side + SideWord.bits] = bits | SideBit.data;
    }
    this.lead(words, side, start);
  }

  /** The side's sequence begins earlier than was known: what is between is a gap before all data. */
  lead(words: Int32Array, side: number, start: number): void {
    const gaps = this.#gaps;
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
    const gaps = this.#gaps;
    const acked = words[side + SideWord.acked]!;
    let node = gaps.first(words, side);
    while (node !== 0 && !gaps.isOpen(node) && ((acked - gaps.start(node)) | 0) > 0) {
      if (((acked - gaps.end(node)) | 0) < 0) {
        if ((words[side + SideWord.bits]! & SideBit.leading) === 0) gaps.setStart(node, acked);
        return;
      }
      node = this.#dropFirst(words, side);
    }
  }

  /** Gives all gaps of a side back. */
  forget(words: Int32Array, side: number): void {
    while (this.#gaps.first(words, side) !== 0) this.#gaps.remove(words, side, 0);
    words[side + SideWord.bits]! &= ~SideBit.leading;
  }

  /** Notes that what is before this sequence number was not seen; false where it is not noted. */
  #skip(words: Int32Array, side: number, sequence: number, us: number): boolean {
    const gaps = this.#gaps;
    const next = words[side + SideWord.next]!;
    const bits = words[side + SideWord.bits]!;
    // a fragment may have had these bytes
    if ((bits & SideBit.openEnd) !== 0) return false;
    if ((bits & SideBit.leading) !== 0 && (bits & SideBit.data) === 0) {
      gaps.setEnd(gaps.first(words, side), sequence);
      return true;
    }
    this.#makeRoom(words, side, sequence);
    const isNoted = gaps.append(words, side, next, sequence, us);
    if (!isNoted) this.#tally[AnalysisTally.gapsForgotten]! += 1;
    if ((bits & SideBit.data) === 0) {
      if (isNoted) words[side + SideWord.bits]! |= SideBit.leading;
      else words[side + SideWord.base] = sequence;
    }
    return isNoted;
  }

  /** There is data after the last gap. */
  #close(words: Int32Array, side: number): void {
    if ((words[side + SideWord.bits]! & SideBit.gapCount) === 0) return;
    this.#gaps.setOpen(this.#gaps.last(words, side), false);
  }

  /** Keeps all that is remembered within a range in which sequence numbers compare. */
  #follow(words: Int32Array, side: number, end: number): void {
    this.#makeRoom(words, side, end);
    if ((words[side + SideWord.bits]! & SideBit.leading) !== 0) this.#dropFirst(words, side);
    const first = this.#gaps.first(words, side);
    words[side + SideWord.base] = first === 0 ? (end - JUMP_MAX / 2) | 0 : this.#gaps.start(first);
    if (((end - words[side + SideWord.acked]!) | 0) > JUMP_MAX / 2) {
      words[side + SideWord.bits]! &= ~SideBit.ackKnown;
    }
  }

  /** Makes a place for one gap more where the side has as many as it may, and keeps all within a range that compares. */
  #makeRoom(words: Int32Array, side: number, end: number): void {
    const gaps = this.#gaps;
    const first = gaps.first(words, side);
    if (first === 0) return;
    const bits = words[side + SideWord.bits]!;
    const isAckKnown = (bits & SideBit.ackKnown) !== 0;
    const isAcked = isAckKnown && ((words[side + SideWord.acked]! - gaps.end(first)) | 0) >= 0;
    const span = (end - gaps.start(first)) | 0;
    if (span < 0 || span > JUMP_MAX) {
      if (!isAcked) this.#tally[AnalysisTally.gapsForgotten]! += 1;
      this.#dropFirst(words, side);
      this.#makeRoom(words, side, end);
    } else if (isAcked && (bits & SideBit.gapCount) >>> GAP_COUNT_SHIFT === GAPS_MAX) {
      this.#dropFirst(words, side);
    }
  }

  /** Forgets gaps that were acknowledged long ago. */
  #forgetOld(words: Int32Array, side: number, us: number): void {
    const gaps = this.#gaps;
    const acked = words[side + SideWord.acked]!;
    let node = gaps.first(words, side);
    while (node !== 0 && !gaps.isOpen(node) && ((acked - gaps.end(node)) | 0) >= 0) {
      if (((us - gaps.madeUs(node)) | 0) < TAKE_BACK_US) return;
      node = this.#dropFirst(words, side);
    }
  }

  #dropFirst(words: Int32Array, side: number): number {
    const gaps = this.#gaps;
    if ((words[side + SideWord.bits]! & SideBit.leading) !== 0) {
      words[side + SideWord.base] = gaps.end(gaps.first(words, side));
      words[side + SideWord.bits]! &= ~SideBit.leading;
    }
    return gaps.remove(words, side, 0);
  }

  /** Cuts `from .. to - 1` out of a gap; returns the last of what is left of it, 0 for nothing. */
  #cut(words: Int32Array, side: number, previous: number, node: number, from: number, to: number): number {
    const gaps = this.#gaps;
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
