/**
 * Writes pcapng blocks, little-endian, with nanosecond time stamps; what a block is, `pcapng-block.ts` says.
 *
 * The caller has made room and sees to it that numbers are in range; nothing here checks or throws.
 *
 * Source: draft-ietf-opsawg-pcapng, sections 3.5, 4.1 to 4.3 and 4.6.
 */
import type { Block } from '../wire/block.ts';
import { copyBlock } from '../wire/copy.ts';
import { putU16le, putU32le } from './little-endian.ts';
import { padded } from './pcapng-block.ts';
import * as blocks from './pcapng-block.ts';
import { endBlock, endOptions, optionHeader, optionText, textOptionBytes } from './pcapng-option.ts';
import * as pcapngOptions from './pcapng-option.ts';
import * as remarks from './pcapng-remark.ts';

// for speed: see "Constants" in src/README.md
const {
  BlockType,
  BYTE_ORDER_MAGIC,
  END_OF_OPTIONS,
  IF_TSRESOL,
  MIN_BLOCK_BYTES,
  OPTION_HEADER_BYTES,
  PACKET_DATA,
  TRAILER_BYTES,
  VERSION_MAJOR,
} = blocks;
const { END_OF_OPTIONS_BYTES, OPT_COMMENT } = pcapngOptions;
const { REMARKS_MAX_BYTES } = remarks;

/** Values of the option `epb_flags`, to be added up (draft-ietf-opsawg-pcapng, section 4.3.1). */
export const PacketFlag = {
  none: 0,
  inbound: 1,
  outbound: 2,
  /** Only the pseudo-header sum is in the checksum field: a network card was to finish it. */
  checksumNotReady: 1 << 9,
  checksumValid: 1 << 10,
  /** One segment that a network card was to split. */
  segmentationOffload: 1 << 11,
} as const;

/** What the statistics of one interface say; counts are whole and at most 2 ** 53 - 1. */
export interface InterfaceStatistics {
  /** When capturing began: seconds since the epoch and nanoseconds within the second. */
  readonly startSeconds: number;
  readonly startNanoseconds: number;
  /** When it ended. */
  readonly endSeconds: number;
  readonly endNanoseconds: number;
  /** Packets that came in. */
  readonly received: number;
  /** Packets that came in and were not kept for want of room. */
  readonly dropped: number;
}

const VERSION_MINOR = 0;

const SHB_USERAPPL = 4;
const IF_NAME = 2;
const EPB_FLAGS = 2;
const ISB_STARTTIME = 2;
const ISB_ENDTIME = 3;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;

const APPLICATION = 'mirrortap';
const NANOSECONDS_EXPONENT = 9;
const NANOSECONDS_PER_SECOND = 1_000_000_000;

const OPTION_U32_BYTES = OPTION_HEADER_BYTES + 4;
const OPTION_U64_BYTES = OPTION_HEADER_BYTES + 8;

/** Bytes that `sectionHeaderBlock` writes with this comment. */
export function sectionHeaderBytes(comment = ''): number {
  const application = OPTION_HEADER_BYTES + padded(APPLICATION.length);
  return MIN_BLOCK_BYTES + 16 + textOptionBytes(comment) + application + END_OF_OPTIONS_BYTES;
}

/** Most bytes that one packet block adds to its data: header, padding, flags, comments and trailer. */
export const PACKET_OVERHEAD_BYTES: number =
  PACKET_DATA + 3 + OPTION_U32_BYTES + REMARKS_MAX_BYTES + END_OF_OPTIONS_BYTES + TRAILER_BYTES;

/** Bytes that `statisticsBlock` writes. */
export const STATISTICS_BLOCK_BYTES: number =
  MIN_BLOCK_BYTES + 12 + 4 * OPTION_U64_BYTES + END_OF_OPTIONS_BYTES;

/** Bytes that `interfaceBlock` writes for this name. */
export function interfaceBlockBytes(name: string): number {
  const nameBytes = padded(Buffer.byteLength(name));
  return MIN_BLOCK_BYTES + 8 + OPTION_HEADER_BYTES + nameBytes + OPTION_U32_BYTES + END_OF_OPTIONS_BYTES;
}

/**
 * Begins a section of unknown length and returns the offset just past it. Body: byte-order magic (8-11), version
 * 1.0 (12-15), section length -1 (16-23).
 *
 * @param out     room for `sectionHeaderBytes(comment)` at `at`
 * @param comment what is to be known of the whole section; left out where empty
 */
export function sectionHeaderBlock(out: Buffer, at: number, comment = ''): number {
  putU32le(out, at, BlockType.sectionHeader);
  putU32le(out, at + 8, BYTE_ORDER_MAGIC);
  putU16le(out, at + 12, VERSION_MAJOR);
  putU16le(out, at + 14, VERSION_MINOR);
  putU32le(out, at + 16, 0xffff_ffff);
  putU32le(out, at + 20, 0xffff_ffff);
  const application = comment === '' ? at + 24 : optionText(out, at + 24, OPT_COMMENT, comment);
  const options = optionText(out, application, SHB_USERAPPL, APPLICATION);
  return endBlock(out, at, endOptions(out, options));
}

/**
 * Describes the next interface and returns the offset just past it. Body: link type (8-9), reserved (10-11), snap
 * length 0, which means no limit (12-15).
 *
 * @param out  room for `interfaceBlockBytes(name)` at `at`
 * @param name `if_name`, at most 65,535 bytes as UTF-8
 */
export function interfaceBlock(out: Buffer, at: number, linkType: number, name: string): number {
  putU32le(out, at, BlockType.interfaceDescription);
  putU16le(out, at + 8, linkType);
  putU16le(out, at + 10, 0);
  putU32le(out, at + 12, 0);
  const afterName = optionText(out, at + 16, IF_NAME, name);
  putU16le(out, afterName, IF_TSRESOL);
  putU16le(out, afterName + 2, 1);
  putU32le(out, afterName + 4, NANOSECONDS_EXPONENT);
  return endBlock(out, at, endOptions(out, afterName + OPTION_U32_BYTES));
}

/**
 * Writes one packet, bytes `frameAt .. frameEnd` of `source`, and returns the offset just past it. Body: interface (8-11), time
 * stamp, high half (12-15) and low half (16-19), bytes kept (20-23), bytes the packet had (24-27), data.
 *
 * @param out   room for `PACKET_OVERHEAD_BYTES + frameEnd - frameAt` at `at`
 * @param flags sum of `PacketFlag` values; with 0 the option is left out
 */
export function packetBlock(
  out: Block,
  at: number,
  interfaceId: number,
  seconds: number,
  nanoseconds: number,
  source: Block,
  frameAt: number,
  frameEnd: number,
  wireLen: number,
  flags: number,
): number {
  const kept = frameEnd - frameAt;
  const { view } = out;
  view.setInt32(at, BlockType.enhancedPacket, true);
  view.setInt32(at + 8, interfaceId, true);
  const time = Math.imul(seconds, NANOSECONDS_PER_SECOND) >>> 0;
  const low = time + nanoseconds;
  view.setInt32(at + 12, timeHigh(seconds, time) + (low > 0xffff_ffff ? 1 : 0), true);
  view.setInt32(at + 16, low, true);
  view.setInt32(at + 20, kept, true);
  view.setInt32(at + 24, wireLen, true);
  let next = at + PACKET_DATA + padded(kept);
  // before the data: what the data leaves of its last word is the padding
  if (kept > 0) view.setInt32(next - 4, 0);
  copyBlock(source, frameAt, frameEnd, out, at + PACKET_DATA);
  if (flags !== 0) {
    view.setInt32(next, (4 << 16) | EPB_FLAGS, true);
    view.setInt32(next + 4, flags, true);
    view.setInt32(next + 8, END_OF_OPTIONS, true);
    next += OPTION_U32_BYTES + END_OF_OPTIONS_BYTES;
  }
  const length = next + TRAILER_BYTES - at;
  view.setInt32(at + 4, length, true);
  view.setInt32(next, length, true);
  return next + TRAILER_BYTES;
}

/**
 * Writes what is known of one interface at its end and returns the offset just past it. Body: interface (8-11), time
 * of the statistics (12-19): the end of the capture.
 *
 * @param out room for `STATISTICS_BLOCK_BYTES` at `at`
 */
export function statisticsBlock(
  out: Buffer,
  at: number,
  interfaceId: number,
  stats: InterfaceStatistics,
): number {
  putU32le(out, at, BlockType.interfaceStatistics);
  putU32le(out, at + 8, interfaceId);
  putTime(out, at + 12, stats.endSeconds, stats.endNanoseconds);
  const start = optionHeader(out, at + 20, ISB_STARTTIME, 8);
  putTime(out, start, stats.startSeconds, stats.startNanoseconds);
  const end = optionHeader(out, start + 8, ISB_ENDTIME, 8);
  putTime(out, end, stats.endSeconds, stats.endNanoseconds);
  const received = optionHeader(out, end + 8, ISB_IFRECV, 8);
  putCount(out, received, stats.received);
  const dropped = optionHeader(out, received + 8, ISB_IFDROP, 8);
  putCount(out, dropped, stats.dropped);
  return endBlock(out, at, endOptions(out, dropped + 8));
}

/** Writes seconds * 10 ** 9 + nanoseconds as two 32-bit halves, the high one first, exactly. */
function putTime(out: Buffer, at: number, seconds: number, nanoseconds: number): void {
  const time = Math.imul(seconds, NANOSECONDS_PER_SECOND) >>> 0;
  const low = time + nanoseconds;
  putU32le(out, at, timeHigh(seconds, time) + (low > 0xffff_ffff ? 1 : 0));
  putU32le(out, at + 4, low);
}

/**
 * The high half of seconds * 10 ** 9, given its low half.
 *
 * `Math.imul` gives the low half of the product. The product as a double is off by at most 512, which is nothing
 * beside 2 ** 32: less its low half and divided by 2 ** 32 it rounds to the high half.
 */
function timeHigh(seconds: number, productLow: number): number {
  return Math.round((seconds * NANOSECONDS_PER_SECOND - productLow) / 0x1_0000_0000);
}

/** Writes a count of up to 53 bits as a little-endian 64-bit number. */
function putCount(out: Buffer, at: number, count: number): void {
  putU32le(out, at, count);
  putU32le(out, at + 4, Math.floor(count / 0x1_0000_0000));
}
