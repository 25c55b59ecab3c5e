import type { CaptureChunk } from '../../inputs/capture-chunk.ts';
import type { ErrorMessage } from '../worker-messages.ts';
import type { PortionWork } from './portion.ts';

/** What the threads of a decap are started with. */
export interface UnitWorkerStart {
  readonly work: PortionWork;
  /** See `Turns`. */
  readonly turns: SharedArrayBuffer;
  /** What one chunk leaves for the next: `CHUNK_STATE_LENGTH` floats. */
  readonly chunkState: SharedArrayBuffer;
  readonly chunkBytes: number;
}

/** A piece of the input, in order: `unit` counts from 0 on over all files. */
export type Unit =
  | { readonly kind: 'chunk'; readonly unit: number; readonly chunk: CaptureChunk }
  /** A file that must be read from its beginning: compressed, or a pipe, or none that can be read at all. */
  | { readonly kind: 'file'; readonly unit: number; readonly path: string };

export interface UnitResult {
  /** Packets handed over to be written, and those that were. */
  delivered: number;
  written: number;
  /** What stopped the file here. */
  error?: ErrorMessage;
  /** What stopped everything. */
  failure?: ErrorMessage;
}
