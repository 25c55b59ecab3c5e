import { type BlockHead, checksum, HEAD_BYTES, MARK_BYTES, readHead } from './layout.ts';
import { readThrough, type SpoolDisk } from './spool-disk.ts';

/** A block that was read and is whole. */
export interface FoundBlock {
  readonly head: BlockHead;
  readonly data: Buffer;
  /** Where it ends: bytes from the file's begin. */
  readonly end: number;
}

/** The part of a segment that is read, and the sequences that may stand there. */
export interface ScanRange {
  readonly mark: Buffer;
  readonly at: number;
  /** Where the blocks of the segment end. */
  readonly end: number;
  readonly fromSequence: number;
  /** One past the highest. */
  readonly beforeSequence: number;
}

/** Shortest piece that is read: the search behind damaged bytes must get on. */
const LEAST_BYTES = 65_536;

/**
 * Reads the next whole blocks of a segment, at least one if there is any, and leaves out what is damaged between them: it goes on
 * at the next place where the mark stands before a sound head and sound data.
 *
 * @param maxBytes most bytes to read at once, unless one block is longer
 * @param scratch memory to read into where nobody keeps the blocks
 * @returns the blocks, and up to where all was seen
 */
export async function readBlocks(
  disk: SpoolDisk,
  file: number,
  range: ScanRange,
  maxBytes: number,
  scratch?: Buffer,
): Promise<{ blocks: FoundBlock[]; at: number }> {
  let at = range.at;
  let wanted = Math.max(maxBytes, LEAST_BYTES);
  while (at < range.end) {
    const length = Math.min(range.end - at, wanted);
    const chunk =
      scratch !== undefined && length <= scratch.length ? scratch : Buffer.allocUnsafeSlow(length);
    const got = await readThrough(disk, file, chunk, length, at);
    const found = scanChunk(chunk.subarray(0, got), { ...range, at });
    if (found.blocks.length > 0) return { blocks: found.blocks, at: at + found.seen };
    // what is left is no block, or the file is shorter than it was
    if (at + got >= range.end || got < length) break;
    at += found.seen;
    wanted = Math.max(wanted, found.needed);
  }
  return { blocks: [], at: range.end };
}

interface ScannedChunk {
  readonly blocks: FoundBlock[];
  /** Bytes of the chunk that need not be looked at again. */
  readonly seen: number;
  /** Bytes that must be there behind these to go on. */
  readonly needed: number;
}

/** Finds the blocks in a piece of a segment that begins at `range.at`. */
function scanChunk(chunk: Buffer, range: ScanRange): ScannedChunk {
  const { mark, beforeSequence } = range;
  const blocks: FoundBlock[] = [];
  let fromSequence = range.fromSequence;
  let at = 0;
  while (at + HEAD_BYTES <= chunk.length) {
    const head = readHead(chunk, at, mark);
    if (head !== undefined && head.sequence >= fromSequence && head.sequence < beforeSequence) {
      const dataAt = at + HEAD_BYTES;
      const end = dataAt + head.dataBytes;
      if (end > chunk.length && range.at + end <= range.end) return { blocks, seen: at, needed: end - at };
      const data = chunk.subarray(dataAt, end);
      if (end <= chunk.length && checksum(data) === head.dataCrc) {
        blocks.push({ head, data, end: range.at + end });
        fromSequence = head.sequence + 1;
        at = end;
        continue;
      }
    }
    const next = chunk.indexOf(mark, at + 1);
    at = next === -1 ? Math.max(at + 1, chunk.length - MARK_BYTES + 1) : next;
  }
  return { blocks, seen: at, needed: 0 };
}
