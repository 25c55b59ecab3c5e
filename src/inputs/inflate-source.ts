import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import type { Compression } from '../format/detect.ts';
import { MirrorError } from '../observe/error.ts';
import type { ByteSource } from './byte-source.ts';

/** Compressed bytes that the engine is given at a time. */
const PIECE_BYTES = 65_536;
/** Decompressed bytes that the engine hands out at a time. */
const OUTPUT_BYTES = 65_536;
/** Into how many parts a piece with damage is cut when it is fed again: 65,536 bytes, then 256, then 1. */
const PARTS = 256;
const NOTHING = Buffer.alloc(0);

/**
 * What another source holds, decompressed. Several gzip members or Zstandard frames, one behind the other, are one
 * stream.
 *
 * An engine that meets damage throws away what it was just making, up to `OUTPUT_BYTES`, and what was made before but
 * not taken. So it is given a piece only when everything before was taken out; and where the source can be
 * rewound, the stream is decompressed once more up to the piece with the damage, and that is fed in small parts, in the
 * end byte by byte: then all that lies before the damage comes out. Standard input cannot be rewound.
 */
export class InflateSource implements ByteSource {
  readonly #upstream: ByteSource;
  readonly #compression: Compression;
  readonly #path: string;
  readonly #pieceBlock = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #engine: Gunzip | ZstdDecompress;
  /** What the engine was given last, and its `bytesWritten` before that. */
  #piece: Buffer = NOTHING;
  #givenBefore = 0;
  #busy = false;
  #engineEnded = false;
  #error: Error | undefined;
  #output: Buffer = NOTHING;
  /** Decompressed bytes handed out. */
  #outputBytes = 0;
  /** Compressed bytes taken from the source, after the last rewinding. */
  #inputBytes: number;
  /** Where feeding in smaller parts begins, in compressed bytes, and how large they are. */
  #carefulFrom = Number.POSITIVE_INFINITY;
  #carefulBytes = PIECE_BYTES;
  /** Decompressed bytes to be dropped: they were handed out before the rewinding. */
  #repeatedBytes = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  /** @param head bytes of the stream that were read from `upstream` already: at most `PIECE_BYTES` */
  constructor(upstream: ByteSource, head: Buffer, compression: Compression, path: string) {
    this.#upstream = upstream;
    this.#compression = compression;
    this.#path = path;
    this.#inputBytes = head.length;
    this.#engine = this.#makeEngine();
    this.#give(head);
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
  rewind(): boolean {
    return false;
  }

  async read(target: Buffer, at: number, end: number): Promise<number> {
    while (!this.#closed) {
      if (this.#output.length === 0) this.#takeOutput();
      if (this.#output.length > 0) {
        const count = this.#output.copy(target, at, 0, end - at);
        this.#output = this.#output.subarray(count);
        this.#outputBytes += count;
        return count;
      }
      if (this.#error !== undefined) this.#recover(this.#error);
      else if (this.#engineEnded) {
        if (!this.#nextFrame()) return 0;
      } else if (this.#busy || this.#unused().length > 0) await this.#activity();
      else await this.#feed();
    }
    return 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
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

  #takeOutput(): void {
    const output: unknown = this.#engine.read();
    if (!Buffer.isBuffer(output)) return;
    const repeated = Math.min(this.#repeatedBytes, output.length);
    this.#repeatedBytes -= repeated;
    this.#output = output.subarray(repeated);
  }

  /** Hands the engine the next piece, or tells it that there is none. */
  async #feed(): Promise<void> {
    const careful = this.#inputBytes >= this.#carefulFrom;
    const wanted = careful ? this.#carefulBytes : Math.min(PIECE_BYTES, this.#carefulFrom - this.#inputBytes);
    const count = await this.#upstream.read(this.#pieceBlock, 0, wanted);
    this.#inputBytes += count;
    if (count > 0) {
      this.#give(this.#pieceBlock.subarray(0, count));
      return;
    }
    this.#piece = NOTHING;
    this.#busy = true;
    this.#engine.end();
  }

  #give(piece: Buffer): void {
    this.#piece = piece;
    this.#busy = true;
    this.#givenBefore = this.#engine.bytesWritten;
    this.#engine.write(piece, () => {
      this.#busy = false;
      this.#wake?.();
    });
  }

  /**
   * Begins another Zstandard frame where bytes are left: the engine stops at the end of each. It joins gzip members
   * itself, and what it leaves then is padding.
   */
  #nextFrame(): boolean {
    const rest = this.#unused();
    if (this.#compression === 'gzip' || rest.length === 0) return false;
    this.#engine = this.#makeEngine();
    this.#engineEnded = false;
    this.#give(rest);
    return true;
  }

  /** What the engine has left of its piece: nothing, unless its stream has come to an end there. */
  #unused(): Buffer {
    return this.#piece.subarray(this.#engine.bytesWritten - this.#givenBefore);
  }

  /** Starts again, more careful this time, or throws: when nothing was lost, or nothing can be done. */
  #recover(error: Error): void {
    const nothingLost = this.#piece.length <= 1;
    if (nothingLost || !this.#upstream.rewind()) throw this.#damaged(error);
    this.#carefulFrom = this.#inputBytes - this.#piece.length;
    this.#carefulBytes = Math.ceil(this.#piece.length / PARTS);
    this.#inputBytes = 0;
    this.#repeatedBytes = this.#outputBytes;
    this.#piece = NOTHING;
    this.#givenBefore = 0;
    this.#busy = false;
    this.#engineEnded = false;
    this.#error = undefined;
    this.#engine = this.#makeEngine();
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
      compressedOffset: this.#inputBytes,
    };
    const message = `${this.#path} is damaged or cut: its ${this.#compression} stream cannot be decompressed.`;
    return new MirrorError('CAPTURE_DAMAGED', message, context, { cause });
  }
}
