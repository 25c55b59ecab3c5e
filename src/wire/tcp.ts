/**
 * TCP header, RFC 9293 section 3.1. Twenty bytes and up to forty of options:
 *
 *   byte 0-1    source port
 *   byte 2-3    destination port
 *   byte 4-7    sequence number
 *   byte 8-11   acknowledgement number
 *   byte 12     header length in 4-byte words (4 bits, 5..15), reserved (4 bits)
 *   byte 13     flags CWR ECE URG ACK PSH RST SYN FIN
 *   byte 14-15  window
 *   byte 16-17  checksum over pseudo-header, header and data
 *   byte 18-19  urgent pointer
 *   byte 20-    options
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, putU32, u16, u32 } from './bytes.ts';

/** Bytes of a header without options. */
export const HEADER_LEN = 20;

/** Bits of the flags byte. */
export const Flag = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ece: 0x40,
  cwr: 0x80,
} as const;

/** Kinds of options that mirrortap names. */
export const OptionKind = {
  end: 0,
  noOperation: 1,
  /** RFC 9293 section 3.7.1: byte 2-3 hold the largest segment. */
  maximumSegmentSize: 2,
  /** RFC 7323 section 2: byte 2 holds the shift. */
  windowScale: 3,
  /** RFC 2018 section 2. */
  sackPermitted: 4,
  /** RFC 2018 section 3. */
  sack: 5,
  /** RFC 7323 section 3: byte 2-5 the sender's value, byte 6-9 the echoed one. */
  timestamps: 8,
} as const;

const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGEMENT = 8;
const DATA_OFFSET = 12;
const FLAGS = 13;
const WINDOW = 14;
/** Offset of the checksum field. */
export const CHECKSUM = 16;
const URGENT = 18;

/** Says whether the header has at least five words and all of it, options included, arrived. */
export function complete(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < HEADER_LEN) return false;
  const len = headerLen(bytes, at);
  return len >= HEADER_LEN && end - at >= len;
}

/** Source port, 0..65535. */
export function sourcePort(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + SOURCE_PORT);
}

/** Destination port, 0..65535. */
export function destinationPort(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + DESTINATION_PORT);
}

/** Sequence number of the first data byte (of the SYN where that flag is set), 32 bits. */
export function sequence(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + SEQUENCE);
}

/** Sequence number that the sender expects next, 32 bits; means something with the ACK flag only. */
export function acknowledgement(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + ACKNOWLEDGEMENT);
}

/** Bytes of the header with its options: 20..60; less only where `complete` says no. */
export function headerLen(bytes: Uint8Array, at: number): number {
  return (bytes[at + DATA_OFFSET]! >>> 4) * 4;
}

/** Bits of `Flag`. */
export function flags(bytes: Uint8Array, at: number): number {
  return bytes[at + FLAGS]!;
}

/** Receive window as it stands, before scaling. */
export function window(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + WINDOW);
}

/** The checksum field as it stands. */
export function checksum(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + CHECKSUM);
}

/** Urgent pointer; means something with the URG flag only. */
export function urgent(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + URGENT);
}

/**
 * Offset of the kind byte of the first option of this kind, or -1; the option's length is in the next byte.
 *
 * Call after `complete`. An option that is shorter than two bytes or runs past the header ends the search:
 * what follows it cannot be told apart. Not for kinds `end` and `noOperation`, which are padding.
 */
export function findOption(bytes: Uint8Array, at: number, kind: number): number {
  const end = at + headerLen(bytes, at);
  let optionAt = at + HEADER_LEN;
  while (optionAt < end) {
    const found = bytes[optionAt]!;
    if (found === OptionKind.end) return -1;
    if (found === OptionKind.noOperation) {
      optionAt += 1;
      continue;
    }
    const len = optionAt + 1 < end ? bytes[optionAt + 1]! : 0;
    if (len < 2 || optionAt + len > end) return -1;
    if (found === kind) return optionAt;
    optionAt += len;
  }
  return -1;
}

/**
 * Writes a header at `at` and returns the offset just past its fixed part, where the caller writes the options.
 *
 * @param optionLen bytes of options that follow, a multiple of four, at most 40
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  sourcePortValue: number,
  destinationPortValue: number,
  sequenceValue: number,
  acknowledgementValue: number,
  flagBits: number,
  windowValue: number,
  checksumValue = 0,
  optionLen = 0,
): number {
  putU16(bytes, at + SOURCE_PORT, sourcePortValue);
  putU16(bytes, at + DESTINATION_PORT, destinationPortValue);
  putU32(bytes, at + SEQUENCE, sequenceValue);
  putU32(bytes, at + ACKNOWLEDGEMENT, acknowledgementValue);
  bytes[at + DATA_OFFSET] = ((HEADER_LEN + optionLen) >>> 2) << 4;
  bytes[at + FLAGS] = flagBits;
  putU16(bytes, at + WINDOW, windowValue);
  putU16(bytes, at + CHECKSUM, checksumValue);
  putU16(bytes, at + URGENT, 0);
  return at + HEADER_LEN;
}
