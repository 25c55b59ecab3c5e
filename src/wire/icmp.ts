/**
 * ICMP header, RFC 792. Eight bytes, of which the last four depend on the type:
 *
 *   byte 0    type
 *   byte 1    code
 *   byte 2-3  checksum over the whole message, no pseudo-header
 *   byte 4-5  echo and its kin: identifier
 *   byte 6-7  echo and its kin: sequence number
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, u16 } from './bytes.ts';

export const HEADER_LEN = 8;

/** Types that mirrortap names. */
export const Type = {
  echoReply: 0,
  destinationUnreachable: 3,
  redirect: 5,
  echo: 8,
  routerAdvertisement: 9,
  routerSolicitation: 10,
  timeExceeded: 11,
  parameterProblem: 12,
  timestamp: 13,
  timestampReply: 14,
  information: 15,
  informationReply: 16,
  addressMask: 17,
  addressMaskReply: 18,
} as const;

/** What `COUNTERPART` holds for a type that is not answered by another type. */
export const ONE_WAY = -1;

/**
 * Type that answers each type, or ONE_WAY; both directions of an exchange share one Community ID through it.
 * Source: Community ID specification, version 1, "ICMP".
 */
export const COUNTERPART: Int16Array = new Int16Array(256).fill(ONE_WAY);
COUNTERPART[Type.echo] = Type.echoReply;
COUNTERPART[Type.echoReply] = Type.echo;
COUNTERPART[Type.routerSolicitation] = Type.routerAdvertisement;
COUNTERPART[Type.routerAdvertisement] = Type.routerSolicitation;
COUNTERPART[Type.timestamp] = Type.timestampReply;
COUNTERPART[Type.timestampReply] = Type.timestamp;
COUNTERPART[Type.information] = Type.informationReply;
COUNTERPART[Type.informationReply] = Type.information;
COUNTERPART[Type.addressMask] = Type.addressMaskReply;
COUNTERPART[Type.addressMaskReply] = Type.addressMask;

const TYPE = 0;
const CODE = 1;
/** Offset of the checksum field. */
export const CHECKSUM = 2;
const ECHO_ID = 4;
const ECHO_SEQUENCE = 6;

/** Says whether the whole header arrived; `end` is one past the last byte. */
export function complete(at: number, end: number): boolean {
  return end - at >= HEADER_LEN;
}

/** What the message is, one of `Type` or a number that mirrortap does not name. */
export function type(bytes: Uint8Array, at: number): number {
  return bytes[at + TYPE]!;
}

/** Detail of the type. */
export function code(bytes: Uint8Array, at: number): number {
  return bytes[at + CODE]!;
}

/** The checksum field as it stands. */
export function checksum(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + CHECKSUM);
}

/** Identifier of an echo, timestamp, information or address mask message. */
export function echoId(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + ECHO_ID);
}

/** Sequence number of an echo, timestamp, information or address mask message. */
export function echoSequence(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + ECHO_SEQUENCE);
}

/** Writes the header of an echo message or its kin at `at` and returns the offset just past it. */
export function emit(
  bytes: Uint8Array,
  at: number,
  typeValue: number,
  codeValue: number,
  checksumValue: number,
  id: number,
  sequence: number,
): number {
  bytes[at + TYPE] = typeValue;
  bytes[at + CODE] = codeValue;
  putU16(bytes, at + CHECKSUM, checksumValue);
  putU16(bytes, at + ECHO_ID, id);
  putU16(bytes, at + ECHO_SEQUENCE, sequence);
  return at + HEADER_LEN;
}
