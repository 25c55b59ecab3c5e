import * as tcpWords from './tcp-words.ts';

// for speed: see "Constants" in src/README.md
const { LETTER_BIT_SHIFT, LETTERS, LETTERS_SHIFT, SideWord, Word } = tcpWords;

/**
 * What happened in a connection, in the letters of Zeek's `history` (its documentation of `conn.log`), each once a
 * direction and in the order of the first time. Zeek repeats those of retransmission, zero window and gap at every
 * tenfold; here they, too, stand once, and the counters say how often. `^`, `C` and the others have no letter here.
 */
export const Letter = {
  /** SYN without ACK. */
  syn: 1,
  /** SYN with ACK. */
  synAck: 2,
  /** ACK without payload, SYN, FIN or RST. */
  ack: 3,
  data: 4,
  fin: 5,
  rst: 6,
  /** Payload that was seen before. */
  retransmission: 7,
  zeroWindow: 8,
  /** SYN with FIN or RST. */
  multiFlag: 9,
  /** FIN with RST. */
  inconsistent: 10,
  /** Payload that was acknowledged and never seen. */
  gap: 11,
} as const;
export type Letter = (typeof Letter)[keyof typeof Letter];

const UPPER = ' SHADFRTWQIG';
const LOWER = UPPER.toLowerCase();

/** A letter takes four bits for itself and one, the highest, for its direction; a word has room for six. */
const LETTER_BITS = 5;
const LETTER = 0xf;
const LETTERS_A_WORD = 6;
/** Of 22 that there are. What comes later is left out. */
const LETTERS_MAX = 18;

/** Notes a letter of this direction, if it is the first of its kind. */
export function note(words: Int32Array, at: number, side: number, direction: number, letter: Letter): void {
  const bit = 1 << (LETTER_BIT_SHIFT + letter);
  if ((words[side + SideWord.bits]! & bit) !== 0) return;
  words[side + SideWord.bits]! |= bit;
  const state = words[at + Word.state]!;
  const count = (state & LETTERS) >>> LETTERS_SHIFT;
  if (count === LETTERS_MAX) return;
  const word = at + Word.history + Math.trunc(count / LETTERS_A_WORD);
  words[word]! |= (letter | (direction << 4)) << ((count % LETTERS_A_WORD) * LETTER_BITS);
  words[at + Word.state] = state + (1 << LETTERS_SHIFT);
}

/** The letters as text: upper case from `source`, lower case from the other side. */
export function historyText(words: Int32Array, at: number, source: number): string {
  const count = (words[at + Word.state]! & LETTERS) >>> LETTERS_SHIFT;
  let text = '';
  for (let i = 0; i < count; i++) {
    const word = words[at + Word.history + Math.trunc(i / LETTERS_A_WORD)]!;
    const code = word >>> ((i % LETTERS_A_WORD) * LETTER_BITS);
    text += ((code >>> 4) & 1) === source ? UPPER[code & LETTER]! : LOWER[code & LETTER]!;
  }
  return text;
}
