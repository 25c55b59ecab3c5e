/**
 * Sequence numbers of TCP, 32 bits that begin anew: of two numbers the one is later whose difference to the other is
 * positive (RFC 9293 section 3.4).
 */

/** Farther ahead than any window (RFC 7323 section 2.3) a segment is of another connection, or a lie. */
export const JUMP_MAX = 0x4000_0000;

/** The earlier of two sequence numbers. */
export function lower(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? a : b;
}

/** The later of two sequence numbers. */
export function higher(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}
