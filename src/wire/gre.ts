/**
 * GRE header, RFC 2784 section 2, with key and sequence number of RFC 2890. Four bytes, then those that byte 0 announces,
 * in this order:
 *
 *   byte 0    C checksum (bit 7), R routing (6, RFC 1701), K key (5), S sequence number (4), s strict source route (3,
 *             RFC 1701), recursion (2-0, RFC 1701)
 *   byte 1    reserved (bits 7-3), version (2-0): 0; 1 is PPTP's (RFC 2637)
 *   byte 2-3  protocol type of the payload, an `EtherType`
 *   C         checksum (2 bytes), reserved (2)
 *   K         key (4 bytes); NVGRE (RFC 7637) keeps its subnet in the upper three
 *   S         sequence number (4 bytes)
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, putU32, u16, u32 } from './bytes.ts';

/** Bytes of a header without checksum, key and sequence number. */
const FIXED_LEN = 4;

const VERSION = 1;
const PROTOCOL_TYPE = 2;
const FIELD_LEN = 4;
const FLAG_C = 0x80;
const FLAG_K = 0x20;
const FLAG_S = 0x10;
/** R, s and the upper bit of the recursion: who does not know RFC 1701 must discard such a packet (RFC 2784 section 2.3). */
const REFUSED = 0x4c;
const VERSION_MASK = 0x07;

/** Says whether this is version 0 without RFC 1701's routing, and all of the header arrived. */
export function complete(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < FIXED_LEN) return false;
  if ((bytes[at]! & REFUSED) !== 0 || (bytes[at + VERSION]! & VERSION_MASK) !== 0) return false;
  return end - at >= headerLen(bytes, at);
}

/** Bytes of the header with what its first byte announces: 4..16. */
export function headerLen(bytes: Uint8Array, at: number): number {
  const flags = bytes[at]!;
  let len = FIXED_LEN;
  if ((flags & FLAG_C) !== 0) len += FIELD_LEN;
  if ((flags & FLAG_K) !== 0) len += FIELD_LEN;
  if ((flags & FLAG_S) !== 0) len += FIELD_LEN;
  return len;
}

/** What the payload is, an `EtherType`. */
export function protocolType(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + PROTOCOL_TYPE);
}

/** Says whether there is a key. */
export function hasKey(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & FLAG_K) !== 0;
}

/** The key, 32 bits; means something where `hasKey` says so only. */
export function key(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + FIXED_LEN + ((bytes[at]! & FLAG_C) !== 0 ? FIELD_LEN : 0));
}

/** Writes a header with a key at `at` and returns the offset just past it. */
export function emit(bytes: Uint8Array, at: number, protocolTypeValue: number, keyValue: number): number {
  bytes[at] = FLAG_K;
  bytes[at + VERSION] = 0;
  putU16(bytes, at + PROTOCOL_TYPE, protocolTypeValue);
  putU32(bytes, at + FIXED_LEN, keyValue);
  return at + FIXED_LEN + FIELD_LEN;
}
