import type { PacketBatch } from '../../packet/batch.ts';
import type { Innermost } from '../../packet/innermost.ts';
import type { Layers } from '../../packet/layers.ts';
import { Mark } from '../../packet/mark.ts';
import * as tcp from '../../wire/tcp.ts';
import { DirectOutput } from './direct-output.ts';
import { GivenUpPlaces } from './given-up.ts';
import { HeldPackets } from './held-packets.ts';
import { OrderCounts } from './order-counts.ts';
import { PacketClock } from './packet-clock.ts';
import type { ResequencerOptions } from './resequencer-options.ts';
import { Segment } from './segment.ts';
import { Column, NONE, StreamState, StreamTable } from './stream-table.ts';

export type { OrderedOutput, ResequencerOptions } from './resequencer-options.ts';

/** A sequence number so far from the one expected is not a matter of order any more. */
const FAR = 1 << 24;
/** A SYN that comes behind data is of the same connection if it begins no more than this before it. */
const LATE_SYN_BYTES = 1 << 20;
const { syn: SYN, fin: FIN, rst: RST } = tcp.Flag;

/**
 * Puts the packets of each TCP stream into the order of their sequence numbers, as far as bounded time and memory
 * allow. Every packet that comes leaves, once; nothing about it is changed but its place, and `Mark.late`.
 *
 * What is no TCP, or does not tell its place, leaves at once. So does a segment with nothing missing before it. One
 * that is ahead of what is expected is held until what is missing has come, or `holdUs` has passed since it came itself,
 * or there is no room.
 */
export class Resequencer {
  readonly #holdUs: number;
  readonly #holdPackets: number;
  readonly #direct: DirectOutput;
  readonly #streams: StreamTable;
  readonly #held: HeldPackets;
  readonly #givenUp: GivenUpPlaces;
  readonly #counts: OrderCounts;
  readonly #clock = new PacketClock();
  readonly #segment = new Segment();

  constructor(options: ResequencerOptions) {
    const { streams, tally, laneCounters, ledger, holdBytes, output } = options;
    this.#holdUs = options.holdUs;
    this.#holdPackets = options.holdPackets;
    this.#streams = new StreamTable(streams, options.join);
    this.#givenUp = new GivenUpPlaces(streams);
    this.#counts = new OrderCounts(tally, laneCounters, ledger);
    this.#direct = new DirectOutput(output, this.#counts);
    this.#held = new HeldPackets({
      streams: this.#streams,
      holdBytes,
      givenUp: this.#givenUp,
      counts: this.#counts,
      output,
    });
  }

  get heldPackets(): number {
    return this.#counts.heldPackets;
  }

  /** Takes the packet of a slot whose columns are filled: it leaves now, or a copy of it later. */
  take(batch: PacketBatch, slot: number, layers: Layers, innermost: Innermost): void {
    const seconds = batch.seconds[slot]!;
    if (!this.#held.isEmpty) this.release(seconds, batch.nanoseconds[slot]!);
    const segment = this.#segment;
    if (this.#holdUs === 0 || !segment.read(batch.view, innermost)) {
      this.#direct.pass(batch, slot, Mark.none);
      return;
    }
    const row = this.#streams.find(batch.view, layers, innermost, batch.lane[slot]!);
    if (row === NONE) {
      this.#takeFirst(batch, slot, layers, innermost);
      return;
    }
    const { words } = this.#streams;
    words[row + Column.seconds] = seconds;
    // what nearly all packets are: next in a stream of which nothing is held
    if (
      segment.sequence === words[row + Column.next] &&
      words[row + Column.held] === 0 &&
      (segment.flags & (SYN | FIN | RST)) === 0
    ) {
      words[row + Column.next] = segment.end;
      this.#direct.pass(batch, slot, Mark.none);
      return;
    }
    this.#take(row, batch, slot, layers);
  }

  /** Lets go what has waited its time at this time. */
  release(seconds: number, nanoseconds: number): void {
    if (this.#held.isEmpty) return;
    this.#clock.advance(seconds, nanoseconds);
    this.#held.releaseUntil(this.#clock.nowUs - this.#holdUs);
  }

  /** Lets everything go. */
  flush(): void {
    this.#held.releaseUntil(Infinity);
  }

  #take(row: number, batch: PacketBatch, slot: number, layers: Layers): void {
    if ((this.#segment.flags & (SYN | RST)) === SYN) this.#synchronise(row, batch, slot);
    else this.#sequence(row, batch, slot, layers.payloadEnd - layers.payloadAt);
  }

  /** A packet of a stream that is not known. */
  #takeFirst(batch: PacketBatch, slot: number, layers: Layers, innermost: Innermost): void {
    if ((this.#segment.flags & RST) !== 0) {
      this.#direct.pass(batch, slot, Mark.none);
      return;
    }
    const row = this.#open(batch, slot, layers, innermost);
    this.#streams.words[row + Column.seconds] = batch.seconds[slot]!;
    this.#take(row, batch, slot, layers);
  }

  /** A row for a new stream. What the row held for another leaves first. */
  #open(batch: PacketBatch, slot: number, layers: Layers, innermost: Innermost): number {
    const seconds = batch.seconds[slot]!;
    const row = this.#streams.claim(seconds);
    if (this.#streams.isMissed(row, seconds)) {
      this.#counts.streamEvicted();
      this.#counts.releasedEarly(this.#held.releaseAll(row));
    }
    this.#streams.give(row, batch.view, layers, innermost, batch.lane[slot]!);
    this.#givenUp.clear(row);
    return row;
  }

  /** A packet with SYN: the beginning of a connection, or a copy of it. */
  #synchronise(row: number, batch: PacketBatch, slot: number): void {
    const { words } = this.#streams;
    const { sequence, end, flags } = this.#segment;
    const start = (sequence + 1) | 0;
    const state = words[row + Column.state]!;
    if ((state & StreamState.opening) === 0) {
      const behind = (words[row + Column.start]! - start) | 0;
      if ((state & StreamState.synSeen) !== 0 ? behind === 0 : behind >= 0 && behind < LATE_SYN_BYTES) {
        words[row + Column.start] = start;
        words[row + Column.state] = state | StreamState.synSeen;
        if ((state & StreamState.synSeen) === 0) this.#direct.passLate(batch, slot);
        else this.#direct.pass(batch, slot, Mark.none);
        return;
      }
    }
    // what is held of an older connection goes before the SYN, what is of this one behind it
    while (words[row + Column.head] !== NONE) {
      const ahead = (this.#held.firstSequence(row) - end) | 0;
      if (ahead >= 0 && ahead <= FAR) break;
      this.#held.release(row, words[row + Column.head]!);
    }
    this.#givenUp.clear(row);
    words[row + Column.start] = start;
    words[row + Column.next] = end;
    words[row + Column.state] = StreamState.synSeen;
    this.#passInOrder(row, batch, slot, flags);
  }

  /** Any other packet of a stream that has a row. */
  #sequence(row: number, batch: PacketBatch, slot: number, payloadBytes: number): void {
    const { words } = this.#streams;
    const { sequence, end, flags } = this.#segment;
    if ((words[row + Column.state]! & StreamState.opening) !== 0) {
      this.#holdFirst(row, batch, slot, payloadBytes);
      return;
    }
    const ahead = (sequence - words[row + Column.next]!) | 0;
    if (ahead === 0) {
      words[row + Column.next] = end;
      this.#passInOrder(row, batch, slot, flags);
    } else if (ahead > FAR || ahead < -FAR) {
      this.#beginAnew(row, batch, slot, payloadBytes);
    } else if (ahead > 0) {
      this.#hold(row, batch, slot, payloadBytes);
    } else {
      this.#passBelow(row, batch, slot);
    }
  }

  /** A packet that begins before what is expected: it is sent again, or its place was given up. */
  #passBelow(row: number, batch: PacketBatch, slot: number): void {
    const { words } = this.#streams;
    const { sequence, end, flags } = this.#segment;
    if (end !== sequence && this.#givenUp.fill(row, sequence, end, batch.seconds[slot]!)) {
      this.#direct.passLate(batch, slot);
    } else {
      this.#direct.pass(batch, slot, Mark.none);
    }
    if (((end - words[row + Column.next]!) | 0) <= 0) return;
    words[row + Column.next] = end;
    this.#note(row, flags);
    this.#held.releaseFollowing(row);
  }

  /** A packet that is nowhere near the others: of another connection, or after the mirror had fallen silent. */
  #beginAnew(row: number, batch: PacketBatch, slot: number, payloadBytes: number): void {
    const { words } = this.#streams;
    const { sequence, end, flags } = this.#segment;
    if ((flags & RST) !== 0) {
      this.#direct.pass(batch, slot, Mark.none);
      return;
    }
    const isClosed = (words[row + Column.state]! & StreamState.closed) !== 0;
    this.#held.releaseAll(row);
    this.#givenUp.clear(row);
    if (isClosed) {
      // most likely the next connection between these ports, and its SYN is still to come
      words[row + Column.state] = StreamState.opening;
      this.#holdFirst(row, batch, slot, payloadBytes);
      return;
    }
    words[row + Column.state] = 0;
    words[row + Column.start] = sequence;
    words[row + Column.next] = end;
    this.#note(row, flags);
    this.#direct.pass(batch, slot, Mark.none);
  }

  /** A packet of a stream whose beginning is not known yet. */
  #holdFirst(row: number, batch: PacketBatch, slot: number, payloadBytes: number): void {
    const { words } = this.#streams;
    if (words[row + Column.head] !== NONE) {
      const ahead = (this.#segment.sequence - this.#held.firstSequence(row)) | 0;
      if (ahead > FAR || ahead < -FAR) {
        this.#held.releaseAll(row);
        words[row + Column.state] = StreamState.opening;
      }
    }
    this.#hold(row, batch, slot, payloadBytes);
  }

  /** A packet that has to wait: a copy is kept, and the first of those that wait leave if there are too many. */
  #hold(row: number, batch: PacketBatch, slot: number, payloadBytes: number): void {
    const held = this.#held;
    const counts = this.#counts;
    const frameBytes = batch.frameEnd[slot]! - batch.frameAt[slot]!;
    if (!held.couldHold(frameBytes)) {
      this.#passUnheld(row, batch, slot);
      return;
    }
    if (!held.hasRoom(frameBytes)) {
      while (!held.hasRoom(frameBytes)) counts.releasedEarly(held.releaseOldest());
      // what has left may have been what this one was to wait for
      this.#sequence(row, batch, slot, payloadBytes);
      return;
    }
    this.#clock.advance(batch.seconds[slot]!, batch.nanoseconds[slot]!);
    held.hold(row, this.#segment, batch, slot, payloadBytes, this.#clock.nowUs);
    const { words } = this.#streams;
    while (words[row + Column.held]! > this.#holdPackets) counts.releasedEarly(held.releaseFirst(row));
  }

  /** A packet that should wait and never fits: it ends the waiting of its stream. */
  #passUnheld(row: number, batch: PacketBatch, slot: number): void {
    const { words } = this.#streams;
    const { sequence, end, flags } = this.#segment;
    this.#counts.releasedEarly(this.#held.releaseAll(row) + 1);
    this.#held.giveUpBefore(row, sequence);
    if (((end - words[row + Column.next]!) | 0) > 0) words[row + Column.next] = end;
    this.#note(row, flags);
    this.#direct.pass(batch, slot, Mark.none);
  }

  /** A packet whose turn it is leaves, and what waited for it follows. */
  #passInOrder(row: number, batch: PacketBatch, slot: number, flags: number): void {
    const waiting = this.#streams.words[row + Column.held]!;
    this.#note(row, flags);
    if (waiting > 0) this.#counts.reordered(batch.lane[slot]!, waiting);
    this.#direct.pass(batch, slot, Mark.none);
    if (waiting > 0) this.#held.releaseFollowing(row);
  }

  #note(row: number, flags: number): void {
    if ((flags & (FIN | RST)) !== 0) this.#streams.words[row + Column.state]! |= StreamState.closed;
  }
}
