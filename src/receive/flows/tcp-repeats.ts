import { note } from './history.ts';
import * as history from './history.ts';
import { countLow, sideAt } from './tcp-words.ts';
import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { Letter } = history;
const { SideWord } = tcpWords;

/**
 * Whether data that begins so many bytes before the next asks whether the other side is still there, or has room (RFC 9293
 * section 3.8.4).
 */
export function isProbe(below: number, len: number): boolean {
  return below === 1 && len === 1;
}

/** Counts data that was sent again. */
export function countRetransmission(words: Int32Array, at: number, direction: number): void {
  const side = sideAt(at, direction);
  countLow(words, side + SideWord.retransmissions);
  note(words, at, side, direction, Letter.retransmission);
}
