/**
 * IPv4 header, RFC 791 section 3.1. Twenty bytes and up to forty of options:
 *
 *   byte 0      version (4 bits, 4), header length in 4-byte words (4 bits, 5..15)
 *   byte 1      type of service; today DSCP and ECN (RFC 2474, RFC 3168)
 *   byte 2-3    total length: header and data, in bytes
 *   byte 4-5    identification
 *   byte 6-7    flags: reserved, don't fragment, more fragments (3 bits); offset in 8-byte units (13 bits)
 *   byte 8      time to live
 *   byte 9      protocol, an `IpProtocol`
 *   byte 10-11  checksum of the header
 *   byte 12-15  source address
 *   byte 16-19  destination address
 *   byte 20-    options
 *
 * Readers do not check bounds: ask `complete` once, then read. Fields of a header of which only the first
 * 20 bytes arrived may be read as well, by a caller that has checked these.
 */
import { putU16, u16 } from './bytes.ts';

/** Bytes of a header without options. */
export const HEADER_LEN = 20;
/** Bytes of an address. */
export const ADDRESS_LEN = 4;
/** Largest total length. */
export const TOTAL_LEN_MAX = 0xffff;

/** Offset of the source address. */
export const SOURCE = 12;
/** Offset of the destination address. */
export const DESTINATION = 16;

/** Bit of `emit`'s `flagsAndOffset`: routers must not fragment the packet. */
export const DONT_FRAGMENT = 0x4000;
/** Bit of `emit`'s `flagsAndOffset`: this is not the last fragment. */
export const MORE_FRAGMENTS = 0x2000;

/** Offset of the total length field. */
export const TOTAL_LENGTH = 2;

const TYPE_OF_SERVICE = 1;
const IDENTIFICATION = 4;
const FLAGS_AND_OFFSET = 6;
const TTL = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
const OFFSET_MASK = 0x1fff;

/** Says whether this is version 4, has at least five header words, and all of the header arrived. */
export function complete(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < HEADER_LEN || version(bytes, at) !== 4) return false;
  const len = headerLen(bytes, at);
  return len >= HEADER_LEN && end - at >= len;
}

/** IP version of the header at `at`, 0..15; reads one byte, for IPv6 headers too. */
export function version(bytes: Uint8Array, at: number): number {
  return bytes[at]! >>> 4;
}

/** Bytes of the header with its options: 20..60; less only where `complete` says no. */
export function headerLen(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 0x0f) * 4;
}

/** DSCP and ECN in one byte. */
export function typeOfService(bytes: Uint8Array, at: number): number {
  return bytes[at + TYPE_OF_SERVICE]!;
}

/** Bytes of header and data as the sender says; 0 in packets that segmentation offload is yet to finish. */
export function totalLength(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + TOTAL_LENGTH);
}

/** Number that the fragments of one packet share. */
export function identification(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + IDENTIFICATION);
}

/** Says whether routers must not fragment the packet. */
export function dontFragment(bytes: Uint8Array, at: number): boolean {
  return (u16(bytes, at + FLAGS_AND_OFFSET) & DONT_FRAGMENT) !== 0;
}

/** Says whether fragments follow this one. */
export function moreFragments(bytes: Uint8Array, at: number): boolean {
  return (u16(bytes, at + FLAGS_AND_OFFSET) & MORE_FRAGMENTS) !== 0;
}

/** Where this fragment's data belongs in the packet's data, in bytes; 0 for the first and for whole packets. */
export function fragmentOffset(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at + FLAGS_AND_OFFSET) & OFFSET_MASK) * 8;
}

/** Says whether the packet is a fragment, the first included. */
export function isFragment(bytes: Uint8Array, at: number): boolean {
  return (u16(bytes, at + FLAGS_AND_OFFSET) & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0;
}

/** Hops that the packet may still take. */
export function ttl(bytes: Uint8Array, at: number): number {
  return bytes[at + TTL]!;
}

/** What follows the header, an `IpProtocol`. */
export function protocol(bytes: Uint8Array, at: number): number {
  return bytes[at + PROTOCOL]!;
}

/** The checksum field as it stands. */
export function headerChecksum(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + CHECKSUM);
}

/**
 * Writes a header without options and with its checksum at `at`, and returns the offset just past it.
 *
 * @param totalLengthValue bytes of header and data, HEADER_LEN..TOTAL_LEN_MAX
 * @param flagsAndOffset   DONT_FRAGMENT, MORE_FRAGMENTS and the fragment's offset in units of 8 bytes
 * @param source           four bytes
 * @param destination      four bytes
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  totalLengthValue: number,
  identificationValue: number,
  flagsAndOffset: number,
  ttlValue: number,
  protocolValue: number,
  source: Uint8Array,
  destination: Uint8Array,
  typeOfServiceValue = 0,
): number {
  bytes[at] = 0x45;
  bytes[at + TYPE_OF_SERVICE] = typeOfServiceValue;
  putU16(bytes, at + TOTAL_LENGTH, totalLengthValue);
  putU16(bytes, at + IDENTIFICATION, identificationValue);
  putU16(bytes, at + FLAGS_AND_OFFSET, flagsAndOffset);
  bytes[at + TTL] = ttlValue;
  bytes[at + PROTOCOL] = protocolValue;
  putU16(bytes, at + CHECKSUM, 0);
  for (let i = 0; i < ADDRESS_LEN; i++) {
    bytes[at + SOURCE + i] = source[i]!;
    bytes[at + DESTINATION + i] = destination[i]!;
  }
  putU16(bytes, at + CHECKSUM, sumHeader(bytes, at));
  return at + HEADER_LEN;
}

/** Checksum of the 20 bytes at `at`, whose checksum field is zero. */
function sumHeader(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let i = at; i < at + HEADER_LEN; i += 2) sum += u16(bytes, i);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~(sum + (sum >>> 16)) & 0xffff;
}
