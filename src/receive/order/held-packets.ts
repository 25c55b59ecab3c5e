import type { PacketBatch } from '../../packet/batch.ts';
import { PlacedPacket } from '../../packet/placed-packet.ts';
import * as tcp from '../../wire/tcp.ts';
import type { GivenUpPlaces } from './given-up.ts';
import {
  ENCAPSULATION_BITS,
  ENCAPSULATION_SHIFT,
  Held,
  HoldRing,
  SOURCE_VERSION_SHIFT,
  VNI_BITS,
} from './hold-ring.ts';
import type { OrderCounts } from './order-counts.ts';
import type { OrderedOutput } from './resequencer-options.ts';
import type { Segment } from './segment.ts';
import { Column, NONE, StreamState, type StreamTable } from './stream-table.ts';

const VERDICT_BITS = 0xff;
const MARKS_SHIFT = 8;
const FLAGS_SHIFT = 16;
const CLOSING_FLAGS = tcp.Flag.fin | tcp.Flag.rst;

/** What the packets that are held belong to, and where they go. */
export interface HeldPacketsOptions {
  readonly streams: StreamTable;
  readonly holdBytes: number;
  readonly givenUp: GivenUpPlaces;
  readonly counts: OrderCounts;
  readonly output: OrderedOutput;
}

/** The packets that are held: of each stream a list by sequence number, of all the order in which they came. */
export class HeldPackets {
  readonly #streams: StreamTable;
  readonly #ring: HoldRing;
  readonly #givenUp: GivenUpPlaces;
  readonly #counts: OrderCounts;
  readonly #output: OrderedOutput;
  readonly #packet = new PlacedPacket();

  constructor(options: HeldPacketsOptions) {
    this.#streams = options.streams;
    this.#ring = new HoldRing(options.holdBytes);
    this.#givenUp = options.givenUp;
    this.#counts = options.counts;
    this.#output = options.output;
  }

  get isEmpty(): boolean {
    return this.#ring.oldest === NONE;
  }

  /** Says whether a frame of this length could be held if it were alone. */
  couldHold(frameBytes: number): boolean {
    return this.#ring.couldHold(frameBytes);
  }

  /** Says whether a frame of this length can be held now. */
  hasRoom(frameBytes: number): boolean {
    return this.#ring.hasRoom(frameBytes);
  }

  /** Sequence number of the first packet that is held of a stream; there is one. */
  firstSequence(row: number): number {
    return this.#ring.words[this.#streams.words[row + Column.head]! + Held.sequence]!;
  }

  /**
   * Holds a copy of the packet of a slot, for which there is room, behind those of its stream that come before it.
   *
   * @param payloadBytes UDP payload bytes of the outer packet
   * @param clockUs      the time it came
   */
  hold(
    row: number,
    segment: Segment,
    batch: PacketBatch,
    slot: number,
    payloadBytes: number,
    clockUs: number,
  ): void {
    const { words } = this.#ring;
    const at = this.#ring.put(batch, slot, clockUs);
    words[at + Held.row] = row;
    words[at + Held.sequence] = segment.sequence;
    words[at + Held.end] = segment.end;
    words[at + Held.bits]! |= segment.flags << FLAGS_SHIFT;
    words[at + Held.payloadBytes] = payloadBytes;
    this.#counts.held(words[at + Held.frameBytes]!, payloadBytes);
    const behind = this.#link(row, at);
    if (behind > 0) this.#counts.reordered(batch.lane[slot]!, behind);
  }

  /** Lets the first packets of a stream go, all up to the given one; returns how many they were. */
  release(row: number, through: number): number {
    const { words } = this.#ring;
    for (let released = 1; ; released++) {
      const at = this.#streams.words[row + Column.head]!;
      this.giveUpBefore(row, words[at + Held.sequence]!);
      this.#leave(row, at);
      if (at === through) return released;
    }
  }

  /** Lets the first gap of a stream go, and what then has nothing missing before it; returns how many packets left. */
  releaseFirst(row: number): number {
    return this.release(row, this.#streams.words[row + Column.head]!) + this.releaseFollowing(row);
  }

  /** Lets all packets of a stream go; returns how many they were. */
  releaseAll(row: number): number {
    const tail = this.#streams.words[row + Column.tail]!;
    return tail === NONE ? 0 : this.release(row, tail);
  }

  /** Lets go what has nothing missing before it; returns how many packets left. */
  releaseFollowing(row: number): number {
    const { words } = this.#ring;
    const rows = this.#streams.words;
    for (let released = 0; ; released++) {
      const at = rows[row + Column.head]!;
      if (at === NONE || ((words[at + Held.sequence]! - rows[row + Column.next]!) | 0) > 0) return released;
      this.#leave(row, at);
    }
  }

  /** Lets the packet go that came first of all, with those that come before it; returns how many packets left. */
  releaseOldest(): number {
    const at = this.#ring.oldest;
    const row = this.#ring.words[at + Held.row]!;
    return this.release(row, at) + this.releaseFollowing(row);
  }

  /** Lets go what came at this time or before it. */
  releaseUntil(clockUs: number): void {
    const ring = this.#ring;
    for (let at = ring.oldest; at !== NONE && ring.clockUs(at) <= clockUs; at = ring.oldest) {
      this.releaseOldest();
    }
  }

  /** Puts a record at its place in the list of its stream; returns how many come behind it. */
  #link(row: number, at: number): number {
    const { words } = this.#ring;
    const rows = this.#streams.words;
    const sequence = words[at + Held.sequence]!;
    const isEmpty = words[at + Held.end] === sequence;
    let behind = 0;
    let following = NONE;
    let previous = rows[row + Column.tail]!;
    while (previous !== NONE) {
      const ahead = (words[previous + Held.sequence]! - sequence) | 0;
      // of a packet without data and one with data of the same number, the former was sent first
      if (ahead < 0 || (ahead === 0 && !(isEmpty && words[previous + Held.end] !== sequence))) break;
      behind++;
      following = previous;
      previous = words[previous + Held.previous]!;
    }
    words[at + Held.previous] = previous;
    words[at + Held.following] = following;
    if (previous === NONE) rows[row + Column.head] = at;
    else words[previous + Held.following] = at;
    if (following === NONE) rows[row + Column.tail] = at;
    else words[following + Held.previous] = at;
    rows[row + Column.held]! += 1;
    return behind;
  }

  /** What is missing before this sequence number will not be waited for. */
  giveUpBefore(row: number, sequence: number): void {
    const { words } = this.#streams;
    if ((words[row + Column.state]! & StreamState.opening) !== 0) {
      words[row + Column.state]! &= ~StreamState.opening;
      words[row + Column.start] = sequence;
      words[row + Column.next] = sequence;
      return;
    }
    const next = words[row + Column.next]!;
    if (((sequence - next) | 0) <= 0) return;
    this.#givenUp.add(row, next, sequence, words[row + Column.seconds]! >>> 0);
    this.#counts.gap(words[row + Column.lane]!);
    words[row + Column.next] = sequence;
  }

  /** The first packet of a stream leaves. */
  #leave(row: number, at: number): void {
    const { words } = this.#ring;
    const rows = this.#streams.words;
    const following = words[at + Held.following]!;
    rows[row + Column.head] = following;
    if (following === NONE) rows[row + Column.tail] = NONE;
    else words[following + Held.previous] = NONE;
    rows[row + Column.held]! -= 1;
    const end = words[at + Held.end]!;
    if (((end - rows[row + Column.next]!) | 0) > 0) rows[row + Column.next] = end;
    const bits = words[at + Held.bits]!;
    if (((bits >>> FLAGS_SHIFT) & CLOSING_FLAGS) !== 0) rows[row + Column.state]! |= StreamState.closed;

    const frameAt = HoldRing.frameAt(at);
    const frameBytes = words[at + Held.frameBytes]!;
    const packet = this.#packet;
    packet.frameAt = frameAt;
    packet.frameEnd = frameAt + frameBytes;
    packet.mirrorSourceAt = HoldRing.mirrorSourceAt(at);
    packet.mirrorSourceVersion = words[at + Held.vni]! >>> SOURCE_VERSION_SHIFT;
    packet.lane = words[at + Held.lane]!;
    packet.vni = words[at + Held.vni]! & VNI_BITS;
    packet.encapsulation = (words[at + Held.vni]! >>> ENCAPSULATION_SHIFT) & ENCAPSULATION_BITS;
    packet.seconds = words[at + Held.seconds]! >>> 0;
    packet.nanoseconds = words[at + Held.nanoseconds]!;
    packet.frameWireLen = words[at + Held.frameWireLen]!;
    packet.transportVerdict = bits & VERDICT_BITS;
    packet.marks = (bits >>> MARKS_SHIFT) & VERDICT_BITS;
    this.#output.put(this.#ring, packet);
    this.#counts.left(frameBytes, words[at + Held.payloadBytes]!);
    this.#ring.free(at);
  }
}
