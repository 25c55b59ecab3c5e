/** What threads take turns at. */
export const Gate = {
  /** To find the packets of a chunk, which needs to know where those of the chunk before ended. */
  decode: 0,
  /** To name lanes, make files and hand out places in them. */
  lanes: 1,
} as const;
export type Gate = (typeof Gate)[keyof typeof Gate];

const STOPPED = 2;
const FAILED = 3;
const WORDS = 4;

/** A thread that waits looks up from time to time, whoever forgets to wake it. */
const WAIT_MS = 100;

/** What a thread is told that waits for one that failed. */
export class TurnsFailed extends Error {
  override readonly name = 'TurnsFailed';
}

export function allocateTurns(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
}

/**
 * The order in which threads do what cannot be done at the same time: units of work have numbers from 0 on, and each
 * takes its turn at every gate once, in the order of the numbers. Waiting blocks the thread.
 *
 * Whoever has a turn sees all that was written to shared memory with the turns before.
 */
export class Turns {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** The work is to end early: what has not had its turn to name lanes is left out. */
  get stopped(): boolean {
    return Atomics.load(this.#words, STOPPED) === 1;
  }
  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
  }

  /** A unit failed: nobody goes on. */
  fail(): void {
    Atomics.store(this.#words, FAILED, 1);
    for (let word = 0; word < WORDS; word++) Atomics.notify(this.#words, word);
  }

  /** @throws TurnsFailed once a unit has failed */
  check(): void {
    if (Atomics.load(this.#words, FAILED) === 1) throw new TurnsFailed('Another part of the work failed.');
  }

  /** @throws TurnsFailed once a unit has failed */
  await(gate: Gate, unit: number): void {
    for (;;) {
      this.check();
      const turn = Atomics.load(this.#words, gate);
      if (turn === unit) return;
      Atomics.wait(this.#words, gate, turn, WAIT_MS);
    }
  }

  pass(gate: Gate, unit: number): void {
    Atomics.store(this.#words, gate, unit + 1);
    Atomics.notify(this.#words, gate);
  }
}
