import type { Readable } from 'node:stream';
import type { CaptureDecoder, CaptureProblem } from '../format/capture-decoder.ts';
import {
  DETECT_BYTES,
  describeUnknown,
  detectCompression,
  detectFormat,
  makeDecoder,
} from '../format/detect.ts';
import { MAX_RECORD_BYTES } from '../format/limits.ts';
import { MirrorError } from '../observe/error.ts';
import { PacketBatch } from '../packet/batch.ts';
import type { Deliver, Input } from '../pipeline/input.ts';
import { captureDamaged } from './capture-errors.ts';
import { type ByteSource, FileSource, StreamSource } from './byte-source.ts';
import { InflateSource } from './inflate-source.ts';
import { openNamedPipe } from './named-pipe.ts';

/** Bytes read at a time, unless the maker says otherwise. */
const DEFAULT_CHUNK_BYTES = 1_048_576;
/** Packets of a batch, unless the maker says otherwise. */
const DEFAULT_BATCH_PACKETS = 8_192;

/** A page, so that the reads after the first begin at the bounds of pages. */
const HEAD_BYTES = 4_096;

export interface CaptureFileOptions {
  /** The file; `-` for standard input. Compression and format are found by content, never by name. */
  readonly path: string;
  /** Bytes read at a time; at least 1. Two blocks of this and `MAX_RECORD_BYTES` are held. */
  readonly chunkBytes?: number;
  /** Most packets in one batch; at least 1. */
  readonly batchPackets?: number;
  /** What `-` reads; standard input unless given. */
  readonly stdin?: Readable;
}

/**
 * Packets of one capture file: pcap or pcapng, plain or compressed with gzip or Zstandard.
 *
 * While one block is delivered the next is read. A block begins with room for the record that the last one was
 * cut in, so that packets are never copied but for that one.
 *
 * `run` rejects, after everything before was delivered, with `CAPTURE_FORMAT_UNKNOWN` (an empty file as well),
 * `CAPTURE_DAMAGED` (context: path, offset in the decompressed stream) or `CAPTURE_UNREADABLE`. A file is read up
 * to the size it had when it was opened; that a record crosses that border is no damage if the file has grown since.
 */
export class CaptureFileInput implements Input {
  readonly path: string;
  readonly #chunkBytes: number;
  readonly #batchPackets: number;
  readonly #stdin: Readable | undefined;
  #source: ByteSource | undefined;
  #closed = false;
  /** Why reading failed. */
  #failure: Error | undefined;

  constructor(options: CaptureFileOptions) {
    this.path = options.path;
    this.#chunkBytes = options.chunkBytes ?? DEFAULT_CHUNK_BYTES;
    this.#batchPackets = options.batchPackets ?? DEFAULT_BATCH_PACKETS;
    this.#stdin = options.stdin;
  }

  /** The file in the words of a message. */
  get #name(): string {
    return this.path === '-' ? 'standard input' : this.path;
  }
  /** Stored bytes read so far: of a compressed file, compressed ones. */
  get bytesRead(): number {
    return this.#source?.bytesRead ?? 0;
  }
  /** Stored bytes of the file when it was opened; `undefined` for a stream. */
  get totalBytes(): number | undefined {
    return this.#source?.totalBytes;
  }

  async open(): Promise<void> {
    const stream = this.path === '-' ? (this.#stdin ?? process.stdin) : await openNamedPipe(this.path);
    this.#source =
      stream === undefined ? await FileSource.open(this.path) : new StreamSource(this.#name, stream);
    // closed before or meanwhile: nobody would come to close it
    if (this.#closed) await this.#source.close();
  }

  async run(deliver: Deliver): Promise<void> {
    if (this.#source === undefined) throw new Error('A capture file is opened before it is read.');
    try {
      let head = await readHead(this.#source);
      const compression = detectCompression(head, 0, head.length);
      if (compression !== undefined) {
        this.#source = new InflateSource(this.#source, head, compression, this.#name);
        head = await readHead(this.#source);
      }
      const format = detectFormat(head, 0, head.length);
      if (this.#closed) return;
      if (format === undefined) throw this.#unknown(head);
      await this.#decode(makeDecoder(format), head, deliver);
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#source?.close();
  }

  async #decode(decoder: CaptureDecoder, head: Buffer, deliver: Deliver): Promise<void> {
    let batch = this.#makeBatch();
    let spare: PacketBatch | undefined;
    let leftover = head;
    let pending = this.#startRead(batch);
    let delivered: Promise<void> = Promise.resolve();
    for (let ended = false; !ended; ) {
      const count = await pending;
      await delivered;
      if (typeof count !== 'number') throw count;
      ended = count === 0;
      let at = MAX_RECORD_BYTES - leftover.length;
      const end = MAX_RECORD_BYTES + count;
      leftover.copy(batch.bytes, at);
      if (!ended) {
        spare ??= this.#makeBatch();
        pending = this.#startRead(spare);
      }
      do {
        await delivered;
        batch.clear();
        at = decoder.decode(batch, at, end);
        if (batch.count > 0) delivered = deliver(batch);
      } while (batch.count === batch.capacity);

      if (ended && !this.#closed) decoder.finish(end - at);
      if (decoder.problem !== undefined) {
        const error = await this.#errorOf(decoder.problem);
        await Promise.all([delivered, this.#source?.close(), pending]);
        if (error !== undefined) throw error;
        return;
      }
      leftover = batch.bytes.subarray(at, end);
      if (spare !== undefined) [batch, spare] = [spare, batch];
    }
    await delivered;
  }

  /**
   * Reads behind the room that is left for a cut record: a file until the block is full, a stream what has come.
   * Never rejects: an error is what it settles with, once all before it was handed over.
   */
  async #startRead(batch: PacketBatch): Promise<number | Error> {
    const source = this.#source;
    let end = MAX_RECORD_BYTES;
    try {
      let count = 0;
      do {
        if (source === undefined || this.#closed || this.#failure !== undefined) break;
        count = await source.read(batch.bytes, end, batch.bytes.length);
        end += count;
      } while (count > 0 && end < batch.bytes.length && source.totalBytes !== undefined);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    }
    return end === MAX_RECORD_BYTES && this.#failure !== undefined ? this.#failure : end - MAX_RECORD_BYTES;
  }

  #makeBatch(): PacketBatch {
    return new PacketBatch(this.#batchPackets, Buffer.allocUnsafeSlow(MAX_RECORD_BYTES + this.#chunkBytes));
  }

  /** What the decoder has found, as an error: none where the file is only longer than when it was opened. */
  async #errorOf(problem: CaptureProblem): Promise<MirrorError | undefined> {
    if (problem.kind === 'cut' && (await this.#source?.hasGrown()) === true) return undefined;
    return captureDamaged(this.path, this.#name, problem);
  }

  #unknown(head: Buffer): MirrorError {
    const message = `${this.#name} is no capture: it ${describeUnknown(head, 0, head.length)}.`;
    return new MirrorError('CAPTURE_FORMAT_UNKNOWN', message, { path: this.path });
  }
}

/** Reads enough of a source to tell what it is, or all where it has less. */
async function readHead(source: ByteSource): Promise<Buffer> {
  const head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  let length = 0;
  while (length < DETECT_BYTES) {
    const count = await source.read(head, length, head.length);
    if (count === 0) break;
    length += count;
  }
  return head.subarray(0, length);
}
