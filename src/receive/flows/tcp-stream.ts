import * as tcp from '../../wire/tcp.ts';
import type { GapPool } from './gaps.ts';
import type { LossCounter } from './loss-counter.ts';
import { higher, lower } from './sequence.ts';
import * as sequences from './sequence.ts';
import type { SideGaps } from './side-gaps.ts';
import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { Flag } = tcp;
const { JUMP_MAX } = sequences;
const { SideBit, SideWord } = tcpWords;

/** Farther ahead an ACK or FIN without data is not believed. */
const REACH_MAX = 0x100_0000;
/** Farther below the first segment that was seen, data is not late but of another connection. */
const LATE_START_MAX = 0x100_0000;

const ASKED = SideBit.askedOnce | SideBit.askedTwice;

/** What a segment that begins before the next expected sequence number was. */
export const Late = {
  /** Every byte of it had been seen. */
  repeated: 0,
  /** Some of its bytes were seen for the first time. */
  filled: 1,
} as const;

export interface TcpStreamOptions {
  readonly gaps: GapPool;
  readonly sides: SideGaps;
  readonly loss: LossCounter;
}

/**
 * The bytes of one side of a connection: which were seen, which were acknowledged, and which of these never came.
 *
 * A gap is counted when the other side's acknowledgement passes it, and taken back where it is filled after that, in the
 * same record and not more than a second after the gap appeared (a while longer where nobody looks).
 */
export class TcpStream {
  readonly #gaps: GapPool;
  readonly #sides: SideGaps;
  readonly #loss: LossCounter;
  /** When the first of the gaps that the last `fill` touched appeared. */
  madeUs = 0;

  constructor({ gaps, sides, loss }: TcpStreamOptions) {
    this.#gaps = gaps;
    this.#sides = sides;
    this.#loss = loss;
  }

  /** The side's next data begins here, and nothing is known of any before. */
  start(words: Int32Array, side: number, sequence: number, us: number): void {
    this.#sides.forget(words, side);
    words[side + SideWord.next] = sequence;
    words[side + SideWord.base] = sequence;
    words[side + SideWord.advancedUs] = us;
    let bits = words[side + SideWord.bits]! & ~(SideBit.data | SideBit.openEnd);
    // an acknowledgement that came before may be of anything
    if (Math.abs((words[side + SideWord.acked]! - sequence) | 0) > JUMP_MAX) bits &= ~SideBit.ackKnown;
    words[side + SideWord.bits] = bits | SideBit.known;
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
    if (jump > 0) this.#sides.skip(words, side, sequence, us);
    this.#sides.close(words, side);

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
    else if (this.#sides.skip(words, side, sequence, us)) gaps.setOpen(gaps.last(words, side), true);
    words[side + SideWord.next] = sequence;
    words[side + SideWord.bits]! &= ~SideBit.openEnd;
    if (((sequence - words[side + SideWord.base]!) | 0) > JUMP_MAX) this.#follow(words, side, sequence);
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
    if ((bits & SideBit.gapCount) !== 0) this.#sides.forgetOld(words, side, us);
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
      const kept = this.#sides.cut(words, side, previous, node, from, to);
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
    this.#sides.lead(words, side, start);
  }

  /** The side's sequence begins earlier than was known. */
  lead(words: Int32Array, side: number, start: number): void {
    this.#sides.lead(words, side, start);
  }

  /** Keeps all that is remembered within a range in which sequence numbers compare. */
  #follow(words: Int32Array, side: number, end: number): void {
    this.#sides.makeRoom(words, side, end);
    if ((words[side + SideWord.bits]! & SideBit.leading) !== 0) this.#sides.dropFirst(words, side);
    const first = this.#gaps.first(words, side);
    words[side + SideWord.base] = first === 0 ? (end - JUMP_MAX / 2) | 0 : this.#gaps.start(first);
    if (((end - words[side + SideWord.acked]!) | 0) > JUMP_MAX / 2) {
      words[side + SideWord.bits]! &= ~SideBit.ackKnown;
    }
  }
}
