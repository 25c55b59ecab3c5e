import type { ChunkedFile } from '../../inputs/capture-chunk.ts';
import type { ErrorMessage } from '../worker-messages.ts';
import type { PortionWork } from './portion.ts';

/** What the threads of a decap are started with. */
export interface DecapWorkerStart {
  readonly work: PortionWork;
  /** See `Turns`. */
  readonly turns: SharedArrayBuffer;
  /** What one chunk leaves for the next: `CHUNK_STATE_LENGTH` floats. */
  readonly chunkState: SharedArrayBuffer;
  readonly chunkBytes: number;
}

/** A file as it is handed to threads. Units are pieces of the input in order, counted from 0 on over all files. */
export type Task =
  /** A file in chunks, which threads take one after the other: the same task goes to each of them. */
  | {
      readonly kind: 'chunks';
      readonly file: ChunkedFile;
      /** Unit of the first chunk; the others follow. */
      readonly firstUnit: number;
      /** Counts the chunks that were taken: one 32-bit number. */
      readonly taken: SharedArrayBuffer;
    }
  /** A file that must be read from its beginning: compressed, or a pipe, or none that can be read at all. */
  | { readonly kind: 'whole'; readonly path: string; readonly unit: number };

export interface TaskResult {
  /** Packets handed over to be written, and those that were. */
  delivered: number;
  written: number;
  /** A link type that is not read, of packets in the file. */
  unreadLinkType?: number;
  /** What stopped the file. */
  error?: ErrorMessage;
  /** What stopped everything. */
  failure?: ErrorMessage;
}
