import { AnalysisTally } from './analysis-tally.ts';
import type { PacketIdentity } from './packet-identity.ts';

/** Sources that are told apart for one packet. */
export const SOURCES_MAX = 4;
/** What stands for no entry. */
export const NO_ENTRY = -1;

/** Words of an entry. */
export const Entry = {
  /** Last transmission as a double, microseconds since the epoch; -Infinity: nothing is here. */
  time: 0,
  headB: 2,
  allA: 3,
  allB: 4,
  /** Bytes that were compared. */
  extent: 5,
  /** Flow slot of the first copy. */
  flow: 6,
  /** How often each source has delivered the packet, eight bits a source; 0: no such source yet. */
  counts: 7,
  /** The first of `SOURCES_MAX` hashes of who delivered it. */
  source: 8,
} as const;
const ENTRY_WORDS = Entry.source + SOURCES_MAX;
const ENTRY_DOUBLES = ENTRY_WORDS / 2;

/** Places in the index among which a packet has its own; a word by which it is found and its number, 64 bytes in all. */
const WAYS = 8;
const SET_WORDS = 2 * WAYS;
/** Places in the index for each entry. */
const PLACES = 2;

/** Bytes of memory that a remembered packet takes: its entry, and two places in the index. */
export const ENTRY_BYTES: number = 4 * ENTRY_WORDS + 8 * PLACES;
const ENTRIES_MIN = 64;

/**
 * Packets that were seen within a window of time. They lie one after the other in a ring, by their last transmission; an
 * index finds them. So what is written goes on in memory, and only the index, a quarter of all, is read at random: with
 * entries at random a packet took three times as long in 16 MB.
 *
 * What finds no room takes the place of the packet that was sent longest ago, in the ring or among the eight places that it
 * may have in the index; if the window is not over for that one, it counts as forgotten. While no more than half of the
 * ring is within the window, one packet in 5,000 finds its places in the index taken.
 */
export class DuplicateTable {
  readonly entries: Int32Array;
  readonly #times: Float64Array;
  readonly #index: Int32Array;
  readonly #mask: number;
  readonly #setMask: number;
  readonly #windowUs: number;
  readonly #tally: Float64Array;
  /** A double in a typed array costs no allocation where one that is handed on does. */
  readonly #now = new Float64Array(1);
  /** Number of the next entry, 32 bits: its low bits say where it is in the ring. */
  #next: number;
  /** Where the last search ended in the index: at its packet, or where that would be put. */
  #place = 0;

  /** @param tally counts `duplicatesForgotten` */
  constructor(memoryBytes: number, windowUs: number, tally: Float64Array) {
    const entries = Math.max(ENTRIES_MIN, 2 ** Math.floor(Math.log2(memoryBytes / ENTRY_BYTES)));
    this.#times = new Float64Array(entries * ENTRY_DOUBLES);
    this.entries = new Int32Array(this.#times.buffer);
    this.#index = new Int32Array(entries * PLACES * 2);
    this.#mask = entries - 1;
    this.#setMask = (entries * PLACES) / WAYS - 1;
    // places of the index say 0, which is past
    this.#next = entries + 1;
    this.#windowUs = windowUs;
    this.#tally = tally;
    for (let i = 0; i < entries; i++) this.#times[i * ENTRY_DOUBLES] = -Infinity;
  }

  /** Packets that can be remembered at a time. */
  get capacity(): number {
    return this.#mask + 1;
  }

  setTime(seconds: number, nanoseconds: number): void {
    this.#now[0] = seconds * 1_000_000 + ((nanoseconds / 1000) | 0);
  }

  /** Where the packet's entry begins in `entries`; NO_ENTRY where it is not remembered, or no longer. */
  find(identity: PacketIdentity): number {
    const index = this.#index;
    const next = this.#next;
    const { headA } = identity;
    const first = (headA & this.#setMask) * SET_WORDS;
    let oldest = 0;
    for (let way = 0; way < WAYS; way++) {
      const place = first + 2 * way;
      const age = next - index[place + 1]!;
      if (index[place] === headA && age >>> 0 <= this.#mask + 1) {
        const at = (index[place + 1]! & this.#mask) * ENTRY_WORDS;
        if (this.#isSame(at, identity)) {
          this.#place = place;
          return this.#isAlive(at) ? at : NO_ENTRY;
        }
      }
      // the larger of the two without a branch, which nobody could predict; 32 packets more or less are the same age
      const rank = ((age >>> 5) << 3) | way;
      const more = rank - oldest;
      oldest += more & ~(more >> 31);
    }
    this.#place = first + 2 * (oldest & (WAYS - 1));
    return NO_ENTRY;
  }

  /** Remembers the packet that was not found, sent now; returns where its entry begins. */
  begin(identity: PacketIdentity, source: number): number {
    const index = this.#index;
    const place = this.#place;
    const age = (this.#next - index[place + 1]!) >>> 0;
    // what is past is over in the ring, too
    if (age <= this.#mask + 1) this.#forget((index[place + 1]! & this.#mask) * ENTRY_WORDS);
    const at = this.#append();
    index[place] = identity.headA;
    const { entries } = this;
    entries[at + Entry.headB] = identity.headB;
    entries[at + Entry.allA] = identity.allA;
    entries[at + Entry.allB] = identity.allB;
    entries[at + Entry.extent] = identity.extent;
    entries[at + Entry.counts] = 1;
    entries[at + Entry.source] = source;
    return at;
  }

  /** Says that the packet at `at`, which was just found, was sent again; returns where its entry is now. */
  renew(at: number): number {
    const { entries } = this;
    const sentUs = Math.max(this.#times[at >> 1]!, this.#now[0]!);
    this.#times[at >> 1] = -Infinity;
    const to = this.#append();
    this.#times[to >> 1] = sentUs;
    for (let i: number = Entry.headB; i < ENTRY_WORDS; i++) entries[to + i] = entries[at + i]!;
    return to;
  }

  /** The next entry of the ring, sent now, for the place in the index that was found. */
  #append(): number {
    const at = (this.#next & this.#mask) * ENTRY_WORDS;
    this.#forget(at);
    this.#index[this.#place + 1] = this.#next;
    this.#next = (this.#next + 1) | 0;
    this.#times[at >> 1] = this.#now[0]!;
    return at;
  }

  #forget(at: number): void {
    if (this.#isAlive(at)) this.#tally[AnalysisTally.duplicatesForgotten]! += 1;
    this.#times[at >> 1] = -Infinity;
  }

  #isSame(at: number, identity: PacketIdentity): boolean {
    const { entries } = this;
    if (entries[at + Entry.headB] !== identity.headB) return false;
    // one of the two was cut: their heads must do
    if (entries[at + Entry.extent] !== identity.extent) return true;
    return entries[at + Entry.allA] === identity.allA && entries[at + Entry.allB] === identity.allB;
  }

  #isAlive(at: number): boolean {
    const age = this.#now[0]! - this.#times[at >> 1]!;
    return age <= this.#windowUs && age >= -this.#windowUs;
  }
}
