import type { PacketBatch } from '../../packet/batch.ts';
import { FlowEndReason } from '../../packet/flow-record.ts';
import { flowOf, join, point } from './flow-aliases.ts';
import type { FlowClock } from './flow-clock.ts';
import * as layout from './flow-layout.ts';
import type { FlowLife } from './flow-life.ts';
import type { FlowReporter } from './flow-reporter.ts';
import type { FlowRows } from './flow-rows.ts';

// for speed: see "Constants" in src/README.md
const {
  DUPLICATES,
  FIRST_NANOSECONDS,
  FIRST_SECONDS,
  IS_ALIAS,
  IS_FLOW,
  LAST_NANOSECONDS,
  LAST_SECONDS,
  NO_ROW,
  PACKETS,
  ROW_WORDS,
  STATE,
} = layout;

/** No flow: the frame is not IP, or cut before its addresses. */
export const NO_FLOW = -1;

export interface FlowChoiceOptions {
  readonly rows: FlowRows;
  readonly clock: FlowClock;
  readonly life: FlowLife;
  readonly reporter: FlowReporter;
}

/** Which flow a packet belongs to where that is not simply the one of its row: new ones, idle ones, those of copies. */
export class FlowChoice {
  /** The row of the key of the packet that is seen. */
  own: number = NO_ROW;
  readonly #rows: FlowRows;
  readonly #words: Int32Array;
  readonly #clock: FlowClock;
  readonly #life: FlowLife;
  readonly #reporter: FlowReporter;

  constructor({ rows, clock, life, reporter }: FlowChoiceOptions) {
    this.#rows = rows;
    this.#words = rows.words;
    this.#clock = clock;
    this.#life = life;
    this.#reporter = reporter;
  }

  /** Counts a copy of a packet that was counted; the row of its key, made if need be, becomes an alias of the first one's flow. */
  seeCopy(found: number, duplicateOf: number, batch: PacketBatch, slot: number): number {
    const words = this.#words;
    const own = this.#endIfIdle(found);
    if (own !== NO_ROW) this.#rows.noteKeyOf(own);
    let flow = NO_ROW;
    if (duplicateOf >= 0 && this.#rows.isCopy(duplicateOf)) flow = flowOf(words, duplicateOf);
    const ownFlow = own === NO_ROW ? NO_ROW : flowOf(words, own);
    if (flow === NO_ROW) flow = ownFlow;
    else if (own === NO_ROW) this.#life.open(batch, slot, flow);
    else if (ownFlow === NO_ROW) point(words, own, flow);
    else if (ownFlow !== flow) flow = join(words, flow, ownFlow);
    if (flow === NO_ROW) return NO_FLOW;

    words[flow * ROW_WORDS + DUPLICATES]! += 1;
    if (own !== NO_ROW && (words[own * ROW_WORDS + STATE]! & IS_FLOW) === 0)
      this.#life.touch(own, batch.seconds[slot]!, batch.nanoseconds[slot]!);
    return flow;
  }

  /** The row, or NO_ROW where what it held was idle and is ended. The key is noted then. */
  #endIfIdle(row: number): number {
    if (row === NO_ROW || !this.#life.isIdle(row, this.#clock.packetTime)) return row;
    this.#rows.noteKeyOf(row);
    return this.#life.endIdle(row);
  }

  /**
   * The flow of a packet: a new one, that of which its row is an alias, or the same after a report. Notes the packet's time, and
   * sets `#own` to the row of its key.
   */
  choose(found: number, batch: PacketBatch, slot: number, lane: number): number {
    let own = this.#endIfIdle(found);
    let flow = own;
    if (own === NO_ROW) {
      own = flow = this.#life.open(batch, slot, NO_ROW);
      this.#life.begin(own, batch, slot, lane);
    } else if ((this.#words[own * ROW_WORDS + STATE]! & IS_ALIAS) !== 0) {
      flow = this.#followAlias(own, batch, slot, lane);
    }
    this.own = own;
    this.#keepTime(flow, batch.seconds[slot]!, batch.nanoseconds[slot]!);
    return flow;
  }

  /** The flow that an alias stands for; a flow of its own where that is gone. */
  #followAlias(own: number, batch: PacketBatch, slot: number, lane: number): number {
    const words = this.#words;
    const isFlow = (words[own * ROW_WORDS + STATE]! & IS_FLOW) !== 0;
    if (!isFlow) this.#life.touch(own, batch.seconds[slot]!, batch.nanoseconds[slot]!);
    const owner = flowOf(words, own);
    if (owner !== NO_ROW && !this.#life.isIdle(owner, this.#clock.packetTime)) return owner;
    if (owner !== NO_ROW) this.#life.endIdle(owner);
    words[own * ROW_WORDS + STATE]! &= ~IS_ALIAS;
    if (!isFlow) this.#life.begin(own, batch, slot, lane);
    return own;
  }

  /** Notes when the flow's packet came, after a report that is due by then. */
  #keepTime(flow: number, seconds: number, nanoseconds: number): void {
    const words = this.#words;
    const at = flow * ROW_WORDS;
    let isFirst = (words[at + PACKETS]! | words[at + PACKETS + 1]!) === 0;
    if (!isFirst && this.#life.isReportDue(flow, this.#clock.packetTime)) {
      this.#reporter.report(flow, FlowEndReason.active);
      isFirst = true;
    }
    if (isFirst) {
      words[at + FIRST_SECONDS] = seconds;
      words[at + FIRST_NANOSECONDS] = nanoseconds;
      this.#life.touch(flow, seconds, nanoseconds);
      return;
    }
    const last = words[at + LAST_SECONDS]! >>> 0;
    const isLater = seconds === last ? nanoseconds > words[at + LAST_NANOSECONDS]! : seconds > last;
    // a last time that lies ahead is from before time went back
    if (isLater || last + this.#clock.offset > this.#clock.now) this.#life.touch(flow, seconds, nanoseconds);
  }

  /** Ends the flow of a connection that is over, and begins another one for the key of the packet. */
  reopen(flow: number, batch: PacketBatch, slot: number, lane: number): number {
    const own = this.own;
    this.#rows.noteKeyOf(own);
    this.#life.drop(flow, FlowEndReason.fin);
    return this.choose(flow === own ? NO_ROW : own, batch, slot, lane);
  }
}
