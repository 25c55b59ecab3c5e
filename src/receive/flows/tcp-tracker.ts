import type { FlowRecord } from '../../packet/flow-record.ts';
import type { Innermost } from '../../packet/innermost.ts';
import * as tcp from '../../wire/tcp.ts';
import * as laneCounting from '../lane-counters.ts';
import { GapPool } from './gaps.ts';
import { note } from './history.ts';
import * as history from './history.ts';
import { LossCounter } from './loss-counter.ts';
import * as sequences from './sequence.ts';
import { SideGaps } from './side-gaps.ts';
import * as tcpFields from './tcp-fields.ts';
import { openerOf, takeControl } from './tcp-handshake.ts';
import * as handshake from './tcp-handshake.ts';
import { seePlain } from './tcp-plain.ts';
import { fillRecord, isOneSided } from './tcp-record.ts';
import { countRetransmission, isProbe } from './tcp-repeats.ts';
import { TcpStream } from './tcp-stream.ts';
import * as streams from './tcp-stream.ts';
import { countHigh, countLow, sideAt } from './tcp-words.ts';
import * as tcpWords from './tcp-words.ts';

export { TcpEvent } from './tcp-handshake.ts';
export { TCP_WORDS } from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { Flag, HEADER_LEN } = tcp;
const { LANE_COUNTERS_LENGTH, LaneCounter } = laneCounting;
const { Letter } = history;
const { TcpEvent } = handshake;
const { JUMP_MAX } = sequences;
const { Late } = streams;
const { ACKNOWLEDGEMENT, DATA_OFFSET, SEQUENCE, WINDOW, WINDOW_END } = tcpFields;
const { SideBit, SideWord, TCP_WORDS, Word } = tcpWords;

/** Flags that change what state the connection is in. */
const CONTROL = Flag.syn | Flag.fin | Flag.rst;
/** So long a segment may be overtaken, while no round-trip time is known. */
const REORDERING_US = 3000;

/**
 * What the flow table knows of TCP connections: state, round-trip times, what was sent again or came out of order, and
 * what was acknowledged and never came here.
 *
 * The words of a connection lie in the row of its flow; only gaps lie elsewhere, in a memory of fixed size. What is
 * counted and how it differs from what Wireshark counts is in docs/tcp.md.
 */
export class TcpTracker {
  readonly #loss: LossCounter;
  readonly #sides: SideGaps;
  readonly #stream: TcpStream;
  readonly #laneCounters: Float64Array;

  /**
   * @param options.holes        most gaps that are remembered in all connections
   * @param options.laneCounters the worker's rows of `LaneCounter`
   * @param options.tally        the worker's `AnalysisTally`
   */
  constructor(options: { holes: number; laneCounters: Float64Array; tally: Float64Array }) {
    const { holes, laneCounters, tally } = options;
    const gaps = new GapPool(holes);
    this.#loss = new LossCounter(gaps, laneCounters);
    this.#sides = new SideGaps(gaps, tally);
    this.#stream = new TcpStream({ gaps, sides: this.#sides, loss: this.#loss });
    this.#laneCounters = laneCounters;
  }

  /** Makes the words from `at` on those of a connection of which nothing is known. */
  begin(words: Int32Array, at: number): void {
    words.fill(0, at, at + TCP_WORDS);
    words[at + Word.serverRttUs] = -1;
    words[at + Word.clientRttUs] = -1;
  }

  /**
   * Takes one packet of the connection. What is cut away is not guessed: without the flags nothing is noted.
   *
   * @param direction 0: from the lower endpoint of the flow's key, 1: from the higher
   * @returns bits of `TcpEvent`
   */
  see(
    words: Int32Array,
    at: number,
    direction: 0 | 1,
    _bytes: Buffer,
    view: DataView,
    innermost: Innermost,
    lane: number,
    seconds: number,
    nanoseconds: number,
  ): number {
    const us = (Math.imul(seconds, 1_000_000) + ((nanoseconds / 1000) | 0)) | 0;
    if (seePlain(words, at, direction, view, innermost, lane, us, this.#loss)) return TcpEvent.none;
    return this.#seeAny(words, at, direction, view, innermost, lane, us);
  }

  #seeAny(
    words: Int32Array,
    at: number,
    direction: number,
    view: DataView,
    innermost: Innermost,
    lane: number,
    us: number,
  ): number {
    const tcpAt = innermost.transportAt;
    if (tcpAt < 0 || tcpAt + WINDOW > innermost.end) return TcpEvent.none;
    const lengthAndFlags = view.getUint16(tcpAt + DATA_OFFSET);
    const headerLen = (lengthAndFlags >>> 12) << 2;
    const len = innermost.wireLen - (tcpAt - innermost.ipAt) - headerLen;
    if (headerLen < HEADER_LEN || len < 0) return TcpEvent.none;

    const flags = lengthAndFlags & 0xff;
    const ack = view.getInt32(tcpAt + ACKNOWLEDGEMENT);
    let sequence = view.getInt32(tcpAt + SEQUENCE);
    const own = sideAt(at, direction);
    const event = takeControl(words, at, direction, flags, sequence, ack, len, us, this.#stream);
    if ((flags & Flag.rst) !== 0 || (event & TcpEvent.reopened) !== 0) return event;
    if ((flags & Flag.syn) !== 0) sequence = (sequence + 1) | 0;
    const bits = words[own + SideWord.bits]!;
    words[own + SideWord.bits] = bits | flags;
    if ((flags & CONTROL) === 0 && tcpAt + WINDOW_END <= innermost.end) {
      if (view.getUint16(tcpAt + WINDOW) === 0) this.#zeroWindow(words, at, direction);
    }
    if (len > 0) {
      this.#data(words, at, direction, sequence, len, innermost.fragment, us, lane);
    } else if ((flags & (CONTROL | Flag.ack)) === Flag.ack) {
      note(words, at, own, direction, Letter.ack);
      // behind a FIN, which has a sequence number of its own, there is no data to tell of
      if ((bits & Flag.fin) === 0) this.#stream.reach(words, own, sequence, us);
    }
    if ((flags & Flag.ack) !== 0) this.#acknowledge(words, at, 1 - direction, ack, len, us, lane);
    return event;
  }

  /** The direction whose side sent the SYN, or did not send the SYN-ACK; -1 while unknown. */
  opener(words: Int32Array, at: number): number {
    return openerOf(words[at + Word.state]!);
  }

  /**
   * Puts what is known of the connection into a record, and counts anew from here.
   *
   * @param source the direction of `record.source`
   */
  fill(words: Int32Array, at: number, source: 0 | 1, record: FlowRecord): void {
    fillRecord(words, at, source, record, this.#sides);
  }

  /** The flow is gone: its gaps are given back, and its lane has had one TCP flow more. */
  end(words: Int32Array, at: number, lane: number): void {
    const row = lane * LANE_COUNTERS_LENGTH;
    this.#laneCounters[row + LaneCounter.tcpFlows]! += 1;
    if (isOneSided(words, at)) this.#laneCounters[row + LaneCounter.oneSidedFlows]! += 1;
    this.#sides.forget(words, sideAt(at, 0));
    this.#sides.forget(words, sideAt(at, 1));
  }

  /** Takes payload. */
  #data(
    words: Int32Array,
    at: number,
    direction: number,
    sequence: number,
    len: number,
    fragment: number,
    us: number,
    lane: number,
  ): void {
    const own = sideAt(at, direction);
    const stream = this.#stream;
    const bits = words[own + SideWord.bits]!;
    if ((bits & SideBit.data) === 0) note(words, at, own, direction, Letter.data);
    const next = words[own + SideWord.next]!;
    const below = (next - sequence) | 0;
    if (below <= 0) {
      stream.advance(words, own, sequence, len, us, lane);
    } else if (below > JUMP_MAX) {
      stream.start(words, own, sequence, us);
      words[own + SideWord.bits]! &= ~SideBit.ackKnown;
      stream.advance(words, own, sequence, len, us, lane);
    } else if (!isProbe(below, len)) {
      this.#late(words, at, direction, sequence, len, us, lane);
    }
    if (fragment === 1) words[own + SideWord.bits]! |= SideBit.openEnd;
    if (this.#loss.hasLost) this.#noteGap(words, at, direction);
  }

  /** Takes payload that begins before the next expected sequence number. */
  #late(
    words: Int32Array,
    at: number,
    direction: number,
    sequence: number,
    len: number,
    us: number,
    lane: number,
  ): void {
    const own = sideAt(at, direction);
    const stream = this.#stream;
    const next = words[own + SideWord.next]!;
    const end = (sequence + len) | 0;
    const beyond = (end - next) | 0;
    const isAsked = stream.isAsked(words, own, sequence);
    const result = stream.fill(words, own, sequence, beyond > 0 ? next : end, lane);
    if (beyond > 0) stream.advance(words, own, next, beyond, us, lane);
    if (result === Late.filled && !isAsked && ((us - stream.madeUs) | 0) < reorderingUs(words, at)) {
      countLow(words, own + SideWord.outOfOrder);
    } else if (result === Late.filled || beyond <= 0 || ((next - sequence) | 0) > 1) {
      countRetransmission(words, at, direction);
    }
  }

  /** Takes an acknowledgement of what this direction has sent, in a segment of the other with `len` bytes of payload. */
  #acknowledge(
    words: Int32Array,
    at: number,
    direction: number,
    ack: number,
    len: number,
    us: number,
    lane: number,
  ): void {
    const side = sideAt(at, direction);
    const isKnown = (words[side + SideWord.bits]! & SideBit.ackKnown) !== 0;
    if (isKnown && len === 0 && ack === words[side + SideWord.acked]!) this.#stream.ask(words, side);
    this.#stream.acknowledge(words, side, ack, us, lane);
    if (this.#loss.hasLost) this.#noteGap(words, at, direction);
  }

  #zeroWindow(words: Int32Array, at: number, direction: number): void {
    const side = sideAt(at, direction);
    countHigh(words, side + SideWord.outOfOrder);
    note(words, at, side, direction, Letter.zeroWindow);
  }

  #noteGap(words: Int32Array, at: number, direction: number): void {
    this.#loss.hasLost = false;
    note(words, at, sideAt(at, direction), direction, Letter.gap);
  }
}

/** What comes later than this was sent again: nobody can have asked for it and got it sooner. */
function reorderingUs(words: Int32Array, at: number): number {
  const server = words[at + Word.serverRttUs]!;
  const client = words[at + Word.clientRttUs]!;
  return server < 0 || client < 0 ? REORDERING_US : server + client;
}
