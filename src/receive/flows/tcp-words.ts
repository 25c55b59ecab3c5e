/**
 * Where the tracker keeps what it knows of a connection: 26 words of 32 bits in the row of the flow. Six are of the
 * connection, then ten of each side.
 *
 * Sequence numbers are compared as RFC 9293 section 3.4 has them: the sign of their difference in 32 bits.
 */

/** Words of a flow's row that belong to the tracker. */
export const TCP_WORDS = 26;

/** Of the connection, from the beginning of the tracker's words. */
export const Word = {
  /** `TcpState` in the lowest three bits, then those of `Phase`, then the number of letters in the history. */
  state: 0,
  /** Microseconds; -1 while unknown. */
  serverRttUs: 1,
  clientRttUs: 2,
  /** Three words of letters; see history.ts. */
  history: 3,
} as const;

/** Bits of `Word.state`. */
export const Phase = {
  state: 0x7,
  /** Which side opened the connection: one of these, or neither. */
  openedBy0: 0x08,
  openedBy1: 0x10,
  /** A SYN that no SYN-ACK has answered so far; its time is in `SideWord.advancedUs`. */
  awaitsSynAck: 0x20,
  /** A SYN-ACK that no ACK has answered so far. */
  awaitsAck: 0x40,
  /** The first handshake is over, or was not seen. */
  shaken: 0x80,
} as const;
/** Letters in the history, five bits. */
export const LETTERS_SHIFT = 8;
export const LETTERS: number = 0x1f << LETTERS_SHIFT;

const WORDS_SHARED = 6;
const WORDS_OF_SIDE = 10;

/** Of one side, from `sideAt`. */
export const SideWord = {
  /** Sequence number after the last byte of data that was seen: SYN counted, FIN not. */
  next: 0,
  /** Highest acknowledgement that the other side sent. */
  acked: 1,
  /** The first sequence number: after the SYN where that was seen, else the lowest that was seen. */
  base: 2,
  /** TCP flags, `SideBit`s, letters that the history has, number of gaps. */
  bits: 3,
  /** Retransmissions in the lower 20 bits, resets in the others. Both stop at their highest number. */
  retransmissions: 4,
  /** Out-of-order segments in the lower 20 bits, zero windows in the others. */
  outOfOrder: 5,
  /** Lower 32 bits of the bytes that were acknowledged. */
  ackedBytes: 6,
  /** Lower 32 bits of those of them that never came. */
  unseenBytes: 7,
  /** First gap in 18 bits, then 10 more bits of `ackedBytes` and 4 of `unseenBytes`. */
  gaps: 8,
  /** When `next` last moved, microseconds modulo 2^32. */
  advancedUs: 9,
} as const;

/** Bits of `SideWord.bits`. */
export const SideBit = {
  /** All flags seen, bits of `Flag` in wire/tcp.ts. */
  tcpFlags: 0xff,
  /** Letters of the history, bit `8 + letter - 1`. */
  letters: 0x7_ff00,
  /** Number of gaps, 0..16. */
  gapCount: 0x1f << 19,
  /** `next` and `base` mean something. */
  known: 1 << 24,
  /** Payload was seen. */
  data: 1 << 25,
  /** `acked` means something. */
  ackKnown: 1 << 26,
  /** It sent data or an ACK: not only a SYN, SYN-ACK or RST. */
  active: 1 << 27,
  /** The first gap lies before all data: nobody knows whether this appliance was to see it. */
  leading: 1 << 28,
  /** The segment that ends at `next` was a fragment: how long it was in truth is unknown. */
  openEnd: 1 << 29,
  /** How often, up to twice, the other side has repeated `acked` since there is a gap: it asks for what is there. */
  askedOnce: 1 << 30,
  askedTwice: 1 << 31,
} as const;
export const LETTER_BIT_SHIFT = 7;
export const GAP_COUNT_SHIFT = 19;
export const GAP_COUNT_ONE: number = 1 << GAP_COUNT_SHIFT;

/** First gap of a side, an index into the pool; 0 for none. */
export const GAP_INDEX = 0x3_ffff;
const ACKED_HIGH_SHIFT = 18;
const ACKED_HIGH = 0x3ff;
const UNSEEN_HIGH_SHIFT = 28;
const UNSEEN_HIGH = 0xf;

/** Bits of the first of two counters that share a word. */
const LOW_COUNT = 0xf_ffff;
const HIGH_SHIFT = 20;
const HIGH_COUNT = 0xfff;
const WORD_RANGE = 0x1_0000_0000;

// for speed: see "Constants" in src/README.md
const Side = SideWord;

/** Index of the first word of one side of the connection whose words begin at `at`. */
export function sideAt(at: number, direction: number): number {
  return at + WORDS_SHARED + direction * WORDS_OF_SIDE;
}

/** Adds one to the counter in the lower 20 bits. */
export function countLow(words: Int32Array, at: number): void {
  if ((words[at]! & LOW_COUNT) !== LOW_COUNT) words[at]! += 1;
}

/** Adds one to the counter in the upper 12 bits. */
export function countHigh(words: Int32Array, at: number): void {
  if (words[at]! >>> HIGH_SHIFT !== HIGH_COUNT) words[at]! += 1 << HIGH_SHIFT;
}

/** What `countLow` has counted: at most 1,048,575, where it stands still. */
export function lowCount(words: Int32Array, at: number): number {
  return words[at]! & LOW_COUNT;
}

/** What `countHigh` has counted: at most 4,095, where it stands still. */
export function highCount(words: Int32Array, at: number): number {
  return words[at]! >>> HIGH_SHIFT;
}

/** Adds bytes, fewer than 2^31, to those that were acknowledged: 42 bits. */
export function addAcked(words: Int32Array, side: number, bytes: number): void {
  const sum = (words[side + Side.ackedBytes]! + bytes) | 0;
  words[side + Side.ackedBytes] = sum;
  if (sum >>> 0 >= bytes) return;
  // past 4 TB in one record: the lower bits turn over rather than those of the next count
  const high = (words[side + Side.gaps]! >>> ACKED_HIGH_SHIFT) & ACKED_HIGH;
  if (high !== ACKED_HIGH) words[side + Side.gaps]! += 1 << ACKED_HIGH_SHIFT;
}

/** What `addAcked` has added up. */
export function ackedBytes(words: Int32Array, side: number): number {
  const high = (words[side + Side.gaps]! >>> ACKED_HIGH_SHIFT) & ACKED_HIGH;
  return high * WORD_RANGE + (words[side + Side.ackedBytes]! >>> 0);
}

/** Adds bytes, or takes them back where `bytes` is negative; returns by how much the count has changed. */
export function addUnseen(words: Int32Array, side: number, bytes: number): number {
  const before = unseenBytes(words, side);
  const after = Math.min(Math.max(0, before + bytes), (UNSEEN_HIGH + 1) * WORD_RANGE - 1);
  const high = Math.floor(after / WORD_RANGE);
  const rest = words[side + Side.gaps]! & ~(UNSEEN_HIGH << UNSEEN_HIGH_SHIFT);
  words[side + Side.gaps] = rest | (high << UNSEEN_HIGH_SHIFT);
  words[side + Side.unseenBytes] = after | 0;
  return after - before;
}

/** What `addUnseen` has added up: 36 bits. */
export function unseenBytes(words: Int32Array, side: number): number {
  const high = words[side + Side.gaps]! >>> UNSEEN_HIGH_SHIFT;
  return high * WORD_RANGE + (words[side + Side.unseenBytes]! >>> 0);
}

/** Begins to count anew; what is known of the connection stays. */
export function zeroCounters(words: Int32Array, side: number): void {
  words[side + Side.retransmissions] = 0;
  words[side + Side.outOfOrder] = 0;
  words[side + Side.ackedBytes] = 0;
  words[side + Side.unseenBytes] = 0;
  words[side + Side.gaps]! &= GAP_INDEX;
}
