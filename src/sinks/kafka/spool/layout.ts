import { crc32 } from 'node:zlib';

/**
 * A segment: a file of blocks that were appended one after the other.
 *
 *     header 40, then blocks of head 48 and data each, and once nothing more is appended a trailer 64
 *
 * All numbers are little-endian. Every segment has a random *mark* of eight bytes that each of its heads begins with: by it a
 * block is found again behind damaged bytes, and bytes that came over the network cannot pretend to be one.
 *
 * Header:
 *
 *      0  8    magic
 *      8  u32  CRC-32 of bytes 12 to 39
 *     12  u32  version
 *     16  8    mark
 *     24  u64  sequence of the first block; the file is named after it
 *     32  u64  reserved, 0
 */
export const HEADER_BYTES = 40;
export const VERSION = 1;
const MAGIC = Buffer.from('MTspool\n', 'latin1');

/**
 * Head of a block:
 *
 *      0  8    mark of the segment
 *      8  u32  CRC-32 of bytes 12 to 47
 *     12  u32  bytes of data behind the head
 *     16  u64  sequence: 1 more than that of the block before
 *     24  u64  when it was appended: milliseconds since the epoch
 *     32  u32  records in it
 *     36  u32  CRC-32 of the data
 *     40  u64  reserved, 0
 */
export const HEAD_BYTES = 48;

/**
 * Trailer: what all blocks of the segment come to, so that it need not be read when the spool is opened.
 *
 *      0  8    magic
 *      8  u32  CRC-32 of bytes 12 to 63
 *     12  u32  blocks
 *     16  8    mark of the segment
 *     24  u64  records
 *     32  u64  bytes of data
 *     40  u64  when the newest block was appended: milliseconds since the epoch
 *     48  u64  where the blocks end, and this begins: bytes from the file's begin
 *     56  u64  one past the sequence of the last block
 */
export const TRAILER_BYTES = 64;
const TRAILER_MAGIC = Buffer.from('MTspend\n', 'latin1');

const CRC = 8;
const COVERED = 12;
export const MARK_BYTES = 8;

export interface BlockHead {
  readonly dataBytes: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly records: number;
  readonly dataCrc: number;
}

/** What blocks come to. */
export interface Totals {
  readonly blocks: number;
  readonly records: number;
  readonly dataBytes: number;
  readonly newestMs: number;
}

export function makeHeader(mark: Uint8Array, firstSequence: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(VERSION, 12);
  bytes.set(mark, 16);
  putU64(bytes, 24, firstSequence);
  seal(bytes, 0, HEADER_BYTES);
  return bytes;
}

/** Version and mark of a segment; undefined where its header is damaged. */
export function readHeader(bytes: Buffer): { version: number; mark: Buffer } | undefined {
  if (bytes.length < HEADER_BYTES || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) return undefined;
  if (!isSealed(bytes, 0, HEADER_BYTES)) return undefined;
  return { version: bytes.readUInt32LE(12), mark: Buffer.from(bytes.subarray(16, 16 + MARK_BYTES)) };
}

/** Writes a block's head at `at` and returns the offset behind it. */
export function writeHead(target: Buffer, at: number, mark: Uint8Array, head: BlockHead): number {
  target.set(mark, at);
  target.writeUInt32LE(head.dataBytes, at + 12);
  putU64(target, at + 16, head.sequence);
  putU64(target, at + 24, head.timeMs);
  target.writeUInt32LE(head.records, at + 32);
  target.writeUInt32LE(head.dataCrc, at + 36);
  putU64(target, at + 40, 0);
  seal(target, at, HEAD_BYTES);
  return at + HEAD_BYTES;
}

/** The head at `at`, of which all bytes are there; undefined where it is damaged or of another segment. */
export function readHead(bytes: Buffer, at: number, mark: Buffer): BlockHead | undefined {
  if (bytes.compare(mark, 0, MARK_BYTES, at, at + MARK_BYTES) !== 0) return undefined;
  if (!isSealed(bytes, at, HEAD_BYTES)) return undefined;
  return {
    dataBytes: bytes.readUInt32LE(at + 12),
    sequence: getU64(bytes, at + 16),
    timeMs: getU64(bytes, at + 24),
    records: bytes.readUInt32LE(at + 32),
    dataCrc: bytes.readUInt32LE(at + 36),
  };
}

/** What is known of a segment that is finished. */
export interface Trailer extends Totals {
  readonly mark: Buffer;
  /** Where the blocks end, and the trailer begins. */
  readonly end: number;
  /** One past the sequence of the last block. */
  readonly nextSequence: number;
}

export function makeTrailer(trailer: Trailer): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES);
  TRAILER_MAGIC.copy(bytes);
  bytes.writeUInt32LE(trailer.blocks, 12);
  bytes.set(trailer.mark, 16);
  putU64(bytes, 24, trailer.records);
  putU64(bytes, 32, trailer.dataBytes);
  putU64(bytes, 40, trailer.newestMs);
  putU64(bytes, 48, trailer.end);
  putU64(bytes, 56, trailer.nextSequence);
  seal(bytes, 0, TRAILER_BYTES);
  return bytes;
}

/** What a trailer says; undefined where it is none, or is damaged. */
export function readTrailer(bytes: Buffer): Trailer | undefined {
  if (bytes.length !== TRAILER_BYTES || !TRAILER_MAGIC.equals(bytes.subarray(0, MAGIC.length)))
    return undefined;
  if (!isSealed(bytes, 0, TRAILER_BYTES)) return undefined;
  return {
    mark: Buffer.from(bytes.subarray(16, 16 + MARK_BYTES)),
    blocks: bytes.readUInt32LE(12),
    records: getU64(bytes, 24),
    dataBytes: getU64(bytes, 32),
    newestMs: getU64(bytes, 40),
    end: getU64(bytes, 48),
    nextSequence: getU64(bytes, 56),
  };
}

/**
 * One of the two slots of the position:
 *
 *      0  8    magic
 *      8  u32  CRC-32 of bytes 12 to 31
 *     12  u32  reserved, 0
 *     16  u64  how often it was noted: the higher of the two is the newer one
 *     24  u64  sequence of the first block that is not acknowledged
 */
export const SLOT_BYTES = 32;
const SLOT_MAGIC = Buffer.from('MTspack\n', 'latin1');

export interface Slot {
  readonly generation: number;
  readonly sequence: number;
}

export function writeSlot(bytes: Buffer, slot: Slot): void {
  SLOT_MAGIC.copy(bytes);
  bytes.writeUInt32LE(0, 12);
  putU64(bytes, 16, slot.generation);
  putU64(bytes, 24, slot.sequence);
  seal(bytes, 0, SLOT_BYTES);
}

/** What a slot says; undefined where it was never written, or not to its end. */
export function readSlot(bytes: Buffer): Slot | undefined {
  if (bytes.length !== SLOT_BYTES || !SLOT_MAGIC.equals(bytes.subarray(0, MAGIC.length))) return undefined;
  if (!isSealed(bytes, 0, SLOT_BYTES)) return undefined;
  return { generation: getU64(bytes, 16), sequence: getU64(bytes, 24) };
}

/** CRC-32 of `bytes`, as gzip has it. */
export const checksum = (bytes: Uint8Array): number => crc32(bytes);

function seal(bytes: Buffer, at: number, length: number): void {
  bytes.writeUInt32LE(crc32(bytes.subarray(at + COVERED, at + length)), at + CRC);
}

function isSealed(bytes: Buffer, at: number, length: number): boolean {
  return bytes.readUInt32LE(at + CRC) === crc32(bytes.subarray(at + COVERED, at + length));
}

/** Whole numbers up to 2^53, which is what numbers are here. */
function putU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value % 2 ** 32, at);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function getU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}
