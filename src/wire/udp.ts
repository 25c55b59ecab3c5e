/**
 * UDP header, RFC 768. Eight bytes:
 *
 *   byte 0-1  source port
 *   byte 2-3  destination port
 *   byte 4-5  length: header and data, in bytes
 *   byte 6-7  checksum over pseudo-header, header and data; 0 means that the sender computed none
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, u16 } from './bytes.ts';

export const HEADER_LEN = 8;

const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
/** Offset of the length field. */
export const LENGTH = 4;
/** Offset of the checksum field. */
export const CHECKSUM = 6;

/** Says whether the whole header arrived; `end` is one past the last byte. */
export function complete(at: number, end: number): boolean {
  return end - at >= HEADER_LEN;
}

/** Source port, 0..65535. */
export function sourcePort(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + SOURCE_PORT);
}

/** Destination port, 0..65535. */
export function destinationPort(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + DESTINATION_PORT);
}

/** Bytes of header and data as the sender says; a value below HEADER_LEN is wrong. */
export function length(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + LENGTH);
}

/** The checksum field as it stands; 0 means none. */
export function checksum(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + CHECKSUM);
}

/**
 * Writes a header at `at` and returns the offset just past it.
 *
 * @param lengthValue   bytes of header and data
 * @param checksumValue 0 for none; a computed checksum that is 0 goes out as 0xffff (see `checksum.ts`)
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  sourcePortValue: number,
  destinationPortValue: number,
  lengthValue: number,
  checksumValue: number,
): number {
  putU16(bytes, at + SOURCE_PORT, sourcePortValue);
  putU16(bytes, at + DESTINATION_PORT, destinationPortValue);
  putU16(bytes, at + LENGTH, lengthValue);
  putU16(bytes, at + CHECKSUM, checksumValue);
  return at + HEADER_LEN;
}
