/**
 * DNS message, RFC 1035 section 4; mDNS (RFC 6762) and LLMNR (RFC 4795) have the same shape. Twelve bytes of header:
 *
 *   byte 0-1    id
 *   byte 2      QR (1 bit: 1 in an answer), opcode (4 bits), AA, TC, RD
 *   byte 3      RA, Z (sent as 0), AD, CD, response code (4 bits)
 *   byte 4-5    questions
 *   byte 6-7    answers
 *   byte 8-9    authority records
 *   byte 10-11  additional records
 *
 * Then the questions (name, type, class), then the records (name, type, class, time to live in 4 bytes, length of
 * the data in 2 bytes, data). Over TCP two bytes with the length of the message stand before it (section 4.2.2).
 *
 * Readers do not check bounds: ask `complete` (a record's: `recordComplete`) once, then read.
 */
import { u16 } from './bytes.ts';
import type { NameText } from './name-text.ts';

export const HEADER_LEN = 12;
/** Bytes of the length before a message over TCP. */
export const LENGTH_LEN = 2;
/** Bytes of a question after its name. */
export const QUESTION_FIXED_LEN = 4;
/** Bytes of a record between its name and its data. */
export const RECORD_FIXED_LEN = 10;

/** Types of records that mirrortap names; RFC 1035 section 3.2.2, RFC 3596 for `aaaa`. */
export const RecordType = { a: 1, cname: 5, ptr: 12, aaaa: 28 } as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** The internet. The highest bit of a class is a flag in mDNS, RFC 6762 sections 5.4 and 10.2. */
export const CLASS_IN = 1;
const CLASS_MASK = 0x7fff;

/** Instead of the offset after a name: the bytes end before it does. */
export const NAME_CUT = -1;
/** Instead of the offset after a name: these bytes are none. */
export const NAME_BAD = -2;

/** Bytes of a name without its last, empty label; section 3.1 allows 255 with it. */
const NAME_LEN_MAX = 254;
/** Most labels of a name: of one byte each, with their lengths. */
const LABELS_MAX: number = NAME_LEN_MAX / 2;
const POINTER = 0xc0;
const DOT = 0x2e;
const BACKSLASH = 0x5c;

const FLAGS = 2;
const CODES = 3;
const QUESTIONS = 4;
const ANSWERS = 6;
const TYPE = 0;
const CLASS = 2;
const DATA_LENGTH = 8;

/** Says whether the whole header arrived. */
export function complete(at: number, end: number): boolean {
  return end - at >= HEADER_LEN;
}

/**
 * Says whether a header can be one: the reserved bit is zero, the opcode is assigned (RFC 6895 section 2.2), a query
 * has no response code, and something is asked or answered.
 */
export function plausible(bytes: Uint8Array, at: number): boolean {
  const codes = bytes[at + CODES]!;
  const opcode = (bytes[at + FLAGS]! >>> 3) & 0xf;
  if ((codes & 0x40) !== 0 || opcode > 6 || opcode === 3) return false;
  if (!isResponse(bytes, at) && (codes & 0xf) !== 0) return false;
  return questionCount(bytes, at) + answerCount(bytes, at) > 0;
}

/** Says whether the message is an answer. */
export function isResponse(bytes: Uint8Array, at: number): boolean {
  return bytes[at + FLAGS]! >= 0x80;
}

/** Questions that the message says it has. */
export function questionCount(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + QUESTIONS);
}

/** Answers that the message says it has. */
export function answerCount(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + ANSWERS);
}

/**
 * Puts the name at `at` into `out`, which is empty, without the last dot; the root as one dot. Returns the offset
 * after it, NAME_CUT or NAME_BAD; with these two `out` holds a piece of it.
 *
 * A pointer (section 4.1.4) must lead to before the labels that it ends, so that following it comes to an end, and there are
 * no more of them than a name may have labels: pointers that lead to nothing but pointers would be thousands.
 *
 * @param messageAt where the header of the message begins: pointers count from there
 */
export function putName(
  bytes: Uint8Array,
  messageAt: number,
  at: number,
  end: number,
  out: NameText,
): number {
  let cursor = at;
  let before = at;
  let after = NAME_CUT;
  let length = 0;
  let pointers = 0;
  while (cursor < end) {
    const label = bytes[cursor]!;
    if (label >= POINTER) {
      if (cursor + 2 > end) return NAME_CUT;
      const target = messageAt + (u16(bytes, cursor) & 0x3fff);
      if (target >= before || target < messageAt + HEADER_LEN || pointers++ === LABELS_MAX) return NAME_BAD;
      if (after === NAME_CUT) after = cursor + 2;
      before = target;
      cursor = target;
      continue;
    }
    if (label === 0) {
      if (length === 0) out.put(DOT);
      return after === NAME_CUT ? cursor + 1 : after;
    }
    length += label + 1;
    if (label > 63 || length > NAME_LEN_MAX) return NAME_BAD;
    if (cursor + 1 + label > end) return NAME_CUT;
    if (length > label + 1) out.put(DOT);
    putLabel(bytes, cursor + 1, cursor + 1 + label, out);
    cursor += 1 + label;
  }
  return NAME_CUT;
}

/** A dot within a label is told from one between labels by a backslash, RFC 4343 section 2.1. */
function putLabel(bytes: Uint8Array, at: number, end: number, out: NameText): void {
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === DOT) out.put(BACKSLASH);
    if (byte === DOT) out.put(DOT);
    else out.putEscaped(byte);
  }
}

/** Says whether a record, whose name ends at `at`, arrived with all its data. */
export function recordComplete(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at >= RECORD_FIXED_LEN && end - at - RECORD_FIXED_LEN >= dataLength(bytes, at);
}

/** Type of the record whose name ends at `at`, often a `RecordType`. */
export function recordType(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + TYPE);
}

/** Class of the record whose name ends at `at`, without the flag of mDNS. */
export function recordClass(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + CLASS) & CLASS_MASK;
}

/** Bytes of the data of the record whose name ends at `at`. */
export function dataLength(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + DATA_LENGTH);
}
