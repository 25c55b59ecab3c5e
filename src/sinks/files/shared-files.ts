import { closeSync, existsSync, ftruncateSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Lane, LaneReader } from '../../packet/lane.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import { errnoOf, FILE_MODE } from './disk.ts';
import type { Encoding } from './encoding.ts';
import { existing } from './one-file-a-lane.ts';
import { operatorError } from './operator-error.ts';
import { PART_SUFFIX } from './part-file.ts';
import { CLOSED_FILE, SharedFileTable, type SharedFilesMemory } from './shared-file-table.ts';

/** Files that stay open, unless the maker says otherwise; the others are opened for each piece. */
const OPEN_FILES_MAX = 512;
/** How long a pipe that does not block is left alone when it is full, milliseconds. */
const FULL_PIPE_WAIT_MS = 5;

/** Where the files are: a folder with one file a lane, or one stream for all lanes. */
export type SharedOutput =
  | {
      readonly kind: 'folder';
      readonly directory: string;
      readonly format: 'pcapng' | 'pcap';
      readonly force: boolean;
    }
  | { readonly kind: 'stream'; readonly descriptor: number };

/**
 * Files that several threads append to, each thread through an instance of its own over the same memory.
 *
 * Pieces of one file are appended in the order of their tickets, so that a file is a prefix of what it is to be
 * whenever the process ends; different files are written at the same time. All calls block the thread.
 */
export class SharedFiles {
  readonly table: SharedFileTable;
  readonly #output: SharedOutput;
  readonly #encoding: Encoding;
  readonly #openMax: number;
  /** Files that were made in this turn: nobody else has a ticket for them yet. */
  readonly #fresh = new Set<number>();

  constructor(
    memory: SharedFilesMemory,
    output: SharedOutput,
    encoding: Encoding,
    openMax: number = OPEN_FILES_MAX,
  ) {
    this.table = new SharedFileTable(memory);
    this.#output = output;
    this.#encoding = encoding;
    this.#openMax = openMax;
  }

  /** The file that a lane goes to. */
  file(slot: number): number {
    return this.#output.kind === 'stream' ? 0 : slot;
  }

  /** The turn to hand out tickets begins. */
  beginTurn(): void {
    this.#fresh.clear();
  }

  /**
   * Makes the file of a lane, where it has one of its own, and gives the lane its number in it. With the turn to hand
   * out tickets.
   *
   * @throws MirrorError `OUTPUT_EXISTS`, `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  begin(slot: number, lane: Lane): number {
    if (this.#output.kind === 'folder') this.#create(slot, lane);
    const id = this.#output.kind === 'folder' ? 0 : this.table.nextInterface();
    this.table.setInterface(slot, id);
    return id;
  }

  /**
   * Appends `bytes[at .. end)`, which is whole blocks. With the ticket that is due; a throw leaves the file as it was.
   *
   * @throws MirrorError `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  append(file: number, bytes: Buffer, at: number, end: number, lane: Lane): void {
    try {
      if (this.#output.kind === 'stream') writeStream(this.#output.descriptor, bytes, at, end);
      else this.#write(file, bytes, at, end, lane);
    } catch (error) {
      throw operatorError(this.#output.kind === 'stream' ? '' : this.#path(lane), error);
    }
  }

  /**
   * Ends all files with their statistics and gives them their names. When no thread writes any more.
   *
   * @throws MirrorError `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  finish(lanes: LaneReader): FinishedFile[] {
    const slots = this.#used();
    if (this.#output.kind === 'folder') return slots.map((slot) => this.#finishLane(slot, lanes.lane(slot)));
    const number = (slot: number): number => this.table.interfaceOf(slot) ?? 0;
    const inOrder = slots.toSorted((a, b) => number(a) - number(b));
    const first = inOrder[0];
    if (first !== undefined) this.#end(0, lanes.lane(first), inOrder);
    return [];
  }

  /** Leaves the files as they are, or removes them, where they cannot be finished. When no thread writes any more. */
  abandon(lanes: LaneReader, remove: boolean): void {
    if (this.#output.kind === 'stream') return;
    for (const slot of this.#used()) {
      this.#close(slot);
      if (remove) unlinkSync(this.#part(lanes.lane(slot)));
    }
  }

  #used(): number[] {
    const used: number[] = [];
    for (let slot = 0; slot < this.table.slots; slot++)
      if (this.table.interfaceOf(slot) !== undefined) used.push(slot);
    return used;
  }

  #finishLane(slot: number, lane: Lane): FinishedFile {
    const path = this.#path(lane);
    this.#end(slot, lane, [slot]);
    try {
      this.#close(slot);
      renameSync(this.#part(lane), this.#full(lane));
    } catch (error) {
      throw operatorError(path, error);
    }
    const statistics = this.table.statistics(slot);
    const { startSeconds, startNanoseconds, endSeconds, endNanoseconds, received: packets } = statistics;
    const times = {
      firstSeconds: startSeconds,
      firstNanoseconds: startNanoseconds,
      lastSeconds: endSeconds,
      lastNanoseconds: endNanoseconds,
    };
    const lanes = [{ name: lane.name, packets, dropped: 0, ...times }];
    return { path, bytes: this.table.bytes(slot), packets, lanes };
  }

  #end(file: number, lane: Lane, slots: readonly number[]): void {
    const end = this.#encoding.end(slots.map((slot) => this.table.statistics(slot)));
    if (end.length > 0) this.append(file, end, 0, end.length, lane);
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

  #create(slot: number, lane: Lane): void {
    const force = this.#output.kind === 'folder' && this.#output.force;
    if (!force && existsSync(this.#full(lane))) throw existing(this.#full(lane));
    let descriptor: number;
    try {
      descriptor = this.#open(this.#part(lane), force ? 'w' : 'wx');
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw existing(this.#part(lane));
      throw operatorError(this.#path(lane), error);
    }
    if (this.table.open < (this.table.openMax || this.#openMax)) {
      this.table.open++;
      this.table.setDescriptor(slot, descriptor + 1);
      this.#fresh.add(slot);
    } else {
      this.table.setDescriptor(slot, CLOSED_FILE);
      closeSync(descriptor);
    }
  }

  /** Opens a file; where the process may not have as many open as we would like, we make do with half of them. */
  #open(path: string, flags: string): number {
    try {
      return openSync(path, flags, FILE_MODE);
    } catch (error) {
      if (errnoOf(error) !== 'EMFILE' || this.table.open === 0) throw error;
      this.table.openMax = Math.max(1, Math.floor(this.table.open / 2));
      this.#closeIdle();
      return openSync(path, flags, FILE_MODE);
    }
  }

  /** Nobody gets a ticket meanwhile: a file whose tickets were all served stays idle. */
  #closeIdle(): void {
    for (let slot = 0; slot < this.table.slots && this.table.open > this.table.openMax; slot++) {
      if (this.table.descriptor(slot) <= 0) continue;
      if (this.#fresh.has(slot) || this.table.isDue(slot, this.table.tickets(slot))) this.#close(slot);
    }
  }

  #close(slot: number): void {
    const descriptor = this.table.descriptor(slot) - 1;
    if (descriptor < 0) return;
    this.table.setDescriptor(slot, CLOSED_FILE);
    this.table.open--;
    closeSync(descriptor);
  }

  #write(file: number, bytes: Buffer, at: number, end: number, lane: Lane): void {
    const open = this.table.descriptor(file) - 1;
    const descriptor = open >= 0 ? open : openSync(this.#part(lane), 'r+');
    const position = this.table.bytes(file);
    try {
      for (let next = at; next < end; ) {
        next += writeSync(descriptor, bytes, next, end - next, position + next - at);
      }
    } catch (error) {
      // half a block would make the file unreadable from there on
      ftruncateSync(descriptor, position);
      throw error;
    } finally {
      if (open < 0) closeSync(descriptor);
    }
    this.table.setBytes(file, position + end - at);
  }
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
