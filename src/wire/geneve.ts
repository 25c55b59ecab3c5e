/**
 * GENEVE header, RFC 8926 section 3.4. Eight bytes, then up to 252 bytes of options:
 *
 *   byte 0    version (2 bits, 0), length of all options in 4-byte words (6 bits)
 *   byte 1    O control packet (bit 7), C some option is critical (bit 6), six reserved bits
 *   byte 2-3  protocol type of the payload, an `EtherType`
 *   byte 4-6  VNI, 24 bits
 *   byte 7    reserved: sent as 0, ignored on receipt
 *
 * An option, section 3.5:
 *
 *   byte 0-1  option class
 *   byte 2    type; its top bit says that a receiver which does not know the option must drop the packet
 *   byte 3    three reserved bits, length of the data in 4-byte words (5 bits)
 *   byte 4-   data
 *
 * Readers do not check bounds: call `check` once, then read.
 */
import { isKnown } from './aws-option.ts';
import { putU16, putU24, u16, u24 } from './bytes.ts';
import { Fault } from './fault.ts';

/** Bytes of the header without options. */
export const FIXED_LEN = 8;
export const VNI_MAX = 0xff_ffff;
/** Most bytes of options. */
export const OPTIONS_LEN_MAX = 252;
/** UDP destination port that IANA assigned. */
export const DEFAULT_PORT = 6081;

const FLAGS = 1;
const PROTOCOL_TYPE = 2;
const VNI = 4;
const LAST = 7;
const FLAG_O = 0x80;
const FLAGS_RESERVED = 0x3f;

const OPTION_HEADER_LEN = 4;
const OPTION_TYPE = 2;
const OPTION_LENGTH = 3;
const OPTION_RESERVED = 0xe0;
const TYPE_CRITICAL = 0x80;
const TYPE_MASK = 0x7f;

/**
 * Says whether a header with all its options can be read at `at` and is one to deliver; `end` is one past the
 * UDP payload. Whether an option is critical is decided by the options themselves, not by the C bit, which only
 * lets hardware skip the search.
 */
export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < 1) return Fault.geneveTruncated;
  if (bytes[at]! >>> 6 !== 0) return Fault.geneveVersion;
  if (end - at < FIXED_LEN || end - at < headerLen(bytes, at)) return Fault.geneveTruncated;

  const fault = checkOptions(bytes, at + FIXED_LEN, at + headerLen(bytes, at));
  if (fault !== Fault.none) return fault;
  return isControl(bytes, at) ? Fault.geneveControl : Fault.none;
}

/** Bytes of the header with its options: 8..260. */
export function headerLen(bytes: Uint8Array, at: number): number {
  return FIXED_LEN + (bytes[at]! & 0x3f) * 4;
}

/** Says whether this is a control packet, which carries no mirrored frame. */
export function isControl(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + FLAGS]! & FLAG_O) !== 0;
}

/** What the payload is, an `EtherType`. */
export function protocolType(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + PROTOCOL_TYPE);
}

/** Virtual network identifier, 0..VNI_MAX. */
export function vni(bytes: Uint8Array, at: number): number {
  return u24(bytes, at + VNI);
}

/** Says whether any bit is set that the RFC reserves, in the header or in an option. Call after `check`. */
export function reservedBits(bytes: Uint8Array, at: number): boolean {
  if (((bytes[at + FLAGS]! & FLAGS_RESERVED) | bytes[at + LAST]!) !== 0) return true;
  const end = at + headerLen(bytes, at);
  for (let optionAt = at + FIXED_LEN; optionAt < end; optionAt = nextOption(bytes, optionAt)) {
    if ((bytes[optionAt + OPTION_LENGTH]! & OPTION_RESERVED) !== 0) return true;
  }
  return false;
}

/**
 * Offset of the data of the first option of this class and type, or -1. Call after `check`.
 *
 * The critical bit of the type is left out of the comparison: it says what to do with an option that nobody
 * knows, and after `check` the only critical options left are known ones.
 */
export function findOption(bytes: Uint8Array, at: number, optionClass: number, type: number): number {
  const end = at + headerLen(bytes, at);
  for (let optionAt = at + FIXED_LEN; optionAt < end; optionAt = nextOption(bytes, optionAt)) {
    const typeMatches = ((bytes[optionAt + OPTION_TYPE]! ^ type) & TYPE_MASK) === 0;
    if (typeMatches && u16(bytes, optionAt) === optionClass) return optionAt + OPTION_HEADER_LEN;
  }
  return -1;
}

/** Bytes of the option data at `dataAt`, an offset that `findOption` returned: 0..124. */
export function optionDataLen(bytes: Uint8Array, dataAt: number): number {
  return (bytes[dataAt - 1]! & 0x1f) * 4;
}

/**
 * Writes the fixed header at `at`, flags and reserved bits zero, and returns the offset just past it, where the
 * caller writes the options.
 *
 * @param optionLen bytes of options that follow, a multiple of four, at most OPTIONS_LEN_MAX
 */
export function emit(
  bytes: Uint8Array,
  at: number,
  protocolTypeValue: number,
  vniValue: number,
  optionLen: number,
): number {
  bytes[at] = optionLen >>> 2;
  bytes[at + FLAGS] = 0;
  putU16(bytes, at + PROTOCOL_TYPE, protocolTypeValue);
  putU24(bytes, at + VNI, vniValue);
  bytes[at + LAST] = 0;
  return at + FIXED_LEN;
}

/** The whole option area is looked at before a critical option counts: a broken area is the graver fault. */
function checkOptions(bytes: Uint8Array, at: number, end: number): Fault {
  let fault: Fault = Fault.none;
  for (let optionAt = at; optionAt < end; optionAt = nextOption(bytes, optionAt)) {
    if (nextOption(bytes, optionAt) > end) return Fault.geneveOption;
    const type = bytes[optionAt + OPTION_TYPE]!;
    if ((type & TYPE_CRITICAL) !== 0 && !isKnown(u16(bytes, optionAt), type & TYPE_MASK)) {
      fault = Fault.geneveCritical;
    }
  }
  return fault;
}

/** Offset just past the option at `optionAt`. The option area is a whole number of words, so its header is there. */
function nextOption(bytes: Uint8Array, optionAt: number): number {
  return optionAt + OPTION_HEADER_LEN + (bytes[optionAt + OPTION_LENGTH]! & 0x1f) * 4;
}
