import { join } from 'node:path';
import { HEADER_BYTES, MARK_BYTES, type Totals } from './layout.ts';

/** How many blocks, records and bytes of data. */
export type Amount = Omit<Totals, 'newestMs'>;

export const NOTHING: Amount = { blocks: 0, records: 0, dataBytes: 0 };

const NAME = /^(\d{16})\.spool$/;

/** Name of the segment whose first block has this sequence; names sort as sequences do. */
function segmentName(firstSequence: number): string {
  return `${String(firstSequence).padStart(16, '0')}.spool`;
}

/** Sequence of a segment's first block by its name; undefined for any other file. */
export function sequenceOf(name: string): number | undefined {
  const sequence = Number(NAME.exec(name)?.[1]);
  return Number.isSafeInteger(sequence) ? sequence : undefined;
}

/** A segment as it is known without reading it. */
export interface Segment {
  readonly path: string;
  readonly firstSequence: number;
  readonly mark: Buffer;
  /** Where the first block stands that was not acknowledged when the spool was opened: bytes from the file's begin. */
  readonly begin: number;
  /** Where the blocks end; a trailer may follow, or what is left of an append that failed. */
  end: number;
  /** What it takes of the disk. */
  fileBytes: number;
  /** One past the sequence of its last block. */
  nextSequence: number;
  /** Of the blocks from `begin` on, less those that turned out to be damaged. */
  amount: Amount;
  /** When its newest block was appended: milliseconds since the epoch. */
  newestMs: number;
}

export function newSegment(directory: string, firstSequence: number, mark: Buffer): Segment {
  if (mark.length !== MARK_BYTES) throw new RangeError('A mark has eight bytes.');
  return {
    path: join(directory, segmentName(firstSequence)),
    firstSequence,
    mark,
    begin: HEADER_BYTES,
    end: 0,
    fileBytes: 0,
    nextSequence: firstSequence,
    amount: NOTHING,
    newestMs: 0,
  };
}

/** A place between two blocks. */
export interface Place {
  /** Undefined: before the first segment that there is, or will be. */
  readonly segment: Segment | undefined;
  /** Bytes from the file's begin. */
  readonly at: number;
  /** Of the block behind it. */
  readonly sequence: number;
  /** What lies between the segment's `begin` and here. */
  readonly amount: Amount;
}

/** The place before the first block of a segment that is not acknowledged. */
export function beginOf(segment: Segment, sequence: number): Place {
  return { segment, at: segment.begin, sequence: Math.max(sequence, segment.firstSequence), amount: NOTHING };
}

/** The place behind the last block of a segment. */
export function endOf(segment: Segment): Place {
  return { segment, at: segment.end, sequence: segment.nextSequence, amount: segment.amount };
}

export function plus(a: Amount, b: Amount): Amount {
  return {
    blocks: a.blocks + b.blocks,
    records: a.records + b.records,
    dataBytes: a.dataBytes + b.dataBytes,
  };
}

export function minus(a: Amount, b: Amount): Amount {
  return {
    blocks: a.blocks - b.blocks,
    records: a.records - b.records,
    dataBytes: a.dataBytes - b.dataBytes,
  };
}
