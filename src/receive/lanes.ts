import { type Lane, type LaneReader, makeLane } from '../packet/lane.ts';
import * as laneConstants from '../packet/lane.ts';
import * as linkTypes from '../packet/link-type.ts';
import type { LanePlaces } from './flows/flow-lanes.ts';
import * as laneCounting from './lane-counters.ts';
import { hashKey, isRaw, laneOfKey, makeKey, needsEndpoint } from './lane-key.ts';
import * as laneKeys from './lane-key.ts';
import { counterRows, type LaneMemory } from './lane-memory.ts';
import * as laneMemory from './lane-memory.ts';
import { lock, unlock } from './shared-lock.ts';

// for speed: see "Constants" in src/README.md
const { Encapsulation } = laneConstants;
const { LinkType } = linkTypes;
const { LANE_COUNTERS_LENGTH, LaneCounter } = laneCounting;
const { KEY_USED } = laneKeys;
const {
  CLOSED,
  ENDPOINT_HIGH,
  ENDPOINT_LOW,
  ENTRY_LENGTH,
  HEAD_LENGTH,
  KEY,
  LOCK,
  NEXT,
  OVERFLOW_SLOTS,
  SERIAL,
  USED,
} = laneMemory;

const EMPTY = 0;

/**
 * All lanes of the process by number: a lane's slot is its index in columns and counters.
 *
 * One directory serves all workers, so that the limit holds for the process and a lane has one slot. A lookup
 * takes no lock; only a new lane does. The last slots are the overflow lanes.
 */
export class LaneDirectory implements LaneReader, LanePlaces {
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
  /** Row of counters, past those of all slots, for what is counted of lanes that are closed. */
  get closedSlot(): number {
    return this.slots;
  }
  /** Counters of one worker for all slots and for closed lanes; see `LaneCounter`. */
  counters(worker: number): Float64Array {
    const length = counterRows(this.slots) * LANE_COUNTERS_LENGTH;
    return this.#counters.subarray(worker * length, (worker + 1) * length);
  }

  /** The slot of a lane, made if it is new; an overflow slot past the limit. Allocates nothing. */
  slot(
    encapsulation: laneConstants.Encapsulation,
    vni: number,
    hasEndpoint: number,
    endpointHigh: number,
    endpointLow: number,
    linkType: linkTypes.LinkType,
  ): number {
    const key = makeKey(encapsulation, vni, hasEndpoint, linkType);
    const high = hasEndpoint === 0 ? 0 : endpointHigh | 0;
    const low = hasEndpoint === 0 ? 0 : endpointLow | 0;
    if (this.#holds(this.#lastSlot, key, high, low)) return this.#lastSlot;
    let slot = this.#find(key, high, low);
    if (slot < 0) slot = this.#insert(key, high, low);
    this.#lastSlot = slot;
    return slot;
  }

  /**
   * The slot in this directory of the lane that another one has in `slot`: made if it is new, an overflow slot past
   * the limit of this one. Not for overflow slots of the other.
   */
  slotOf(other: LaneDirectory, slot: number): number {
    const at = slot * ENTRY_LENGTH;
    const entries = other.#entries;
    const key = entries[at + KEY]!;
    const high = entries[at + ENDPOINT_HIGH]!;
    const low = entries[at + ENDPOINT_LOW]!;
    const known = this.#find(key, high, low);
    return known < 0 ? this.#insert(key, high, low) : known;
  }

  /** Whether lanes came past the limit. */
  get overflowed(): boolean {
    const at = this.#maxLanes * LANE_COUNTERS_LENGTH + LaneCounter.packets;
    for (let worker = 0; worker < this.#workers; worker++) {
      const rows = this.counters(worker);
      if (rows[at] !== 0 || rows[at + LANE_COUNTERS_LENGTH] !== 0) return true;
    }
    return false;
  }

  /** Says whether a slot belongs to a lane now. Overflow slots always do. */
  isUsed(slot: number): boolean {
    return slot >= this.#maxLanes || this.#isTaken(slot);
  }

  /** Whether a slot belongs to the lane of this key now. Overflow slots do to any. */
  isOf(slot: number, key: number, endpointHigh: number, endpointLow: number): boolean {
    return slot >= this.#maxLanes || this.#holds(slot, key, endpointHigh, endpointLow);
  }

  /** A closed lane is told as well, until its slot is given to another. */
  lane(slot: number): Lane {
    const serial = Atomics.load(this.#entries, slot * ENTRY_LENGTH + SERIAL);
    const known = this.#lanes[slot];
    if (known !== undefined && this.#serials[slot] === serial) return known;
    const lane = this.#describe(slot);
    this.#lanes[slot] = lane;
    this.#serials[slot] = serial;
    return lane;
  }

  /**
   * Frees an idle lane's slot for another lane. Name and counters stay readable until then: batches on their way
   * to a sink may still name the slot. Does nothing to a slot without a lane, nor to the overflow lanes.
   *
   * A packet of the lane that another thread counts at this very moment may be missing from its counters.
   */
  close(slot: number): void {
    if (slot >= this.#maxLanes) return;
    lock(this.#head, LOCK);
    if (this.#isTaken(slot)) {
      // first of all, so that a search without the lock which misses a lane on the move does not find the house full
      Atomics.sub(this.#head, USED, 1);
      this.#vacate(this.#table.indexOf(slot + 1));
      Atomics.and(this.#entries, slot * ENTRY_LENGTH + KEY, ~KEY_USED);
      this.#head[CLOSED]! += 1;
    }
    unlock(this.#head, LOCK);
  }

  #isTaken(slot: number): boolean {
    return (Atomics.load(this.#entries, slot * ENTRY_LENGTH + KEY) & KEY_USED) !== 0;
  }

  #describe(slot: number): Lane {
    if (slot >= this.#maxLanes) {
      const linkType = slot === this.#maxLanes ? LinkType.ethernet : LinkType.raw;
      return makeLane(Encapsulation.none, 0, false, 0, 0, linkType);
    }
    const at = slot * ENTRY_LENGTH;
    const entries = this.#entries;
    return laneOfKey(entries[at + KEY]!, entries[at + ENDPOINT_HIGH]!, entries[at + ENDPOINT_LOW]!);
  }

  #holds(slot: number, key: number, high: number, low: number): boolean {
    const at = slot * ENTRY_LENGTH;
    const entries = this.#entries;
    // a plain load first: the atomic one is a call
    if (entries[at + KEY] !== key) return false;
    if (!needsEndpoint(key)) return true;
    // the key again: once it is seen so, the endpoint written before it is seen too
    return (
      Atomics.load(entries, at + KEY) === key &&
      entries[at + ENDPOINT_HIGH] === high &&
      entries[at + ENDPOINT_LOW] === low
    );
  }

  #find(key: number, high: number, low: number): number {
    const mask = this.#table.length - 1;
    let bucket = hashKey(key, high, low) & mask;
    for (;;) {
      const value = this.#table[bucket]!;
      if (value === EMPTY) return -1;
      if (this.#holds(value - 1, key, high, low)) return value - 1;
      bucket = (bucket + 1) & mask;
    }
  }

  #insert(key: number, high: number, low: number): number {
    const overflow = isRaw(key) ? this.#maxLanes + 1 : this.#maxLanes;
    if (this.used >= this.#maxLanes) {
      // another thread may have made this very lane since it was looked for: it is found before it counts as used
      const made = this.#find(key, high, low);
      return made < 0 ? overflow : made;
    }
    lock(this.#head, LOCK);
    let slot = this.#find(key, high, low);
    if (slot < 0) {
      slot = this.#freeSlot();
      if (slot >= 0) this.#give(slot, key, high, low);
    }
    unlock(this.#head, LOCK);
    return slot < 0 ? overflow : slot;
  }

  /** Each word is written once all that a reader without the lock looks up behind it is in place. */
  #give(slot: number, key: number, high: number, low: number): void {
    const at = slot * ENTRY_LENGTH;
    this.#zeroCounters(slot);
    this.#entries[at + ENDPOINT_HIGH] = high;
    this.#entries[at + ENDPOINT_LOW] = low;
    Atomics.store(this.#entries, at + KEY, key);
    Atomics.add(this.#entries, at + SERIAL, 1);
    Atomics.store(this.#table, this.#freeBucket(key, high, low), slot + 1);
    Atomics.add(this.#head, USED, 1);
  }

  /**
   * A slot without a lane, or -1. They are given out in turn, so that a closed one rests as long as possible
   * before it is used again.
   */
  #freeSlot(): number {
    let slot = this.#head[NEXT]!;
    for (let tries = 0; tries < this.#maxLanes; tries++) {
      const next = (slot + 1) % this.#maxLanes;
      if (!this.#isTaken(slot)) {
        this.#head[NEXT] = next;
        return slot;
      }
      slot = next;
    }
    return -1;
  }

  #freeBucket(key: number, high: number, low: number): number {
    const mask = this.#table.length - 1;
    let bucket = hashKey(key, high, low) & mask;
    while (this.#table[bucket] !== EMPTY) bucket = (bucket + 1) & mask;
    return bucket;
  }

  /** Empties a bucket; entries behind it move up, so that no search for one of them ends at the gap. */
  #vacate(bucket: number): void {
    const mask = this.#table.length - 1;
    let gap = bucket;
    for (let next = (gap + 1) & mask; this.#table[next] !== EMPTY; next = (next + 1) & mask) {
      const home = this.#home(this.#table[next]! - 1);
      // an entry whose search begins behind the gap stays where it is
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.#table[gap] = this.#table[next]!;
      gap = next;
    }
    this.#table[gap] = EMPTY;
  }

  /** The bucket where the search for a slot's lane begins. */
  #home(slot: number): number {
    const at = slot * ENTRY_LENGTH;
    const entries = this.#entries;
    const hashed = hashKey(entries[at + KEY]!, entries[at + ENDPOINT_HIGH]!, entries[at + ENDPOINT_LOW]!);
    return hashed & (this.#table.length - 1);
  }

  #zeroCounters(slot: number): void {
    for (let worker = 0; worker < this.#workers; worker++) {
      const at = (worker * counterRows(this.slots) + slot) * LANE_COUNTERS_LENGTH;
      this.#counters.fill(0, at, at + LANE_COUNTERS_LENGTH);
    }
  }
}
