import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import type { Compression } from '../format/detect.ts';
import { MirrorError } from '../observe/error.ts';
import type { ByteSource } from './byte-source.ts';

/** Compressed bytes that the engine is given at a time. */
const PIECE_BYTES = 131_072;
/** Decompressed bytes that the engine hands out at a time; at most so many are lost before damage. */
const OUTPUT_BYTES = 65_536;

/**
 * What another source holds, decompressed. Several gzip members or Zstandard frames, one behind the other, are one
 * stream.
 *
 * A piece is handed to the engine only when everything before it has been taken out. So the engine, which forgets
 * what it holds when it meets damage, loses at most what it was just making.
 */
export class InflateSource implements ByteSource {
  readonly #upstream: ByteSource;
  readonly #compression: Compression;
  readonly #path: string;
  readonly #pieceBlock = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #engine: Gunzip | ZstdDecompress;
  /** What the engine was given last; `#engine.bytesWritten - #givenBefore` bytes of it were used. */
  #piece: Buffer;
  #givenBefore = 0;
  #busy = false;
  #upstreamEnded = false;
  #engineEnded = false;
  #error: Error | undefined;
  #output: Buffer = Buffer.alloc(0);
  #outputBytes = 0;
  #wake: (() => void) | undefined;

  /** @param head bytes of the stream that were read from `upstream` already */
  constructor(upstream: ByteSource, head: Buffer, compression: Compression, path: string) {
    this.#upstream = upstream;
    this.#compression = compression;
    this.#path = path;
    this.#engine = this.#makeEngine();
    this.#piece = head;
    this.#give();
  }

  get bytesRead(): number {
    return this.#upstream.bytesRead;
  }
  get totalBytes(): number | undefined {
    return this.#upstream.totalBytes;
  }
  hasGrown(): Promise<boolean> {
    return this.#upstream.hasGrown();
  }

  async read(target: Buffer, at: number, end: number): Promise<number> {
    for (;;) {
      if (this.#output.length === 0) this.#output = (this.#engine.read() as Buffer | null) ?? this.#output;
      if (this.#output.length > 0) {
        const count = this.#output.copy(target, at, 0, end - at);
        this.#output = this.#output.subarray(count);
        this.#outputBytes += count;
        return count;
      }
      if (this.#error !== undefined) throw this.#damaged(this.#error);
      if (this.#engineEnded && !(await this.#nextFrame())) return 0;
      if (!this.#busy) await this.#feed();
      else if (!this.#engineEnded) await this.#activity();
    }
  }

  async close(): Promise<void> {
    this.#engineEnded = true;
    this.#upstreamEnded = true;
    this.#piece = Buffer.alloc(0);
    this.#engine.destroy();
    this.#wake?.();
    await this.#upstream.close();
  }

  #makeEngine(): Gunzip | ZstdDecompress {
    const options = { chunkSize: OUTPUT_BYTES };
    const engine = this.#compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
    engine.on('readable', () => this.#wake?.());
    engine.on('end', () => {
      this.#engineEnded = true;
      this.#wake?.();
    });
    engine.on('error', (error) => {
      this.#error = error;
      this.#wake?.();
    });
    return engine;
  }

  /** Hands the engine the next piece, or tells it that there is none. */
  async #feed(): Promise<void> {
    const count = await this.#upstream.read(this.#pieceBlock, 0, PIECE_BYTES);
    this.#piece = this.#pieceBlock.subarray(0, count);
    if (count > 0) {
      this.#give();
      return;
    }
    this.#upstreamEnded = true;
    this.#busy = true;
    this.#engine.end();
  }

  #give(): void {
    this.#busy = true;
    this.#givenBefore = this.#engine.bytesWritten;
    this.#engine.write(this.#piece, () => {
      this.#busy = false;
      this.#wake?.();
    });
  }

  /**
   * Begins another Zstandard frame where bytes are left: the engine stops at the end of each. It joins gzip members
   * itself, and what it leaves then is padding.
   */
  async #nextFrame(): Promise<boolean> {
    if (this.#compression === 'gzip' || this.#upstreamEnded) return false;
    const rest = this.#piece.subarray(this.#engine.bytesWritten - this.#givenBefore);
    if (rest.length === 0) return false;
    this.#engine = this.#makeEngine();
    this.#engineEnded = false;
    this.#piece = rest;
    this.#give();
    return true;
  }

  #activity(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = (): void => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #damaged(cause: Error): MirrorError {
    const context = {
      path: this.#path,
      offset: this.#outputBytes,
      compression: this.#compression,
      compressedOffset: this.#givenBefore,
    };
    const message = `${this.#path} is damaged or cut: its ${this.#compression} stream cannot be decompressed.`;
    return new MirrorError('CAPTURE_DAMAGED', message, context, { cause });
  }
}
