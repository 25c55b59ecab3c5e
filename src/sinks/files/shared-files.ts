import { closeSync, existsSync, ftruncateSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Lane, LaneReader } from '../../packet/lane.ts';
import type { FinishedFile, FinishedLane } from '../../pipeline/finished-file.ts';
import { errnoOf, FILE_MODE } from './disk.ts';
import type { Encoding, InterfaceStatistics } from './encoding.ts';
import { existing } from './one-file-a-lane.ts';
import { operatorError } from './operator-error.ts';
import { PART_SUFFIX } from './part-file.ts';

/** Files that stay open; the others are opened for each piece. */
const OPEN_FILES_MAX = 512;
/** How long a pipe that does not block is left alone when it is full, milliseconds. */
const FULL_PIPE_WAIT_MS = 5;

// words of one slot
const TICKETS = 0;
const SERVED = 1;
/** 0: not made yet; n + 1: open as n; -1: made, and closed. */
const DESCRIPTOR = 2;
/** 0: none yet; n + 1: interface n of its file. */
const INTERFACE = 3;
const WORDS = 4;
// words of the head
const INTERFACES = 0;
const OPEN = 1;
const OPEN_MAX = 2;
const HEAD = 4;
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
  readonly slots: number;
  readonly words: SharedArrayBuffer;
  readonly numbers: SharedArrayBuffer;
}

/** Where the files are: a folder with one file a lane, or one stream for all lanes. */
export type SharedOutput =
  | {
      readonly kind: 'folder';
      readonly directory: string;
      readonly format: 'pcapng' | 'pcap';
      readonly force: boolean;
    }
  | { readonly kind: 'stream'; readonly descriptor: number };

/** What of one lane is added to a file at a time. */
export interface PieceFacts {
  /** Directory slot of the lane. */
  slot: number;
  packets: number;
  startSeconds: number;
  startNanoseconds: number;
  endSeconds: number;
  endNanoseconds: number;
}

/** @param slots of the directory of lanes */
export function allocateSharedFiles(slots: number): SharedFilesMemory {
  return {
    slots,
    words: new SharedArrayBuffer((HEAD + slots * WORDS) * Int32Array.BYTES_PER_ELEMENT),
    numbers: new SharedArrayBuffer(slots * NUMBERS * Float64Array.BYTES_PER_ELEMENT),
  };
}

/**
 * Files that several threads append to, each thread through an instance of its own over the same memory.
 *
 * A piece gets a ticket from whoever has the turn to hand them out, and pieces of one file are appended in the order
 * of their tickets, so that a file is a prefix of what it is to be whenever the process ends; different files are
 * written at the same time. All calls block the thread: they are for workers.
 */
export class SharedFiles {
  readonly #output: SharedOutput;
  readonly #encoding: Encoding;
  readonly #slots: number;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(memory: SharedFilesMemory, output: SharedOutput, encoding: Encoding) {
    this.#output = output;
    this.#encoding = encoding;
    this.#slots = memory.slots;
    this.#words = new Int32Array(memory.words);
    this.#numbers = new Float64Array(memory.numbers);
  }

  /** Which file a lane goes to: the slot whose words stand for it. */
  file(slot: number): number {
    return this.#output.kind === 'stream' ? 0 : slot;
  }

  // with the turn to hand out tickets

  /** Whether nothing was put into the file of a lane so far. */
  isNew(slot: number): boolean {
    return this.#words[word(this.file(slot), TICKETS)] === 0;
  }

  /** The lane's interface in its file; undefined where it has none yet: `begin` then gives it one. */
  interfaceOf(slot: number): number | undefined {
    const known = this.#words[word(slot, INTERFACE)] ?? 0;
    return known === 0 ? undefined : known - 1;
  }

  /** The lane's first packet is about to be added: makes its file, and gives the lane a number in it. */
  begin(slot: number, lane: Lane): number {
    if (this.#output.kind === 'folder') this.#create(slot, lane);
    const id = this.#output.kind === 'folder' ? 0 : (this.#words[INTERFACES] ?? 0);
    this.#words[INTERFACES] = id + 1;
    this.#words[word(slot, INTERFACE)] = id + 1;
    return id;
  }

  /** A place in the order of the pieces of a file. */
  ticket(file: number): number {
    const index = word(file, TICKETS);
    const ticket = this.#words[index] ?? 0;
    this.#words[index] = ticket + 1;
    return ticket;
  }

  // without it

  /** Whether it is a ticket's turn. */
  isDue(file: number, ticket: number): boolean {
    return Atomics.load(this.#words, word(file, SERVED)) === ticket;
  }

  /** Waits until a ticket may be due, at most `milliseconds`. */
  wait(file: number, ticket: number, milliseconds: number): void {
    const index = word(file, SERVED);
    const served = Atomics.load(this.#words, index);
    if (served !== ticket) Atomics.wait(this.#words, index, served, milliseconds);
  }

  /**
   * Appends `bytes[at .. end)`, which is whole blocks, and lets the next ticket in. To be called when the ticket is
   * due. A throw leaves the file as it was, and nobody else is let in.
   *
   * @throws MirrorError `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  append(file: number, bytes: Buffer, at: number, end: number, lane: Lane): void {
    try {
      this.#write(file, bytes, at, end, lane);
    } catch (error) {
      throw operatorError(this.#output.kind === 'stream' ? '' : this.#path(lane), error);
    }
  }

  /** Lets the next ticket of a file in. */
  served(file: number): void {
    const index = word(file, SERVED);
    Atomics.add(this.#words, index, 1);
    Atomics.notify(this.#words, index);
  }

  /** Remembers what was appended of one lane; between `append` and `served`. */
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

  // when no thread writes any more

  /**
   * Ends all files with their statistics and gives them their names.
   *
   * @throws MirrorError `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  finish(lanes: LaneReader): FinishedFile[] {
    const slots = this.#used();
    if (this.#output.kind === 'stream') {
      const inOrder = slots.toSorted((a, b) => (this.interfaceOf(a) ?? 0) - (this.interfaceOf(b) ?? 0));
      this.#finishOne(0, lanes.lane(slots[0] ?? 0), inOrder);
      return [];
    }
    return slots.map((slot) => {
      const lane = lanes.lane(slot);
      this.#finishOne(slot, lane, [slot]);
      this.#close(slot);
      const path = this.#path(lane);
      renameSync(this.#part(lane), this.#full(lane));
      const packets = this.#numbers[slot * NUMBERS + PACKETS] ?? 0;
      const bytes = this.#numbers[slot * NUMBERS + BYTES] ?? 0;
      return { path, bytes, packets, lanes: [this.#finishedLane(slot, lane)] };
    });
  }

  /** Leaves the files as they are, or removes them: to be called where they cannot be finished. */
  abandon(lanes: LaneReader, remove: boolean): void {
    if (this.#output.kind === 'stream') return;
    for (const slot of this.#used()) {
      this.#close(slot);
      if (remove) unlinkSync(this.#part(lanes.lane(slot)));
    }
  }

  #used(): number[] {
    const used: number[] = [];
    for (let slot = 0; slot < this.#slots; slot++) if (this.interfaceOf(slot) !== undefined) used.push(slot);
    return used;
  }

  #finishOne(file: number, lane: Lane, slots: readonly number[]): void {
    const end = this.#encoding.end(slots.map((slot) => this.#statistics(slot)));
    if (end.length > 0) this.append(file, end, 0, end.length, lane);
  }

  #statistics(slot: number): InterfaceStatistics {
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

  #finishedLane(slot: number, { name }: Lane): FinishedLane {
    const { startSeconds, startNanoseconds, endSeconds, endNanoseconds, received } = this.#statistics(slot);
    return {
      name,
      packets: received,
      dropped: 0,
      firstSeconds: startSeconds,
      firstNanoseconds: startNanoseconds,
      lastSeconds: endSeconds,
      lastNanoseconds: endNanoseconds,
    };
  }

  #path({ name }: Lane): string {
    return `${name}.${this.#encoding.format}`;
  }
  #full(lane: Lane): string {
    return join(this.#output.kind === 'folder' ? this.#output.directory : '', this.#path(lane));
  }
  #part(lane: Lane): string {
    return this.#full(lane) + PART_SUFFIX;
  }

  /** @throws MirrorError `OUTPUT_EXISTS`, `DISK_FULL`, `CAPTURE_WRITE_FAILED` */
  #create(slot: number, lane: Lane): void {
    const force = this.#output.kind === 'folder' && this.#output.force;
    if (!force && existsSync(this.#full(lane))) throw existing(this.#full(lane));
    let descriptor: number;
    try {
      descriptor = this.#open(this.#part(lane), force ? 'w' : 'wx');
    } catch (error) {
      throw errnoOf(error) === 'EEXIST' ? existing(this.#part(lane)) : operatorError(this.#path(lane), error);
    }
    const words = this.#words;
    if ((words[OPEN] ?? 0) < (words[OPEN_MAX] || OPEN_FILES_MAX)) {
      words[OPEN] = (words[OPEN] ?? 0) + 1;
      words[word(slot, DESCRIPTOR)] = descriptor + 1;
    } else {
      words[word(slot, DESCRIPTOR)] = -1;
      closeSync(descriptor);
    }
  }

  /** Opens a file; where the process may not have as many open as we would like, we make do with half of them. */
  #open(path: string, flags: string): number {
    try {
      return openSync(path, flags, FILE_MODE);
    } catch (error) {
      const open = this.#words[OPEN] ?? 0;
      if (errnoOf(error) !== 'EMFILE' || open === 0) throw error;
      this.#words[OPEN_MAX] = Math.max(1, Math.floor(open / 2));
      this.#closeIdle();
      return openSync(path, flags, FILE_MODE);
    }
  }

  /** Nobody gets a ticket meanwhile: a file whose tickets were all served stays idle. */
  #closeIdle(): void {
    const words = this.#words;
    for (let slot = 0; slot < this.#slots && (words[OPEN] ?? 0) > (words[OPEN_MAX] ?? 0); slot++) {
      if ((words[word(slot, DESCRIPTOR)] ?? 0) > 0 && this.isDue(slot, words[word(slot, TICKETS)] ?? 0))
        this.#close(slot);
    }
  }

  #close(slot: number): void {
    const index = word(slot, DESCRIPTOR);
    const descriptor = (this.#words[index] ?? 0) - 1;
    if (descriptor < 0) return;
    this.#words[index] = -1;
    this.#words[OPEN] = (this.#words[OPEN] ?? 0) - 1;
    closeSync(descriptor);
  }

  #write(file: number, bytes: Buffer, at: number, end: number, lane: Lane): void {
    if (this.#output.kind === 'stream') return writeStream(this.#output.descriptor, bytes, at, end);
    const known = (this.#words[word(file, DESCRIPTOR)] ?? 0) - 1;
    const descriptor = known >= 0 ? known : openSync(this.#part(lane), 'r+');
    const index = file * NUMBERS + BYTES;
    const position = this.#numbers[index] ?? 0;
    try {
      for (let next = at; next < end; ) {
        next += writeSync(descriptor, bytes, next, end - next, position + next - at);
      }
    } catch (error) {
      // half a block would make the file unreadable from there on
      ftruncateSync(descriptor, position);
      throw error;
    } finally {
      if (known < 0) closeSync(descriptor);
    }
    this.#numbers[index] = position + end - at;
  }
}

function word(slot: number, index: number): number {
  return HEAD + slot * WORDS + index;
}

function writeStream(descriptor: number, bytes: Buffer, at: number, end: number): void {
  const nobody = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (let next = at; next < end; ) {
    try {
      next += writeSync(descriptor, bytes, next, end - next);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(nobody, 0, 0, FULL_PIPE_WAIT_MS);
    }
  }
}
