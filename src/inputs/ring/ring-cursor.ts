/** Words of one copy: sequence, position, offset. */
const COPY_WORDS = 3;
/** Word 0 says which of the two copies counts; they follow it. */
const WHICH = 0;
const STATE_WORDS = 1 + 2 * COPY_WORDS;

/** The kernel numbers the blocks that it begins from 1 on. */
const FIRST_SEQUENCE = 1;

/** The state of a new ring; its first block has the number `sequence`. */
export function newRingState(sequence: number = FIRST_SEQUENCE): SharedArrayBuffer {
  const state = new SharedArrayBuffer(STATE_WORDS * Int32Array.BYTES_PER_ELEMENT);
  new RingCursor(state).moveTo(sequence, 0, 0);
  return state;
}

/**
 * The place in a ring up to which packets were handed on. It lies in memory that outlives the thread, and moves in one
 * step: a thread that dies at any moment leaves the place before or after a move, never half of each.
 */
export class RingCursor {
  readonly #words: Int32Array;
  #copyAt: number;

  constructor(state: SharedArrayBuffer) {
    this.#words = new Int32Array(state);
    this.#copyAt = copyAt(Atomics.load(this.#words, WHICH));
  }

  /** The kernel's number of the block to be read, modulo 2^32 and signed. */
  get sequence(): number {
    return this.#words[this.#copyAt] ?? 0;
  }

  /** Where in the ring that block is: 0 .. blocks - 1. */
  get position(): number {
    return this.#words[this.#copyAt + 1] ?? 0;
  }

  /** Packets of that block that were handed on. */
  get offset(): number {
    return this.#words[this.#copyAt + 2] ?? 0;
  }

  moveTo(sequence: number, position: number, offset: number): void {
    const words = this.#words;
    const which = 1 - Atomics.load(words, WHICH);
    const at = copyAt(which);
    words[at] = sequence;
    words[at + 1] = position;
    words[at + 2] = offset;
    Atomics.store(words, WHICH, which);
    this.#copyAt = at;
  }
}

function copyAt(which: number): number {
  return 1 + which * COPY_WORDS;
}
