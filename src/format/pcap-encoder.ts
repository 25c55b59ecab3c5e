/**
 * Writes pcap files with nanosecond time stamps, little-endian.
 *
 * Source: draft-ietf-opsawg-pcap, sections 4 (file header) and 5 (packet record).
 */
import type { Block } from '../wire/block.ts';
import { copyBlock } from '../wire/copy.ts';
import { putU16le, putU32le } from './little-endian.ts';
import { MAX_PACKET_BYTES } from './limits.ts';

/** Bytes of the file header. */
export const FILE_HEADER_BYTES = 24;
/** Bytes that stand before the data of each packet. */
export const RECORD_HEADER_BYTES = 16;

const MAGIC_NANOSECONDS = 0xa1b2_3c4d;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;

/**
 * Writes the file header at `at` and returns the offset just past it.
 *
 *   byte 0-3    magic 0xa1b23c4d: the fraction of a second counts nanoseconds
 *   byte 4-7    version 2.4
 *   byte 8-15   reserved, 0
 *   byte 16-19  most bytes that are kept of a packet
 *   byte 20-23  link type
 *
 * @param out room for `FILE_HEADER_BYTES` at `at`
 */
export function fileHeader(out: Buffer, at: number, linkType: number): number {
  putU32le(out, at, MAGIC_NANOSECONDS);
  putU16le(out, at + 4, VERSION_MAJOR);
  putU16le(out, at + 6, VERSION_MINOR);
  putU32le(out, at + 8, 0);
  putU32le(out, at + 12, 0);
  putU32le(out, at + 16, MAX_PACKET_BYTES);
  putU32le(out, at + 20, linkType);
  return at + FILE_HEADER_BYTES;
}

/**
 * Writes one packet at `at` and returns the offset just past it.
 *
 *   byte 0-3    seconds since the epoch
 *   byte 4-7    nanoseconds within the second
 *   byte 8-11   bytes kept, `frameEnd - frameAt`
 *   byte 12-15  bytes the packet had, `wireLen`
 *   byte 16-    bytes `frameAt .. frameEnd` of `source`
 *
 * @param out room for `RECORD_HEADER_BYTES + frameEnd - frameAt` at `at`
 */
export function packetRecord(
  out: Block,
  at: number,
  seconds: number,
  nanoseconds: number,
  source: Block,
  frameAt: number,
  frameEnd: number,
  wireLen: number,
): number {
  const { view } = out;
  view.setInt32(at, seconds, true);
  view.setInt32(at + 4, nanoseconds, true);
  view.setInt32(at + 8, frameEnd - frameAt, true);
  view.setInt32(at + 12, wireLen, true);
  return copyBlock(source, frameAt, frameEnd, out, at + RECORD_HEADER_BYTES);
}
