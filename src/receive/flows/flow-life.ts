import type { PacketBatch } from '../../packet/batch.ts';
import * as flowRecord from '../../packet/flow-record.ts';
import * as ipProtocols from '../../wire/ip-protocol.ts';
import * as analysisTallies from '../analysis-tally.ts';
import { flowOf, point } from './flow-aliases.ts';
import type { FlowClock } from './flow-clock.ts';
import type { FlowLanes } from './flow-lanes.ts';
import * as layout from './flow-layout.ts';
import { type FlowReporter, isTcp } from './flow-reporter.ts';
import type { FlowRows } from './flow-rows.ts';
import type { NameFinder } from './name-finder.ts';
import type { TcpTracker } from './tcp-tracker.ts';

// for speed: see "Constants" in src/README.md
const { FlowEndReason } = flowRecord;
const { IpProtocol } = ipProtocols;
const { AnalysisTally } = analysisTallies;
const {
  CARRIES,
  FIRST_FROM_HIGH,
  FIRST_SECONDS,
  HASH,
  IS_ALIAS,
  IS_FLOW,
  IS_OVER,
  IS_RESET,
  KIND,
  KIND_PROTOCOL,
  LANE_SHIFT,
  LAST_NANOSECONDS,
  LAST_SECONDS,
  NAMES,
  NEXT,
  NO_ROW,
  ORDINAL_SHIFT,
  PACKETS,
  ROW_WORDS,
  SEQUENCE,
  START_NANOSECONDS,
  START_SECONDS,
  STATE,
  TCP,
} = layout;

/** A connection that is over waits so long for what comes late, seconds: it would open a second flow otherwise. */
const LINGER_SECONDS = 5;

export interface FlowLifeOptions {
  readonly rows: FlowRows;
  readonly clock: FlowClock;
  readonly tcp: TcpTracker;
  readonly lanes: FlowLanes;
  readonly reporter: FlowReporter;
  readonly names: NameFinder | undefined;
  readonly tally: Float64Array;
  readonly idleSeconds: { readonly tcp: number; readonly udp: number; readonly other: number };
  readonly activeSeconds: number;
}

/** How flows begin and end. */
export class FlowLife {
  /** Flows that are open. */
  active = 0;
  readonly #options: FlowLifeOptions;
  readonly #rows: FlowRows;
  readonly #words: Int32Array;
  readonly #clock: FlowClock;
  /** Seconds by IANA number. */
  readonly #idleSeconds: Int32Array;
  readonly #activeSeconds: number;

  constructor(options: FlowLifeOptions) {
    this.#options = options;
    this.#rows = options.rows;
    this.#words = options.rows.words;
    this.#clock = options.clock;
    this.#activeSeconds = options.activeSeconds;
    this.#idleSeconds = new Int32Array(KIND_PROTOCOL + 1).fill(options.idleSeconds.other);
    this.#idleSeconds[IpProtocol.tcp] = options.idleSeconds.tcp;
    this.#idleSeconds[IpProtocol.udp] = options.idleSeconds.udp;
  }

  /** A row for the key that was noted: an alias of `flow`, or with NO_ROW what is yet to be begun as a flow. */
  open(batch: PacketBatch, slot: number, flow: number): number {
    const { now, offset } = this.#clock;
    if (this.#rows.isFull) this.drop(this.#rows.leastNeeded(flow, now, offset), FlowEndReason.evicted);
    const row = this.#rows.insert();
    this.touch(row, batch.seconds[slot]!, batch.nanoseconds[slot]!);
    if (flow !== NO_ROW) point(this.#words, row, flow);
    this.#rows.wheel.put(row, now + this.#idleSecondsOf(row), now);
    return row;
  }

  /** Begins a flow in a row that holds nothing but its key and its place in the wheel. */
  begin(row: number, batch: PacketBatch, slot: number, lane: number): void {
    const words = this.#words;
    const at = row * ROW_WORDS;
    words[at + STATE] = IS_FLOW | (this.#rows.direction === 0 ? 0 : FIRST_FROM_HIGH) | (lane << LANE_SHIFT);
    words[at + START_SECONDS] = batch.seconds[slot]!;
    words[at + START_NANOSECONDS] = batch.nanoseconds[slot]!;
    const { tcp, lanes, tally } = this.#options;
    lanes.begin(at);
    if (isTcp(words, at)) tcp.begin(words, at + TCP);
    words[at + SEQUENCE] = tally[AnalysisTally.flowsOpened]! << ORDINAL_SHIFT;
    tally[AnalysisTally.flowsOpened]! += 1;
    this.#setActive(this.active + 1);
    const { now } = this.#clock;
    this.#rows.move(row, now + Math.min(this.#idleSecondsOf(row), this.#activeSeconds), now);
  }

  /** Sets the time of a row's last packet. */
  touch(row: number, seconds: number, nanoseconds: number): void {
    this.#words[row * ROW_WORDS + LAST_SECONDS] = seconds;
    this.#words[row * ROW_WORDS + LAST_NANOSECONDS] = nanoseconds;
  }

  /** Whether a row has been without packets for so long that one that comes at this time is of another flow. */
  isIdle(row: number, time: number): boolean {
    return time - (this.#words[row * ROW_WORDS + LAST_SECONDS]! >>> 0) >= this.#idleSecondsOf(row);
  }

  /** Whether a flow that has counted packets is to be reported at this time although it goes on. */
  isReportDue(row: number, time: number): boolean {
    return time - (this.#words[row * ROW_WORDS + FIRST_SECONDS]! >>> 0) >= this.#activeSeconds;
  }

  /** Ends a flow that was idle or is over, or forgets an alias. Returns the row where it is an alias from now on, else NO_ROW. */
  endIdle(row: number): number {
    const words = this.#words;
    const isFlow = (words[row * ROW_WORDS + STATE]! & IS_FLOW) !== 0;
    const isAlias = (words[row * ROW_WORDS + STATE]! & IS_ALIAS) !== 0;
    const flow = isFlow && isAlias ? flowOf(words, row) : NO_ROW;
    if (flow === NO_ROW) {
      this.drop(row, FlowEndReason.idle);
      return NO_ROW;
    }
    this.#finish(row, FlowEndReason.idle);
    this.#forget(row);
    point(words, row, flow);
    this.touch(row, this.#clock.now - this.#clock.offset, 0);
    this.#rows.move(row, this.#clock.now + this.#idleSecondsOf(row), this.#clock.now);
    return row;
  }

  /** Ends what a row holds, and gives the row back. */
  drop(row: number, reason: flowRecord.FlowEndReason): void {
    if ((this.#words[row * ROW_WORDS + STATE]! & IS_FLOW) !== 0) this.#finish(row, reason);
    this.#rows.wheel.take(row);
    this.#rows.release(row);
  }

  /** A TCP connection is over: its flow waits for what comes late, and no longer. */
  close(row: number, how: number): void {
    const at = row * ROW_WORDS;
    if ((this.#words[at + STATE]! & IS_OVER) !== 0) return;
    this.#words[at + STATE]! |= how;
    this.#rows.move(row, this.#clock.now + LINGER_SECONDS, this.#clock.now);
  }

  /** When a row is to be looked at, in seconds of the clock; in the past or now: it is due. */
  due(row: number): number {
    const words = this.#words;
    const at = row * ROW_WORDS;
    const { now, offset } = this.#clock;
    const last = (words[at + LAST_SECONDS]! >>> 0) + offset;
    // a time that lies ahead is from before time went back: such a flow has had no packet since
    if (last > now) return now;
    const idle = last + this.#idleSecondsOf(row);
    if ((words[at + STATE]! & IS_FLOW) === 0 || !this.#isCounting(at)) return idle;
    return Math.min(idle, (words[at + FIRST_SECONDS]! >>> 0) + offset + this.#activeSeconds);
  }

  /** Reports or ends what a row holds that is due. Says whether that made a record. */
  settle(row: number): boolean {
    const words = this.#words;
    const at = row * ROW_WORDS;
    const isFlow = (words[at + STATE]! & IS_FLOW) !== 0;
    const time = this.#clock.now - this.#clock.offset;
    if (words[at + LAST_SECONDS]! >>> 0 > time || this.isIdle(row, time)) {
      this.endIdle(row);
      return isFlow;
    }
    if (!isFlow || !this.#isCounting(at)) return false;
    this.#options.reporter.report(row, FlowEndReason.active);
    this.#rows.move(row, this.due(row), this.#clock.now);
    return true;
  }

  #isCounting(at: number): boolean {
    return (this.#words[at + PACKETS]! | this.#words[at + PACKETS + 1]!) !== 0;
  }

  #idleSecondsOf(row: number): number {
    const at = row * ROW_WORDS;
    if ((this.#words[at + STATE]! & IS_OVER) !== 0) return LINGER_SECONDS;
    return this.#idleSeconds[this.#words[at + KIND]! & KIND_PROTOCOL]!;
  }

  /** Writes a flow's last record. */
  #finish(row: number, reason: flowRecord.FlowEndReason): void {
    const { reporter, tcp, lanes, names, tally } = this.#options;
    const words = this.#words;
    const at = row * ROW_WORDS;
    const state = words[at + STATE]!;
    const isOver = (state & IS_OVER) !== 0;
    const told = !isOver ? reason : (state & IS_RESET) === 0 ? FlowEndReason.fin : FlowEndReason.rst;
    reporter.report(row, told);
    const lane = lanes.end(at);
    if (isTcp(words, at)) tcp.end(words, at + TCP, lane);
    if (names !== undefined && words[at + NAMES] !== 0) names.free(words[at + NAMES]!);
    tally[AnalysisTally.flowsEnded + told]! += 1;
    this.#setActive(this.active - 1);
  }

  /** Sets all of a row to 0 but its key and its place in the wheel. */
  #forget(row: number): void {
    const at = row * ROW_WORDS;
    this.#words.fill(0, at + STATE, at + HASH);
    this.#words.fill(0, at + CARRIES, at + NEXT);
  }

  #setActive(flows: number): void {
    this.active = flows;
    this.#options.tally[AnalysisTally.flowsActive] = flows;
  }
}
