/**
 * TLS record, RFC 8446 section 5.1. Five bytes, then what it carries:
 *
 *   byte 0    content type
 *   byte 1-2  version: 3.1 to 3.3 whatever is spoken, 3.0 for SSL 3
 *   byte 3-4  bytes that follow, at most 2^14 in the clear
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { u16 } from './bytes.ts';

export const HEADER_LEN = 5;

/** Content type of handshake messages. */
const HANDSHAKE = 22;
/** Most bytes that an unencrypted record carries. */
const CONTENT_LEN_MAX = 0x4000;

const TYPE = 0;
const VERSION = 1;
const LENGTH = 3;

/** Says whether the whole header arrived. */
export function complete(at: number, end: number): boolean {
  return end - at >= HEADER_LEN;
}

/** Says whether the header is that of a handshake in the clear: its type, a version 3.x, and a length that may be. */
export function isHandshake(bytes: Uint8Array, at: number): boolean {
  if (bytes[at + TYPE] !== HANDSHAKE || bytes[at + VERSION] !== 3 || bytes[at + VERSION + 1]! > 4)
    return false;
  const carried = length(bytes, at);
  return carried > 0 && carried <= CONTENT_LEN_MAX;
}

/** Says whether what arrived of a header, at least two bytes, may be the beginning of one for which `isHandshake` says yes. */
export function mayBeHandshake(bytes: Uint8Array, at: number, end: number): boolean {
  if (complete(at, end)) return isHandshake(bytes, at);
  if (end - at < VERSION + 1 || bytes[at + TYPE] !== HANDSHAKE || bytes[at + VERSION] !== 3) return false;
  if (end - at > VERSION + 1 && bytes[at + VERSION + 1]! > 4) return false;
  return end - at <= LENGTH || bytes[at + LENGTH]! <= CONTENT_LEN_MAX >>> 8;
}

/** Bytes that the record carries. */
export function length(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + LENGTH);
}
