import { onward } from './reader.ts';
import type { Recovered } from './recovery.ts';
import { type Amount, minus, NOTHING, type Place, plus, type Segment } from './segment.ts';

/**
 * What is in a spool, and how far it is read and acknowledged. It touches no file.
 *
 * Two places go through the segments: up to the first all is acknowledged, up to the second all is read. What lies between them
 * is *out*: whoever read it may be sending it.
 */
export class Contents {
  /** Oldest first; the last one may be growing. */
  readonly #segments: Segment[];
  #acknowledged: Place;
  #reading: Place;
  /** One past the sequence of the last block that was read since the last rewind. */
  #handedOut: number;
  #lost = NOTHING;
  /** Changes with whatever makes a read that is under way worthless. */
  turn = 0;

  constructor({ segments, sequence }: Recovered) {
    this.#segments = segments;
    this.#acknowledged = onward({ segment: undefined, at: 0, sequence, amount: NOTHING }, segments);
    this.#reading = this.#acknowledged;
    this.#handedOut = sequence;
  }

  /** Sequence of the first block that is not acknowledged. */
  get sequence(): number {
    return this.#acknowledged.sequence;
  }

  /** What is not acknowledged. */
  get pending(): Amount {
    let sum = NOTHING;
    for (const { amount } of this.#segments) sum = plus(sum, amount);
    return minus(sum, this.#acknowledged.amount);
  }

  /** What was counted as waiting and then found damaged. */
  get lost(): Amount {
    return this.#lost;
  }

  get fileBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.fileBytes;
    return bytes;
  }

  get isNothingOut(): boolean {
    return this.#acknowledged.sequence >= this.#handedOut;
  }

  /** Notes the segment that was appended to. */
  appended(segment: Segment): void {
    if (this.#segments.at(-1) !== segment) this.#segments.push(segment);
  }

  /** Where to read next; undefined at the end. */
  nextToRead(): (Place & { readonly segment: Segment }) | undefined {
    this.#reading = onward(this.#reading, this.#segments);
    return inside(this.#reading);
  }

  /** Where the first block stands that is not acknowledged; undefined at the end. */
  nextToAcknowledge(): (Place & { readonly segment: Segment }) | undefined {
    return inside(onward(this.#acknowledged, this.#segments));
  }

  /**
   * Notes what was read.
   *
   * @param place up to where all was seen
   * @param last behind the last block; undefined where there was none
   */
  wasRead(place: Place, last: Place | undefined): void {
    this.#reading = place;
    this.#reckon(place);
    if (last !== undefined) this.#handedOut = last.sequence;
  }

  acknowledge(behind: Place): void {
    if (behind.sequence > this.#acknowledged.sequence) this.#acknowledged = behind;
    if (behind.sequence <= this.#reading.sequence) return;
    // it was read before a rewind
    this.#reading = behind;
    this.#handedOut = behind.sequence;
    this.turn++;
  }

  rewind(): void {
    this.#reading = this.#acknowledged;
    this.#handedOut = this.#acknowledged.sequence;
    this.turn++;
  }

  /** Is done with all up to a place, of which nothing is out. */
  drop(to: Place): void {
    this.#reckon(to);
    this.#acknowledged = to;
    this.rewind();
  }

  /** Takes out the segments that are done with. */
  takeDone(): Segment[] {
    // damaged blocks behind the last one that was read are done with too
    if (this.isNothingOut) this.#acknowledged = this.#reading;
    this.#acknowledged = onward(this.#acknowledged, this.#segments);
    const { segment } = this.#acknowledged;
    return segment === undefined ? [] : this.#segments.splice(0, this.#segments.indexOf(segment));
  }

  /** Takes out all segments: everything is acknowledged. */
  takeAll(): Segment[] {
    const { sequence } = this.#acknowledged;
    this.#acknowledged = { segment: undefined, at: 0, sequence, amount: NOTHING };
    this.#reading = this.#acknowledged;
    this.turn++;
    return this.#segments.splice(0);
  }

  /** Takes from the count what a segment turned out to have lost, once it is read to its end. */
  #reckon({ segment, at, amount }: Place): void {
    if (segment === undefined || at < segment.end) return;
    this.#lost = plus(this.#lost, minus(segment.amount, amount));
    segment.amount = amount;
  }
}

function inside(place: Place): (Place & { readonly segment: Segment }) | undefined {
  const { segment } = place;
  return segment === undefined || place.at >= segment.end ? undefined : { ...place, segment };
}
