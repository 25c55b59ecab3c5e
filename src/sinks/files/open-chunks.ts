import type { CaptureFile } from './capture-file.ts';
import { CHUNK_BYTES_MIN, type Chunk, type ChunkPool } from './chunk-pool.ts';
import type { Writer } from './writer.ts';

/**
 * Chunks grow to this size. Half of it costs a tenth more CPU for large frames, as each write is handed to another
 * thread; twice of it saves little more, and holds too much of the memory in chunks that are not full.
 */
const CHUNK_BYTES_WANTED = 524_288;
/** A track begins with a chunk of this size. */
export const CHUNK_BYTES_FIRST = 16_384;
const CHUNK_GROWTH = 4;

/** Most of the memory that chunks which are not full should have. */
const OPEN_SHARE = 0.75;
/** With more of the memory taken than this, the oldest of them must go once they have their share. */
const TAKEN_SHARE = 0.9;
/** With no chunk to be had at all, it must go once they have this much. */
const OPEN_SHARE_EXHAUSTED = 0.5;

/**
 * The chunks that are being filled, at most one a file: how large each of them is, and which are handed over before they are
 * full because the memory is needed.
 */
export class OpenChunks {
  readonly #pool: ChunkPool;
  readonly #writer: Writer;
  /** Files with a chunk that is being filled, the oldest chunk first. */
  readonly #filling = new Set<CaptureFile>();
  #fillingBytes = 0;

  constructor(pool: ChunkPool, writer: Writer) {
    this.#pool = pool;
    this.#writer = writer;
  }

  /** A chunk of the file with room for `bytes`; undefined while the memory is exhausted. */
  room(file: CaptureFile, bytes: number, nowMs: number): Chunk | undefined {
    if (file.chunk !== undefined) {
      if (file.chunk.used + bytes <= file.chunk.bytes.length) return file.chunk;
      const size = file.chunk.bytes.length * CHUNK_GROWTH;
      this.submit(file);
      file.track.chunkBytes = Math.min(size, CHUNK_BYTES_WANTED);
    }
    const chunk = this.#pool.take(this.#affordable(file.track.chunkBytes), bytes);
    if (chunk === undefined || this.#crowded()) this.#makeRoom();
    if (chunk === undefined) return undefined;
    file.fill(chunk, nowMs);
    this.#filling.add(file);
    this.#fillingBytes += chunk.bytes.length;
    return chunk;
  }

  /** Hands a file's chunk over to be written. */
  submit(file: CaptureFile): void {
    const { track } = file;
    const chunk = file.takeChunk();
    if (chunk === undefined) return;
    this.#filling.delete(file);
    this.#fillingBytes -= chunk.bytes.length;
    if (chunk.used < chunk.bytes.length / CHUNK_GROWTH) {
      track.chunkBytes = Math.max(chunk.bytes.length / 2, CHUNK_BYTES_MIN);
    }
    this.#writer.add(track, { file, chunk });
  }

  /** Hands over chunks that were begun at `sinceMs` or before. */
  submitSince(sinceMs: number): void {
    for (const file of this.#filling) {
      if (file.chunkSinceMs > sinceMs) return;
      this.submit(file);
    }
  }

  /** The more files are being filled, the smaller their chunks. */
  #affordable(wanted: number): number {
    const share = (OPEN_SHARE * this.#pool.totalBytes) / (this.#filling.size + 1);
    let size = wanted;
    while (size > share && size > CHUNK_BYTES_MIN) size /= 2;
    return size;
  }

  /** Whether most of the memory is in chunks that are not full: then the oldest of them must go. */
  #crowded(): boolean {
    const { takenBytes, totalBytes } = this.#pool;
    return takenBytes > TAKEN_SHARE * totalBytes && this.#fillingBytes > OPEN_SHARE * totalBytes;
  }

  /** Sees to it that memory comes back: waiting alone does not help while all of it is in chunks that are not full. */
  #makeRoom(): void {
    const oldest = this.#filling.values().next().value;
    if (this.#writer.idle) this.submitSince(Infinity);
    else if (oldest !== undefined && this.#fillingBytes > OPEN_SHARE_EXHAUSTED * this.#pool.totalBytes)
      this.submit(oldest);
  }
}
