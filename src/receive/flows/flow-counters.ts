/** Counters of one direction of a flow, integers only: bytes are 48 bits wide, as wide as 281 terabytes in one record. */
import * as layout from './flow-layout.ts';

// for speed: see "Constants" in src/README.md
const { CAPTURED_BYTES, CARRIES, PACKETS, WIRE_BYTES } = layout;

const WIRE_CARRY = 1;
const CAPTURED_CARRY = 1 << 16;
const CARRY_MASK = 0xffff;
const CARRY_VALUE = 2 ** 32;

/**
 * Counts a packet.
 *
 * @param at the row's first word, plus the direction
 */
export function countPacket(words: Int32Array, at: number, wireLen: number, capturedLen: number): void {
  words[at + PACKETS]! += 1;
  const wire = words[at + WIRE_BYTES]!;
  const captured = words[at + CAPTURED_BYTES]!;
  const nextWire = (wire + wireLen) | 0;
  const nextCaptured = (captured + capturedLen) | 0;
  words[at + WIRE_BYTES] = nextWire;
  words[at + CAPTURED_BYTES] = nextCaptured;
  // as unsigned numbers they have run over when the top bit goes from 1 to 0
  if (wire < 0 && nextWire >= 0) words[at + CARRIES]! += WIRE_CARRY;
  if (captured < 0 && nextCaptured >= 0) words[at + CARRIES]! += CAPTURED_CARRY;
}

/** Packets of one direction; `at` as in `countPacket`. */
export function packets(words: Int32Array, at: number): number {
  return words[at + PACKETS]! >>> 0;
}

/** Bytes of its IP packets, IP header included, before anything cut them. */
export function wireBytes(words: Int32Array, at: number): number {
  return (words[at + CARRIES]! & CARRY_MASK) * CARRY_VALUE + (words[at + WIRE_BYTES]! >>> 0);
}

/** Bytes of those packets that arrived. */
export function capturedBytes(words: Int32Array, at: number): number {
  return (words[at + CARRIES]! >>> 16) * CARRY_VALUE + (words[at + CAPTURED_BYTES]! >>> 0);
}

/** Sets the counters of both directions to 0. */
export function clearCounters(words: Int32Array, rowAt: number): void {
  words.fill(0, rowAt + PACKETS, rowAt + CAPTURED_BYTES + 2);
  words.fill(0, rowAt + CARRIES, rowAt + CARRIES + 2);
}
