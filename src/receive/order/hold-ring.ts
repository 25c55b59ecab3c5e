import type { PacketBatch } from '../../packet/batch.ts';
import { addressBytes } from '../../wire/address-bytes.ts';
import { assert } from '../../wire/assert.ts';
import type { Block } from '../../wire/block.ts';
import { copyBlock } from '../../wire/copy.ts';
import { NONE } from './stream-table.ts';

/** Words of a record before its frame. All are set by `put`, but those that are said to be the caller's. */
export const Held = {
  /** Words of the whole record. */
  size: 0,
  /** Row of its stream; NONE once it has left. The caller's. */
  row: 1,
  /** Its neighbours in the stream, by sequence. The caller's. */
  previous: 2,
  following: 3,
  /** The caller's. */
  sequence: 4,
  end: 5,
  seconds: 6,
  nanoseconds: 7,
  frameBytes: 8,
  frameWireLen: 9,
  lane: 10,
  /** Verdict in the lowest eight bits, marks in the next, TCP flags in the next. */
  bits: 11,
  /** UDP payload bytes of the outer packet: what the ledger counts. The caller's. */
  payloadBytes: 12,
  /** VNI in the lowest 24 bits, encapsulation in the next two, then the version of the mirror source's address. */
  vni: 13,
  /** When it came, µs of the caller's clock, a 64-bit float. */
  clockUs: 14,
  /** Address of the mirror source: four words, of which IPv4 takes the first. */
  mirrorSource: 16,
} as const;

export const VNI_BITS = 0xff_ffff;
export const ENCAPSULATION_SHIFT = 24;
export const ENCAPSULATION_BITS = 3;
export const SOURCE_VERSION_SHIFT = 26;

/** Words of a record's head. */
const HEAD_WORDS = 20;
const WORD_BYTES = 4;
/** Records begin at a multiple of so many words, so that the float in them is aligned. */
const STEP_WORDS = 2;

/**
 * Copies of packets in a memory of fixed size, in the order in which they came. They leave in any order; room becomes
 * free when the oldest has left, which is soon, as none stays longer than the others may.
 *
 * A record is named by the index of its first word. Records lie one after the other and begin again at the front where
 * the next one does not fit behind; what is left there is a record that has left.
 */
export class HoldRing implements Block {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** All records; see `Held`. */
  readonly words: Int32Array;
  readonly #clocks: Float64Array;
  /** Words there are. */
  readonly #capacity: number;
  #first = 0;
  #next = 0;
  /** Records between the two, those that have left included. */
  #records = 0;

  /** @param bytes of all records, their heads included */
  constructor(bytes: number) {
    this.#capacity = Math.floor(bytes / WORD_BYTES / STEP_WORDS) * STEP_WORDS;
    assert(this.#capacity >= HEAD_WORDS, 'The memory holds no packet at all.');
    const memory = new ArrayBuffer(this.#capacity * WORD_BYTES);
    this.bytes = Buffer.from(memory);
    this.view = new DataView(memory);
    this.words = new Int32Array(memory);
    this.#clocks = new Float64Array(memory);
  }

  /** Says whether a frame of this length fits at all. */
  couldHold(frameBytes: number): boolean {
    return recordWords(frameBytes) <= this.#capacity;
  }

  /** Says whether a frame of this length fits now. */
  hasRoom(frameBytes: number): boolean {
    return this.#place(recordWords(frameBytes)) !== NONE;
  }

  /** The packet that came first of those that are here; NONE where there is none. */
  get oldest(): number {
    return this.#records === 0 ? NONE : this.#first;
  }

  clockUs(record: number): number {
    return this.#clocks[(record + Held.clockUs) / STEP_WORDS]!;
  }

  /** Byte offset of the frame. */
  static frameAt(record: number): number {
    return (record + HEAD_WORDS) * WORD_BYTES;
  }

  /** Byte offset of the mirror source's address. */
  static mirrorSourceAt(record: number): number {
    return (record + Held.mirrorSource) * WORD_BYTES;
  }

  /** Copies the packet of a slot for which `hasRoom` said yes; returns its record. */
  put(batch: PacketBatch, slot: number, clockUs: number): number {
    const frameAt = batch.frameAt[slot]!;
    const frameEnd = batch.frameEnd[slot]!;
    const size = recordWords(frameEnd - frameAt);
    const { words } = this;
    const at = this.#place(size);
    if (at === 0 && this.#next !== 0) this.#skipRest();
    this.#records++;
    this.#next = at + size;
    words[at + Held.size] = size;
    words[at + Held.seconds] = batch.seconds[slot]!;
    words[at + Held.nanoseconds] = batch.nanoseconds[slot]!;
    words[at + Held.frameBytes] = frameEnd - frameAt;
    words[at + Held.frameWireLen] = batch.frameWireLen[slot]!;
    words[at + Held.lane] = batch.lane[slot]!;
    words[at + Held.bits] = batch.transportVerdict[slot]! | (batch.marks[slot]! << 8);
    const version = batch.mirrorSourceVersion[slot]!;
    words[at + Held.vni] =
      batch.vni[slot]! |
      (batch.encapsulation[slot]! << ENCAPSULATION_SHIFT) |
      (version << SOURCE_VERSION_SHIFT);
    const sourceAt = batch.mirrorSourceAt[slot]!;
    copyBlock(batch, sourceAt, sourceAt + addressBytes(version), this, HoldRing.mirrorSourceAt(at));
    this.#clocks[(at + Held.clockUs) / STEP_WORDS] = clockUs;
    copyBlock(batch, frameAt, frameEnd, this, HoldRing.frameAt(at));
    return at;
  }

  /** The packet has left. */
  free(record: number): void {
    const { words } = this;
    words[record + Held.row] = NONE;
    while (this.#records > 0 && words[this.#first + Held.row] === NONE) {
      this.#first += words[this.#first + Held.size]!;
      this.#records--;
      if (this.#first === this.#capacity) this.#first = 0;
    }
    // the front of the memory is in the cache
    if (this.#records === 0) this.#first = this.#next = 0;
  }

  /** Where a record of this size would begin. */
  #place(size: number): number {
    if (this.#records > 0 && this.#next <= this.#first) {
      return this.#first - this.#next >= size ? this.#next : NONE;
    }
    if (this.#capacity - this.#next >= size) return this.#next;
    return this.#first >= size ? 0 : NONE;
  }

  /** Covers what is left behind the last record. */
  #skipRest(): void {
    const rest = this.#capacity - this.#next;
    if (rest === 0) return;
    this.words[this.#next + Held.size] = rest;
    this.words[this.#next + Held.row] = NONE;
    this.#records++;
  }
}

/** Whole steps, so that the next record begins at one. */
function recordWords(frameBytes: number): number {
  const stepBytes = WORD_BYTES * STEP_WORDS;
  return HEAD_WORDS + Math.ceil(frameBytes / stepBytes) * STEP_WORDS;
}
