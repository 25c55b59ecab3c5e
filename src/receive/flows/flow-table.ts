import type { PacketBatch } from '../../packet/batch.ts';
import type { FlowRecord } from '../../packet/flow-record.ts';
import * as flowRecord from '../../packet/flow-record.ts';
import type { Innermost } from '../../packet/innermost.ts';
import * as innermostConstants from '../../packet/innermost.ts';
import type { Layers } from '../../packet/layers.ts';
import * as layersConstants from '../../packet/layers.ts';
import * as packetMarks from '../../packet/mark.ts';
import * as verdicts from '../../packet/verdict.ts';
import * as ipProtocols from '../../wire/ip-protocol.ts';
import { FlowChoice } from './flow-choice.ts';
import * as flowChoice from './flow-choice.ts';
import { FlowClock } from './flow-clock.ts';
import { countPacket } from './flow-counters.ts';
import { FlowLanes, type LanePlaces } from './flow-lanes.ts';
import * as layout from './flow-layout.ts';
import { lookForNames } from './flow-looks.ts';
import { FlowLife } from './flow-life.ts';
import { FlowReporter } from './flow-reporter.ts';
import { FlowRows } from './flow-rows.ts';
import type { NameFinder } from './name-finder.ts';
import { TcpTracker } from './tcp-tracker.ts';
import * as tcpTracker from './tcp-tracker.ts';
import * as tcpWords from './tcp-words.ts';

export { NO_FLOW } from './flow-choice.ts';

// for speed: see "Constants" in src/README.md
const { Direction, FlowEndReason } = flowRecord;
const { Ports } = innermostConstants;
const { ABSENT } = layersConstants;
const { Mark } = packetMarks;
const { Verdict } = verdicts;
const { IpProtocol } = ipProtocols;
const {
  BAD_CHECKSUMS,
  DIRECTION_MASK,
  DIRECTION_SHIFT,
  FRAGMENTS,
  IS_ALIAS,
  IS_FINISHED,
  IS_FLOW,
  IS_RESET,
  LANE_SHIFT,
  LAST_NANOSECONDS,
  LAST_SECONDS,
  LOOKS_MASK,
  NO_ROW,
  PACKETS,
  PARTIAL_CHECKSUMS,
  ROW_WORDS,
  STATE,
  TCP,
  TRUNCATED,
} = layout;
const { NO_FLOW } = flowChoice;
const { TcpEvent } = tcpTracker;
const { GAP_INDEX } = tcpWords;

/** The packet is no copy of another. */
export const NOT_DUPLICATE = -2;

/** Rows that are looked at for each record that may be written, so that one call does not take long. */
const LOOKS_A_RECORD = 8;
const LOOKS_LEAST = 256;
const DIRECTION_BITS = DIRECTION_MASK << DIRECTION_SHIFT;

export interface FlowTableOptions {
  /** Most flows, aliases included, that are open at one time. */
  readonly maxFlows: number;
  /** Most gaps in TCP streams that are remembered in all: 1 or more; those past 262,143 are not taken. */
  readonly gaps: number;
  /** A flow ends after so long without packets. */
  readonly idleSeconds: { readonly tcp: number; readonly udp: number; readonly other: number };
  /** A flow that goes on is reported so often. */
  readonly activeSeconds: number;
  /** Whether flows of different VLANs are kept apart. */
  readonly perVlan: boolean;
  /** A row of `AnalysisTally`. */
  readonly tally: Float64Array;
  /** The worker's rows of `LaneCounter`. */
  readonly laneCounters: Float64Array;
  /** Where those lanes are. */
  readonly lanes: LanePlaces;
  /** Takes a record, which is the table's again when it returns; undefined where nobody wants any. */
  readonly emit: ((record: FlowRecord) => void) | undefined;
  /** Base64 of SHA-1. */
  readonly sha1Base64: (bytes: Uint8Array) => string;
  /** Looks for names in the first packets of a flow; left out: nobody does. */
  readonly names: NameFinder | undefined;
  /** A number that senders of mirrored traffic do not know; see `FlowHash`. Changes no record. */
  readonly hashSeed?: number;
}

/**
 * All flows of a worker: counts each packet in its flow and reports flows when they end, and every so often while they go on.
 *
 * A flow is lane, mirror source, and addresses, protocol and ports of the innermost IP packet. Memory is taken when the table
 * is made, 284 bytes a flow and 12 at most for the index; nothing is allocated for a packet. A flow's records do not depend on
 * when `expire` is called: what is due by the time of a packet is done before it is counted.
 */
export class FlowTable {
  readonly #rows: FlowRows;
  readonly #words: Int32Array;
  readonly #clock = new FlowClock();
  readonly #tcp: TcpTracker;
  readonly #life: FlowLife;
  readonly #choice: FlowChoice;
  readonly #lanes: FlowLanes;
  readonly #names: NameFinder | undefined;
  /** Where `end` goes on. */
  #ending = 0;

  constructor(options: FlowTableOptions) {
    const { tally, laneCounters, names, emit, sha1Base64, idleSeconds, activeSeconds } = options;
    const rows = new FlowRows(options.maxFlows, options.perVlan, options.hashSeed ?? 0);
    const { words } = rows;
    const tcp = new TcpTracker({ holes: Math.min(options.gaps, GAP_INDEX), laneCounters, tally });
    const reporter = new FlowReporter({ words, tcp, names, tally, emit, sha1Base64 });
    const clock = this.#clock;
    const lanes = new FlowLanes(words, laneCounters, options.lanes);
    const life = new FlowLife({
      rows,
      clock,
      tcp,
      lanes,
      reporter,
      names,
      tally,
      idleSeconds,
      activeSeconds,
    });
    this.#life = life;
    this.#lanes = lanes;
    this.#choice = new FlowChoice({ rows, clock, life, reporter });
    this.#rows = rows;
    this.#words = words;
    this.#tcp = tcp;
    this.#names = names;
  }

  /** Flows that are open. */
  get active(): number {
    return this.#life.active;
  }

  /**
   * Counts a packet and returns the slot of its flow, NO_FLOW where it is of none.
   *
   * @param lane        directory slot of the packet's lane
   * @param duplicateOf NOT_DUPLICATE; for a copy of a packet what this returned for the first one, NO_FLOW where that is unknown
   */
  see(
    batch: PacketBatch,
    slot: number,
    layers: Layers,
    innermost: Innermost,
    lane: number,
    duplicateOf: number,
  ): number {
    if (innermost.ipVersion === 0) return NO_FLOW;
    this.#clock.tick(batch.seconds[slot]!);
    const found = this.#rows.find(batch.view, layers, innermost);
    if (duplicateOf !== NOT_DUPLICATE) return this.#choice.seeCopy(found, duplicateOf, batch, slot);

    let flow = found;
    this.#choice.own = found;
    if (found === NO_ROW || !this.#goesOn(found, batch, slot))
      flow = this.#choice.choose(found, batch, slot, lane);
    if (
      innermost.protocol === IpProtocol.tcp &&
      innermost.ports === Ports.known &&
      innermost.transportAt !== ABSENT
    )
      flow = this.#track(flow, batch, slot, innermost, lane);

    const words = this.#words;
    const at = flow * ROW_WORDS;
    countPacket(words, at + this.#rows.direction, innermost.wireLen, innermost.end - innermost.ipAt);
    countQuality(words, at, layers, innermost);
    const state = words[at + STATE]!;
    if (flow === this.#choice.own && (state >>> LANE_SHIFT !== lane || (state & DIRECTION_BITS) === 0))
      this.#noteInterface(at, batch.marks[slot]!, lane);
    if (this.#names !== undefined && (state & LOOKS_MASK) !== LOOKS_MASK)
      lookForNames(this.#names, words, flow, batch, innermost);
    return flow;
  }

  /**
   * Reports and ends what is due at this time, at most so many; returns how many records it wrote. What remains is done by the
   * next calls. Costs next to nothing where nothing is due.
   */
  expire(seconds: number, most: number): number {
    const clock = this.#clock;
    const { wheel } = this.#rows;
    clock.reach(seconds);
    this.#names?.refill();
    let written = 0;
    for (let left = LOOKS_LEAST + LOOKS_A_RECORD * most; left > 0 && written < most; left--) {
      const row = wheel.next(clock.now);
      if (row === NO_ROW) break;
      const due = this.#life.due(row);
      wheel.put(row, due, clock.now);
      if (due <= clock.now && this.#life.settle(row)) written++;
    }
    return written;
  }

  /** Ends open flows, at most so many; returns how many, 0 when none is left. */
  end(most: number): number {
    let written = 0;
    while (written < most && this.#ending < this.#rows.used) {
      const row = this.#ending++;
      const state = this.#words[row * ROW_WORDS + STATE]!;
      if ((state & IS_FLOW) !== 0) written++;
      if (state !== 0) this.#life.drop(row, FlowEndReason.end);
    }
    if (written === 0) this.#ending = 0;
    return written;
  }

  /** Whether there is nothing to do for a packet of this row but to count it. If so, notes its time. */
  #goesOn(row: number, batch: PacketBatch, slot: number): boolean {
    const words = this.#words;
    const at = row * ROW_WORDS;
    const time = this.#clock.packetTime;
    const last = words[at + LAST_SECONDS]! >>> 0;
    if (
      (words[at + STATE]! & IS_ALIAS) !== 0 ||
      (words[at + PACKETS]! | words[at + PACKETS + 1]!) === 0 ||
      last > time ||
      this.#life.isIdle(row, time) ||
      this.#life.isReportDue(row, time)
    )
      return false;
    const seconds = batch.seconds[slot]!;
    const nanoseconds = batch.nanoseconds[slot]!;
    if (seconds > last || (seconds === last && nanoseconds > words[at + LAST_NANOSECONDS]!)) {
      words[at + LAST_SECONDS] = seconds;
      words[at + LAST_NANOSECONDS] = nanoseconds;
    }
    return true;
  }

  /** Has the tracker see a segment. Returns the flow that it belongs to: a new one where it opens a connection anew. */
  #track(flow: number, batch: PacketBatch, slot: number, innermost: Innermost, lane: number): number {
    let found = flow;
    let events = this.#seeSegment(found, batch, slot, innermost, lane);
    if (events === TcpEvent.none) return found;
    if ((events & TcpEvent.reopened) !== 0) {
      found = this.#choice.reopen(flow, batch, slot, lane);
      events = this.#seeSegment(found, batch, slot, innermost, lane);
    }
    if ((events & (TcpEvent.closed | TcpEvent.reset)) !== 0)
      this.#life.close(found, (events & TcpEvent.reset) === 0 ? IS_FINISHED : IS_RESET);
    return found;
  }

  #seeSegment(
    flow: number,
    batch: PacketBatch,
    slot: number,
    innermost: Innermost,
    packetLane: number,
  ): number {
    const words = this.#words;
    const at = flow * ROW_WORDS;
    const { bytes, view } = batch;
    // a lane that was closed may have come again with this packet, in another place
    const lane = flow === this.#choice.own ? packetLane : this.#lanes.of(at);
    const seconds = batch.seconds[slot]!;
    const nanoseconds = batch.nanoseconds[slot]!;
    const { direction } = this.#rows;
    return this.#tcp.see(words, at + TCP, direction, bytes, view, innermost, lane, seconds, nanoseconds);
  }

  /** Keeps what the interface says of the direction, and the lane's slot, which may have changed. */
  #noteInterface(at: number, marks: number, lane: number): void {
    const words = this.#words;
    const state = words[at + STATE]!;
    if (state >>> LANE_SHIFT !== lane) this.#lanes.move(at, lane);
    const isIngress = (marks & Mark.ingress) !== 0;
    if ((state & DIRECTION_BITS) !== 0 || (!isIngress && (marks & Mark.egress) === 0)) return;
    const direction = isIngress === (this.#rows.direction === 0) ? Direction.ingress : Direction.egress;
    words[at + STATE]! |= direction << DIRECTION_SHIFT;
  }
}

/** Counts what is not as it should be with a packet. `at`: the row's first word. */
function countQuality(words: Int32Array, at: number, layers: Layers, innermost: Innermost): void {
  if (layers.truncated === 1) words[at + TRUNCATED]! += 1;
  if (layers.transportVerdict === Verdict.bad || layers.ipVerdict === Verdict.bad)
    words[at + BAD_CHECKSUMS]! += 1;
  if (layers.transportVerdict === Verdict.partial) words[at + PARTIAL_CHECKSUMS]! += 1;
  if (innermost.fragment === 1) words[at + FRAGMENTS]! += 1;
}
