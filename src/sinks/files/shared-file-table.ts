import type { InterfaceStatistics } from './encoding.ts';

// words of the head
const INTERFACES = 0;
const OPEN = 1;
const OPEN_MAX = 2;
const HEAD = 4;
// words of one slot
const TICKETS = 0;
const SERVED = 1;
const DESCRIPTOR = 2;
/** 0: none yet; n + 1: interface n of its file. */
const INTERFACE = 3;
const WORDS = 4;
// numbers of one slot
/** Of the file. */
const BYTES = 0;
/** Of the lane, as are all that follow. */
const PACKETS = 1;
const START_SECONDS = 2;
const START_NANOSECONDS = 3;
const END_SECONDS = 4;
const END_NANOSECONDS = 5;
const NUMBERS = 6;

/** What threads share of the files that they write together. */
export interface SharedFilesMemory {
  /** Directory slots of lanes. */
  readonly slots: number;
  readonly words: SharedArrayBuffer;
  readonly numbers: SharedArrayBuffer;
}

/** What of one lane is added to a file at a time. */
export interface PieceFacts {
  /** Directory slot of the lane. */
  readonly slot: number;
  readonly packets: number;
  readonly startSeconds: number;
  readonly startNanoseconds: number;
  readonly endSeconds: number;
  readonly endNanoseconds: number;
}

export function allocateSharedFiles(slots: number): SharedFilesMemory {
  return {
    slots,
    words: new SharedArrayBuffer((HEAD + slots * WORDS) * Int32Array.BYTES_PER_ELEMENT),
    numbers: new SharedArrayBuffer(slots * NUMBERS * Float64Array.BYTES_PER_ELEMENT),
  };
}

/** Not made yet. */
const NO_FILE = 0;
/** Made, and closed. */
export const CLOSED_FILE = -1;

/**
 * What is known of files and of the lanes in them, in shared memory. A file is named by a slot: that of its lane, or 0
 * where all lanes share one.
 *
 * Who hands out tickets writes what belongs to making files; who has the ticket that is due writes what belongs to
 * appending to them.
 */
export class SharedFileTable {
  readonly slots: number;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(memory: SharedFilesMemory) {
    this.slots = memory.slots;
    this.#words = new Int32Array(memory.words);
    this.#numbers = new Float64Array(memory.numbers);
  }

  /** Files that are open, and how many may be; 0 while nobody has said. */
  get open(): number {
    return this.#words[OPEN] ?? 0;
  }
  set open(count: number) {
    this.#words[OPEN] = count;
  }
  get openMax(): number {
    return this.#words[OPEN_MAX] ?? 0;
  }
  set openMax(count: number) {
    this.#words[OPEN_MAX] = count;
  }

  /** `NO_FILE`, `CLOSED_FILE`, or a descriptor plus 1. */
  descriptor(file: number): number {
    return this.#words[word(file, DESCRIPTOR)] ?? NO_FILE;
  }
  setDescriptor(file: number, value: number): void {
    this.#words[word(file, DESCRIPTOR)] = value;
  }

  /** The lane's number in its file; undefined where it has none yet. */
  interfaceOf(slot: number): number | undefined {
    const known = this.#words[word(slot, INTERFACE)] ?? 0;
    return known === 0 ? undefined : known - 1;
  }
  setInterface(slot: number, id: number): void {
    this.#words[word(slot, INTERFACE)] = id + 1;
  }
  /** The next number in a file of all lanes. */
  nextInterface(): number {
    const id = this.#words[INTERFACES] ?? 0;
    this.#words[INTERFACES] = id + 1;
    return id;
  }

  /** Tickets that were handed out for a file. */
  tickets(file: number): number {
    return this.#words[word(file, TICKETS)] ?? 0;
  }
  /** A place in the order of what is appended to a file. */
  takeTicket(file: number): number {
    const ticket = this.tickets(file);
    this.#words[word(file, TICKETS)] = ticket + 1;
    return ticket;
  }
  /** Whether all tickets before this one were served. */
  isDue(file: number, ticket: number): boolean {
    return Atomics.load(this.#words, word(file, SERVED)) === ticket;
  }
  /** Waits until a ticket may be due, at most `milliseconds`. */
  wait(file: number, ticket: number, milliseconds: number): void {
    const index = word(file, SERVED);
    const served = Atomics.load(this.#words, index);
    if (served !== ticket) Atomics.wait(this.#words, index, served, milliseconds);
  }
  /** Lets the next ticket of a file in. */
  served(file: number): void {
    const index = word(file, SERVED);
    Atomics.add(this.#words, index, 1);
    Atomics.notify(this.#words, index);
  }

  /** Bytes of a file. */
  bytes(file: number): number {
    return this.#numbers[file * NUMBERS + BYTES] ?? 0;
  }
  setBytes(file: number, bytes: number): void {
    this.#numbers[file * NUMBERS + BYTES] = bytes;
  }

  /** Remembers what was appended of one lane. */
  count(facts: PieceFacts): void {
    const at = facts.slot * NUMBERS;
    const numbers = this.#numbers;
    if (numbers[at + PACKETS] === 0) {
      numbers[at + START_SECONDS] = facts.startSeconds;
      numbers[at + START_NANOSECONDS] = facts.startNanoseconds;
    }
    numbers[at + PACKETS] = (numbers[at + PACKETS] ?? 0) + facts.packets;
    numbers[at + END_SECONDS] = facts.endSeconds;
    numbers[at + END_NANOSECONDS] = facts.endNanoseconds;
  }

  statistics(slot: number): InterfaceStatistics {
    const number = (index: number): number => this.#numbers[slot * NUMBERS + index] ?? 0;
    return {
      startSeconds: number(START_SECONDS),
      startNanoseconds: number(START_NANOSECONDS),
      endSeconds: number(END_SECONDS),
      endNanoseconds: number(END_NANOSECONDS),
      received: number(PACKETS),
      dropped: 0,
    };
  }
}

function word(slot: number, index: number): number {
  return HEAD + slot * WORDS + index;
}
