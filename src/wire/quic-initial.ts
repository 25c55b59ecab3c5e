/**
 * QUIC packets with a long header, RFC 9000 section 17.2 (version 1) and RFC 9369 (version 2):
 *
 *   byte 0     1, 1, type (2 bits), then four protected bits: reserved (2), length of the packet number less one (2)
 *   byte 1-4   version
 *   1 byte     length of the destination connection id, at most 20, then the id
 *   1 byte     length of the source connection id, at most 20, then the id
 *   Initial    length of the token (varint), token
 *   varint     bytes that follow: packet number (1..4) and payload. A Retry has none, and no packet follows it.
 *
 * Several packets may share a datagram (RFC 9000 section 12.2). A varint is big-endian, its length, 1, 2, 4 or 8
 * bytes, in the upper two bits of its first byte (section 16).
 */
import { u32 } from './bytes.ts';

export const QuicVersion = { v1: 1, v2: 0x6b33_43cf } as const;
export type QuicVersion = (typeof QuicVersion)[keyof typeof QuicVersion];

export const PacketType = { initial: 0, zeroRtt: 1, handshake: 2, retry: 3 } as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** Frames that an Initial packet may hold; RFC 9000 sections 12.4 and 19. */
export const FrameType = { padding: 0, ping: 1, ack: 2, ackEcn: 3, crypto: 6 } as const;

/** The sample for header protection begins so far after where the packet number does; RFC 9001 section 5.4.2. */
export const SAMPLE_OFFSET = 4;
export const SAMPLE_LEN = 16;
/** A client chooses at least so many bytes for the id from which the first keys are made; RFC 9000 section 7.2. */
export const FIRST_ID_LEN_MIN = 8;

/** A client sends its Initial packets in datagrams of at least so many bytes; RFC 9000 section 14.1. */
export const DATAGRAM_LEN_MIN = 1200;

const FIXED_BITS = 0xc0;
const VERSION = 1;
const ID_LENGTH = 5;
const ID_LEN_MAX = 20;
/** Version 2 numbers the types anew, so that nothing gets used to the old numbers; RFC 9369 section 3.2. */
const typesOfV2 = [PacketType.retry, PacketType.initial, PacketType.zeroRtt, PacketType.handshake];

/** The parts of a long header. One instance serves all. */
export class LongHeader {
  version: QuicVersion = QuicVersion.v1;
  type: PacketType = PacketType.initial;
  destinationIdAt = 0;
  destinationIdLen = 0;
  /** First byte of the packet number. In a Retry: first byte after the source id. */
  packetNumberAt = 0;
  /** One past the packet's last byte. */
  packetEnd = 0;
}

/** Says whether what begins here is a long header of version 1 or 2, as far as five bytes can say. */
export function isLongHeader(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < ID_LENGTH || (bytes[at]! & FIXED_BITS) !== FIXED_BITS) return false;
  const version = u32(bytes, at + VERSION);
  return version === QuicVersion.v1 || version === QuicVersion.v2;
}

/** Reads the header for which `isLongHeader` said yes; false where the packet is not all there, or contradicts itself. */
export function readLongHeader(bytes: Uint8Array, at: number, end: number, out: LongHeader): boolean {
  const bits = (bytes[at]! >>> 4) & 3;
  const isV2 = u32(bytes, at + VERSION) === QuicVersion.v2;
  out.version = isV2 ? QuicVersion.v2 : QuicVersion.v1;
  out.type = isV2 ? typesOfV2[bits]! : (bits as PacketType);

  out.destinationIdAt = at + ID_LENGTH + 1;
  out.destinationIdLen = at + ID_LENGTH < end ? bytes[at + ID_LENGTH]! : ID_LEN_MAX + 1;
  const sourceLengthAt = out.destinationIdAt + out.destinationIdLen;
  if (out.destinationIdLen > ID_LEN_MAX || sourceLengthAt >= end) return false;
  const sourceIdLen = bytes[sourceLengthAt]!;
  let cursor = sourceLengthAt + 1 + sourceIdLen;
  if (sourceIdLen > ID_LEN_MAX || cursor > end) return false;

  out.packetNumberAt = cursor;
  out.packetEnd = end;
  if (out.type === PacketType.retry) return true;
  if (out.type === PacketType.initial) {
    if (!varintComplete(bytes, cursor, end)) return false;
    cursor += varintLen(bytes, cursor) + varint(bytes, cursor);
  }
  if (!varintComplete(bytes, cursor, end)) return false;
  out.packetNumberAt = cursor + varintLen(bytes, cursor);
  out.packetEnd = out.packetNumberAt + varint(bytes, cursor);
  return out.packetEnd <= end;
}

/** Says whether a whole varint arrived. */
export function varintComplete(bytes: Uint8Array, at: number, end: number): boolean {
  return at < end && at + varintLen(bytes, at) <= end;
}

/** Bytes of a varint: 1, 2, 4 or 8. */
export function varintLen(bytes: Uint8Array, at: number): number {
  return 1 << (bytes[at]! >>> 6);
}

/** Value of a varint; above 2^53 not exact, and far past the end of anything. */
export function varint(bytes: Uint8Array, at: number): number {
  let value = bytes[at]! & 0x3f;
  for (let i = at + 1; i < at + varintLen(bytes, at); i++) value = value * 256 + bytes[i]!;
  return value;
}
