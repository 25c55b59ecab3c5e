import { close, fstat, open, read, type Stats } from 'node:fs';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { MirrorError } from '../observe/error.ts';
import { becameShorter, unreadable } from './capture-errors.ts';

/** Where the bytes of a capture come from, in order. */
export interface ByteSource {
  /** Bytes that were taken from the file or stream so far, as they are stored: before decompression. */
  readonly bytesRead: number;
  /** Bytes there were when it was opened; `undefined` where that cannot be known. */
  readonly totalBytes: number | undefined;

  /**
   * Reads into `target[at .. end)`. Never called again before the last promise has settled.
   *
   * @returns bytes read, at least 1; 0 at the end
   * @throws MirrorError `CAPTURE_UNREADABLE` or `CAPTURE_DAMAGED`
   */
  read(target: Buffer, at: number, end: number): Promise<number>;

  /** Says whether there is more by now than there was at the beginning, which is not read. */
  hasGrown(): Promise<boolean>;

  /** Goes back to the first byte, where that can be done; `bytesRead` stays. */
  rewind(): boolean;

  /** Frees everything; a pending read ends soon, with 0 where it can. May be called twice. */
  close(): Promise<void>;
}

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat) as (descriptor: number) => Promise<Stats>;

/**
 * A file. One of known size is read up to the size that it had when it was opened, so that a file which grows all the
 * time, perhaps by what is being read, has an end.
 */
export class FileSource implements ByteSource {
  bytesRead = 0;
  readonly totalBytes: number | undefined;
  readonly #path: string;
  #descriptor: number | undefined;
  /** Offset of the next read in a file of known size. */
  #position = 0;
  /** Settles with the read that is under way: until then the descriptor must not be closed and given to another. */
  #idle: Promise<unknown> = Promise.resolve();

  /** @throws MirrorError `CAPTURE_UNREADABLE` where the file cannot be opened, or is a folder */
  static async open(path: string): Promise<FileSource> {
    let descriptor: number | undefined;
    try {
      descriptor = await openFile(path, 'r');
      const stats = await statFile(descriptor);
      if (stats.isDirectory()) throw new Error('It is a folder.');
      return new FileSource(path, descriptor, stats.isFile() ? stats.size : undefined);
    } catch (cause) {
      if (descriptor !== undefined) await closeFile(descriptor);
      throw new MirrorError('CAPTURE_UNREADABLE', `Cannot open ${path}.`, { path }, { cause });
    }
  }

  private constructor(path: string, descriptor: number, totalBytes: number | undefined) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.totalBytes = totalBytes;
  }

  read(target: Buffer, at: number, end: number): Promise<number> {
    const descriptor = this.#descriptor;
    const left = this.totalBytes === undefined ? end - at : this.totalBytes - this.#position;
    const wanted = Math.min(end - at, left);
    if (descriptor === undefined || wanted === 0) return Promise.resolve(0);
    const position = this.totalBytes === undefined ? null : this.#position;
    const done = new Promise<number>((resolve, reject) => {
      read(descriptor, target, at, wanted, position, (cause, count) => {
        if (cause !== null) reject(unreadable(this.#path, this.#position, cause));
        else if (count === 0 && position !== null) reject(becameShorter(this.#path, this.#position));
        else {
          this.#position += count;
          this.bytesRead = Math.max(this.bytesRead, this.#position);
          resolve(count);
        }
      });
    });
    this.#idle = done.catch(() => undefined);
    return done;
  }

  async hasGrown(): Promise<boolean> {
    if (this.#descriptor === undefined || this.totalBytes === undefined) return false;
    return (await statFile(this.#descriptor)).size > this.totalBytes;
  }

  rewind(): boolean {
    if (this.totalBytes === undefined) return false;
    this.#position = 0;
    return true;
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor === undefined) return;
    await this.#idle;
    await closeFile(descriptor);
  }
}

/** A stream, such as standard input: no thread waits for it. */
export class StreamSource implements ByteSource {
  bytesRead = 0;
  readonly totalBytes = undefined;
  readonly #name: string;
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #closed = false;

  constructor(name: string, stream: Readable) {
    this.#name = name;
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async read(target: Buffer, at: number, end: number): Promise<number> {
    while (this.#rest.length === 0) {
      const chunk = await this.#next();
      if (chunk === undefined) return 0;
      this.#rest = chunk;
    }
    const count = this.#rest.copy(target, at, 0, end - at);
    this.#rest = this.#rest.subarray(count);
    this.bytesRead += count;
    return count;
  }

  hasGrown(): Promise<boolean> {
    return Promise.resolve(false);
  }

  rewind(): boolean {
    return false;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#stream.destroy();
    return Promise.resolve();
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const { value, done } = await this.#chunks.next();
      return done === true || this.#closed ? undefined : value;
    } catch (cause) {
      if (this.#closed) return undefined;
      const context = { path: this.#name, offset: this.bytesRead };
      throw new MirrorError('CAPTURE_UNREADABLE', `${this.#name} cannot be read.`, context, { cause });
    }
  }
}
