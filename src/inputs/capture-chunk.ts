import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { type CaptureDecoder, type CaptureFormat, DECODER_STATE_LENGTH } from '../format/capture-decoder.ts';
import { DETECT_BYTES, detectFormat, makeDecoder } from '../format/detect.ts';
import { MAX_RECORD_BYTES } from '../format/limits.ts';
import type { MirrorError } from '../observe/error.ts';
import { PacketBatch } from '../packet/batch.ts';
import { becameShorter, captureDamaged, unreadable } from './capture-errors.ts';

/** An open capture file that is neither compressed nor a stream. */
export interface ChunkedFile {
  /** For errors. */
  readonly path: string;
  /** Open for reading; any thread of the process may use it. */
  readonly descriptor: number;
  readonly format: CaptureFormat;
  /** What the file had when it was opened. */
  readonly totalBytes: number;
}

/** Records that begin in bytes `from .. to - 1` of the file belong to the chunk. */
export interface CaptureChunk extends ChunkedFile {
  readonly from: number;
  readonly to: number;
}

/**
 * Opens a capture that can be read in chunks.
 *
 * @returns undefined for whatever else there is: compressed, a pipe, no capture, nothing that can be opened. Who reads
 *   it as a whole says what is wrong with it. The descriptor is the caller's to close.
 */
export function openChunked(path: string): ChunkedFile | undefined {
  let descriptor: number | undefined;
  try {
    // to open a pipe is to wait for its writer
    if (!statSync(path).isFile()) return undefined;
    descriptor = openSync(path, 'r');
    const head = Buffer.alloc(DETECT_BYTES);
    const format = detectFormat(head, 0, readSync(descriptor, head, 0, DETECT_BYTES, 0));
    if (format !== undefined) return { path, descriptor, format, totalBytes: fstatSync(descriptor).size };
  } catch {
    // not to be read in chunks either
  }
  if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}

/** 1 once nothing more is read of the file: behind the damage nothing is believed. */
const ENDED = 0;
const DECODER = 1;
/** Numbers that are handed on from chunk to chunk of a file. */
export const CHUNK_STATE_LENGTH: number = DECODER + DECODER_STATE_LENGTH;

/** Packets of one batch: as many as a chunk of usual packets has. */
const BATCH_PACKETS = 8_192;

/**
 * Reads capture files chunk by chunk, on the calling thread. `read` may run at any time and on any thread; `decode`
 * must be called for one chunk of a file after the other, with what the one before has left in `state`: neither pcap
 * nor pcapng has marks to find a record by, and only who has read all before knows where one begins.
 *
 * Packets and errors are those that `CaptureFileInput` gives.
 */
export class ChunkReader {
  /** The packets of the chunk after `decode`: `batches[0 .. batchCount - 1]`. */
  readonly batches: PacketBatch[] = [];
  batchCount = 0;
  readonly #block: Buffer;
  /** One past the last byte that was read. */
  #end = 0;
  #failure: MirrorError | undefined;

  /** @param chunkBytes most bytes of a chunk; at least 1 */
  constructor(chunkBytes: number) {
    this.#block = Buffer.allocUnsafeSlow(chunkBytes + MAX_RECORD_BYTES);
  }

  /** Takes the bytes of a chunk in. An error is kept for `decode`. */
  read(chunk: CaptureChunk): void {
    this.#failure = undefined;
    this.#end = 0;
    this.#readUpTo(chunk, chunk.to - chunk.from);
  }

  /**
   * Finds the packets of the chunk that was read.
   *
   * @param state of the file, `CHUNK_STATE_LENGTH` numbers; need not be cleared for its first chunk
   * @returns why nothing more is read of the file, after the packets that were found
   */
  decode(chunk: CaptureChunk, state: Float64Array): MirrorError | undefined {
    this.batchCount = 0;
    const first = chunk.from === 0;
    if (!first && state[ENDED] === 1) return undefined;
    const decoder = makeDecoder(chunk.format);
    if (!first) decoder.restore(state.subarray(DECODER));
    this.#decodeAll(decoder, chunk);
    const { problem } = decoder;
    if (problem === undefined && this.#failure === undefined) {
      decoder.save(state.subarray(DECODER));
      state[ENDED] = 0;
      return undefined;
    }
    state[ENDED] = 1;
    if (problem === undefined) return this.#failure;
    // a file that is being written ends inside a record
    if (problem.kind === 'cut' && fstatSync(chunk.descriptor).size > chunk.totalBytes) return undefined;
    return captureDamaged(chunk.path, chunk.path, problem);
  }

  /** Nothing of the file is read from here on, though nothing is wrong. */
  end(state: Float64Array): void {
    this.batchCount = 0;
    state[ENDED] = 1;
  }

  #decodeAll(decoder: CaptureDecoder, chunk: CaptureChunk): void {
    const border = chunk.to - chunk.from;
    const fileEnd = chunk.totalBytes - chunk.from;
    let at = decoder.offset - chunk.from;
    while (at < border) {
      at = this.#decodeWindow(decoder, at);
      if (decoder.problem !== undefined || this.#failure !== undefined || at >= border) break;
      // the last record goes on behind the border: exactly that one is read as well
      const wanted = Math.min(at + decoder.neededBytes, fileEnd);
      if (wanted <= this.#end) break;
      this.#readUpTo(chunk, wanted);
    }
    if (this.#failure === undefined && this.#end === fileEnd) decoder.finish(this.#end - at);
  }

  #decodeWindow(decoder: CaptureDecoder, at: number): number {
    let next = at;
    for (;;) {
      const batch = this.#batch();
      next = decoder.decode(batch, next, this.#end);
      if (batch.count < batch.capacity) return next;
    }
  }

  /** The batch that is being filled, or the next one where that is full. */
  #batch(): PacketBatch {
    const current = this.batchCount === 0 ? undefined : this.batches[this.batchCount - 1];
    if (current !== undefined && current.count < current.capacity) return current;
    const batch = this.batches[this.batchCount] ?? new PacketBatch(BATCH_PACKETS, this.#block);
    batch.clear();
    this.batches[this.batchCount] = batch;
    this.batchCount++;
    return batch;
  }

  #readUpTo(chunk: CaptureChunk, end: number): void {
    const { path, descriptor, from } = chunk;
    while (this.#end < end && this.#failure === undefined) {
      const position = from + this.#end;
      try {
        const count = readSync(descriptor, this.#block, this.#end, end - this.#end, position);
        this.#end += count;
        if (count === 0) this.#failure = becameShorter(path, position);
      } catch (cause) {
        this.#failure = unreadable(path, position, cause);
      }
    }
  }
}
