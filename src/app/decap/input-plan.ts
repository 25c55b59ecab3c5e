import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DETECT_BYTES, detectFormat } from '../../format/detect.ts';
import type { CaptureChunk } from '../../inputs/capture-chunk.ts';

/** Where a file can be cut into chunks. */
export interface ChunkedFile {
  readonly descriptor: number;
  /** At least one; not one byte in common. */
  readonly chunks: readonly CaptureChunk[];
}

/**
 * Opens a capture that can be read in chunks: a file that is neither compressed nor anything else than pcap or pcapng.
 *
 * @returns undefined for all others; the descriptor is the caller's to close
 */
export function openChunked(path: string, chunkBytes: number): ChunkedFile | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const stats = fstatSync(descriptor);
    const head = Buffer.alloc(DETECT_BYTES);
    const format =
      stats.isFile() && readSync(descriptor, head, 0, DETECT_BYTES, 0) === DETECT_BYTES
        ? detectFormat(head, 0, DETECT_BYTES)
        : undefined;
    if (format !== undefined) {
      const totalBytes = stats.size;
      const chunks: CaptureChunk[] = [];
      for (let from = 0; from < totalBytes; from += chunkBytes) {
        const to = Math.min(from + chunkBytes, totalBytes);
        chunks.push({ path, descriptor, format, from, to, totalBytes });
      }
      return { descriptor, chunks };
    }
  } catch {
    // whoever reads it as a whole says what is wrong with it
  }
  if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}
