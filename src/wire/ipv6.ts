/**
 * IPv6 header, RFC 8200 section 3. Forty bytes; extension headers are in `ipv6-extension.ts`:
 *
 *   byte 0-3    version (4 bits, 6), traffic class (8), flow label (20)
 *   byte 4-5    payload length: everything behind these forty bytes, extension headers included
 *   byte 6      next header, an `IpProtocol`
 *   byte 7      hop limit
 *   byte 8-23   source address
 *   byte 24-39  destination address
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, putU32, u16, u24 } from './bytes.ts';

export const HEADER_LEN = 40;
/** Bytes of an address. */
export const ADDRESS_LEN = 16;
/** Largest payload length; longer ones (jumbograms, RFC 2675) are not supported. */
export const PAYLOAD_LEN_MAX = 0xffff;

/** Offset of the source address. */
export const SOURCE = 8;
/** Offset of the destination address. */
export const DESTINATION = 24;

/** Offset of the payload length field. */
export const PAYLOAD_LENGTH = 4;

const NEXT_HEADER = 6;
const HOP_LIMIT = 7;

/** Says whether this is version 6 and all forty bytes arrived. */
export function complete(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= HEADER_LEN && bytes[at]! >>> 4 === 6;
}

/** DSCP and ECN in one byte. */
export function trafficClass(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) >>> 4) & 0xff;
}

/** Flow label, 20 bits. */
export function flowLabel(bytes: Uint8Array, at: number): number {
  return u24(bytes, at + 1) & 0x0f_ffff;
}

/** Bytes behind the header, extension headers included; 0 in jumbograms and unfinished offloaded packets. */
export function payloadLength(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + PAYLOAD_LENGTH);
}

/** What follows the header, an `IpProtocol`: an extension header or the transport. */
export function nextHeader(bytes: Uint8Array, at: number): number {
  return bytes[at + NEXT_HEADER]!;
}

/** Hops that the packet may still take. */
export function hopLimit(bytes: Uint8Array, at: number): number {
  return bytes[at + HOP_LIMIT]!;
}

/**
 * Writes a header at `at` and returns the offset just past it.
 *
 * @param payloadLengthValue bytes behind the header, 0..PAYLOAD_LEN_MAX
 * @param source             sixteen bytes
 * @param destination        sixteen bytes
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  payloadLengthValue: number,
  nextHeaderValue: number,
  hopLimitValue: number,
  source: Uint8Array,
  destination: Uint8Array,
  trafficClassValue = 0,
  flowLabelValue = 0,
): number {
  putU32(bytes, at, (6 << 28) | (trafficClassValue << 20) | flowLabelValue);
  putU16(bytes, at + PAYLOAD_LENGTH, payloadLengthValue);
  bytes[at + NEXT_HEADER] = nextHeaderValue;
  bytes[at + HOP_LIMIT] = hopLimitValue;
  for (let i = 0; i < ADDRESS_LEN; i++) {
    bytes[at + SOURCE + i] = source[i]!;
    bytes[at + DESTINATION + i] = destination[i]!;
  }
  return at + HEADER_LEN;
}
