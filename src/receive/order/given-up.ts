import { StreamTable } from './stream-table.ts';

/** Places that are remembered of a stream: enough for one packet in ten lost, and 64 held. */
const PLACES = 8;
/** A place is its first sequence number, the one after its last, and when it was given up. */
const PLACE_WORDS = 3;
/** Later than this no packet is late: it is sent again, or of the next round of sequence numbers. */
const REMEMBERED_SECONDS = 10;

/**
 * Places in the sequences of streams that were given up: what comes for one of them is late, while anything else that
 * comes after its time was there before, and is sent again.
 *
 * The newest few of each stream are remembered, for a while.
 */
export class GivenUpPlaces {
  readonly #words: Int32Array;
  readonly #next: Uint8Array;

  constructor(streams: number) {
    this.#words = new Int32Array(streams * PLACES * PLACE_WORDS);
    this.#next = new Uint8Array(streams);
  }

  /** Forgets all places of a row's stream. */
  clear(row: number): void {
    const at = StreamTable.index(row) * PLACES * PLACE_WORDS;
    this.#words.fill(0, at, at + PLACES * PLACE_WORDS);
  }

  /** Remembers `from .. to - 1`. */
  add(row: number, from: number, to: number, seconds: number): void {
    const index = StreamTable.index(row);
    const place = this.#next[index]!;
    this.#next[index] = (place + 1) % PLACES;
    this.#write((index * PLACES + place) * PLACE_WORDS, from, to, seconds);
  }

  /** Says whether `from .. to - 1` has to do with a remembered place, which is filled so far. */
  fill(row: number, from: number, to: number, seconds: number): boolean {
    const words = this.#words;
    const first = StreamTable.index(row) * PLACES * PLACE_WORDS;
    for (let at = first; at < first + PLACES * PLACE_WORDS; at += PLACE_WORDS) {
      const placeFrom = words[at]!;
      const placeTo = words[at + 1]!;
      if (placeFrom === placeTo || ((from - placeTo) | 0) >= 0 || ((placeFrom - to) | 0) >= 0) continue;
      if (Math.abs(seconds - (words[at + 2]! >>> 0)) > REMEMBERED_SECONDS) continue;
      this.#narrow(row, at, from, to, seconds);
      return true;
    }
    return false;
  }

  /** What is left of a place once this much of it has come. */
  #narrow(row: number, at: number, from: number, to: number, seconds: number): void {
    const placeFrom = this.#words[at]!;
    const placeTo = this.#words[at + 1]!;
    const restBefore = ((from - placeFrom) | 0) > 0;
    const restBehind = ((placeTo - to) | 0) > 0;
    if (restBefore) {
      this.#write(at, placeFrom, from, seconds);
      if (restBehind) this.add(row, to, placeTo, seconds);
    } else {
      this.#write(at, restBehind ? to : placeTo, placeTo, seconds);
    }
  }

  #write(at: number, from: number, to: number, seconds: number): void {
    this.#words[at] = from;
    this.#words[at + 1] = to;
    this.#words[at + 2] = seconds;
  }
}
