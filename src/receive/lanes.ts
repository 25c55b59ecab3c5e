import { Encapsulation, type Lane, type LaneReader, makeLane } from '../packet/lane.ts';
import { LinkType } from '../packet/link-type.ts';
import { LANE_COUNTERS_LENGTH } from './lane-counters.ts';

/** Past the lanes of the limit: one overflow lane for Ethernet frames, one for raw IP. */
const OVERFLOW_SLOTS = 2;

// a slot's entry: 32-bit integers
const KEY = 0;
const ENDPOINT_HIGH = 1;
const ENDPOINT_LOW = 2;
/** Grows each time the slot is given to a lane, so that a reader sees when its lane was replaced. */
const SERIAL = 3;
const ENTRY_LENGTH = 4;

// the head of the directory
const LOCK = 0;
const USED = 1;
const NEXT = 2;
const CLOSED = 3;
const HEAD_LENGTH = 4;

const EMPTY = 0;
const REMOVED = -1;
/** A holder of the lock writes a few words and lets go; one that died inside would stop all others without this. */
const LOCK_TRIES = 1_000_000;

const KEY_USED = 1 << 28;
const KEY_RAW = 1 << 27;
const KEY_ENDPOINT = 1 << 26;
const KEY_ENCAPSULATION_SHIFT = 24;
const KEY_VNI = 0xff_ffff;

/** Shared memory that all workers and the main thread look lanes up in. */
export interface LaneMemory {
  readonly maxLanes: number;
  readonly workers: number;
  /** Directory: head, entries, hash table; 32-bit integers. */
  readonly directory: SharedArrayBuffer;
  /** `workers` blocks of `slots` rows of lane counters; 64-bit floats. */
  readonly counters: SharedArrayBuffer;
}

/** @param maxLanes lanes of the whole process; what comes past them shares the overflow lanes */
export function allocateLanes(maxLanes: number, workers: number): LaneMemory {
  const words = HEAD_LENGTH + (maxLanes + OVERFLOW_SLOTS) * ENTRY_LENGTH + tableLength(maxLanes);
  const floats = workers * (maxLanes + OVERFLOW_SLOTS) * LANE_COUNTERS_LENGTH;
  return {
    maxLanes,
    workers,
    directory: new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT),
    counters: new SharedArrayBuffer(floats * Float64Array.BYTES_PER_ELEMENT),
  };
}

function tableLength(maxLanes: number): number {
  return 2 ** Math.ceil(Math.log2(2 * maxLanes + 2));
}

/**
 * All lanes of the process by number: a lane's slot is its index in columns and counters.
 *
 * One directory serves all workers, so that the limit holds for the process and a lane has one slot. A lookup
 * takes no lock; only a new lane does. The last slots are the overflow lanes.
 */
export class LaneDirectory implements LaneReader {
  /** Slots in use or not, the overflow lanes included. */
  readonly slots: number;
  readonly #maxLanes: number;
  readonly #workers: number;
  readonly #head: Int32Array;
  readonly #entries: Int32Array;
  readonly #table: Int32Array;
  readonly #counters: Float64Array;
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #serials: Int32Array;
  #lastSlot = 0;

  constructor(memory: LaneMemory) {
    this.#maxLanes = memory.maxLanes;
    this.#workers = memory.workers;
    this.slots = memory.maxLanes + OVERFLOW_SLOTS;
    const bytes = Int32Array.BYTES_PER_ELEMENT;
    this.#head = new Int32Array(memory.directory, 0, HEAD_LENGTH);
    this.#entries = new Int32Array(memory.directory, HEAD_LENGTH * bytes, this.slots * ENTRY_LENGTH);
    this.#table = new Int32Array(memory.directory, (HEAD_LENGTH + this.slots * ENTRY_LENGTH) * bytes);
    this.#counters = new Float64Array(memory.counters);
    this.#serials = new Int32Array(this.slots);
  }

  /** Lanes in use now, the overflow lanes not counted. */
  get used(): number {
    return Atomics.load(this.#head, USED);
  }
  /** Lanes that were closed because they were idle. */
  get closed(): number {
    return Atomics.load(this.#head, CLOSED);
  }
  /** Counters of one worker for all slots; see `LaneCounter`. */
  counters(worker: number): Float64Array {
    const length = this.slots * LANE_COUNTERS_LENGTH;
    return this.#counters.subarray(worker * length, (worker + 1) * length);
  }

  /** The slot of a lane, made if it is new; an overflow slot past the limit. Allocates nothing. */
  slot(
    encapsulation: Encapsulation,
    vni: number,
    hasEndpoint: number,
    endpointHigh: number,
    endpointLow: number,
    linkType: LinkType,
  ): number {
    const key =
      KEY_USED |
      (linkType === LinkType.raw ? KEY_RAW : 0) |
      (hasEndpoint === 0 ? 0 : KEY_ENDPOINT) |
      (encapsulation << KEY_ENCAPSULATION_SHIFT) |
      vni;
    const high = hasEndpoint === 0 ? 0 : endpointHigh | 0;
    const low = hasEndpoint === 0 ? 0 : endpointLow | 0;
    if (this.#holds(this.#lastSlot, key, high, low)) return this.#lastSlot;
    let slot = this.#find(key, high, low);
    if (slot < 0) slot = this.#insert(key, high, low);
    this.#lastSlot = slot;
    return slot;
  }

  /** Says whether a slot belongs to a lane now. Overflow slots always do. */
  isUsed(slot: number): boolean {
    return slot >= this.#maxLanes || this.#entries[slot * ENTRY_LENGTH + KEY] !== 0;
  }

  lane(slot: number): Lane {
    const serial = this.#entries[slot * ENTRY_LENGTH + SERIAL]!;
    const known = this.#lanes[slot];
    if (known !== undefined && this.#serials[slot] === serial) return known;
    const lane = this.#describe(slot);
    this.#lanes[slot] = lane;
    this.#serials[slot] = serial;
    return lane;
  }

  /** Frees an idle lane's slot for another lane. Its counters stay readable until then. Main thread only. */
  close(slot: number): void {
    const at = slot * ENTRY_LENGTH;
    this.#lock();
    this.#vacate(this.#table.indexOf(slot + 1));
    this.#entries[at + KEY] = 0;
    this.#head[USED]! -= 1;
    this.#head[CLOSED]! += 1;
    this.#unlock();
  }

  #describe(slot: number): Lane {
    if (slot >= this.#maxLanes) {
      const linkType = slot === this.#maxLanes ? LinkType.ethernet : LinkType.raw;
      return makeLane(Encapsulation.none, 0, false, 0, 0, linkType);
    }
    const at = slot * ENTRY_LENGTH;
    const key = this.#entries[at + KEY]!;
    return makeLane(
      ((key >>> KEY_ENCAPSULATION_SHIFT) & 3) as Encapsulation,
      key & KEY_VNI,
      (key & KEY_ENDPOINT) !== 0,
      this.#entries[at + ENDPOINT_HIGH]!,
      this.#entries[at + ENDPOINT_LOW]!,
      (key & KEY_RAW) === 0 ? LinkType.ethernet : LinkType.raw,
    );
  }

  #holds(slot: number, key: number, high: number, low: number): boolean {
    const at = slot * ENTRY_LENGTH;
    const entries = this.#entries;
    return (
      entries[at + KEY] === key && entries[at + ENDPOINT_HIGH] === high && entries[at + ENDPOINT_LOW] === low
    );
  }

  #find(key: number, high: number, low: number): number {
    const mask = this.#table.length - 1;
    let bucket = hash(key, high, low) & mask;
    for (let tries = 0; tries <= mask; tries++) {
      const value = this.#table[bucket]!;
      if (value === EMPTY) return -1;
      if (value !== REMOVED && this.#holds(value - 1, key, high, low)) return value - 1;
      bucket = (bucket + 1) & mask;
    }
    return -1;
  }

  #insert(key: number, high: number, low: number): number {
    const overflow = (key & KEY_RAW) === 0 ? this.#maxLanes : this.#maxLanes + 1;
    if (this.#head[USED]! >= this.#maxLanes) return overflow;
    this.#lock();
    let slot = this.#find(key, high, low);
    if (slot < 0 && this.#head[USED]! < this.#maxLanes) {
      slot = this.#freeSlot();
      const at = slot * ENTRY_LENGTH;
      this.#zeroCounters(slot);
      this.#entries[at + ENDPOINT_HIGH] = high;
      this.#entries[at + ENDPOINT_LOW] = low;
      this.#entries[at + SERIAL]! += 1;
      // the key last: a reader without the lock that sees it finds the rest in place
      Atomics.store(this.#entries, at + KEY, key);
      Atomics.store(this.#table, this.#freeBucket(key, high, low), slot + 1);
      this.#head[USED]! += 1;
    }
    this.#unlock();
    return slot < 0 ? overflow : slot;
  }

  /** Slots are given out in turn, so that a closed one rests as long as possible before it is used again. */
  #freeSlot(): number {
    let slot = this.#head[NEXT]!;
    while (this.#entries[slot * ENTRY_LENGTH + KEY] !== 0) slot = (slot + 1) % this.#maxLanes;
    this.#head[NEXT] = (slot + 1) % this.#maxLanes;
    return slot;
  }

  #freeBucket(key: number, high: number, low: number): number {
    const mask = this.#table.length - 1;
    let bucket = hash(key, high, low) & mask;
    while (this.#table[bucket]! > 0) bucket = (bucket + 1) & mask;
    return bucket;
  }

  /** Marks a bucket as removed, and as empty where no search has to go on past it. */
  #vacate(bucket: number): void {
    if (bucket < 0) return;
    const mask = this.#table.length - 1;
    this.#table[bucket] = REMOVED;
    while (this.#table[(bucket + 1) & mask] === EMPTY && this.#table[bucket] === REMOVED) {
      this.#table[bucket] = EMPTY;
      bucket = (bucket - 1) & mask;
    }
  }

  #zeroCounters(slot: number): void {
    for (let worker = 0; worker < this.#workers; worker++) {
      const at = (worker * this.slots + slot) * LANE_COUNTERS_LENGTH;
      this.#counters.fill(0, at, at + LANE_COUNTERS_LENGTH);
    }
  }

  #lock(): void {
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      if (Atomics.compareExchange(this.#head, LOCK, 0, 1) === 0) return;
    }
  }

  #unlock(): void {
    Atomics.store(this.#head, LOCK, 0);
  }
}

function hash(key: number, high: number, low: number): number {
  let mixed = Math.imul(key, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35);
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0x2c1b3c6d) >>> 1;
}
