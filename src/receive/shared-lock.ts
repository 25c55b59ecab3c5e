/** A holder writes a few words and lets go: mostly the lock is free again after so many tries. */
const SPINS = 100;
/** Then the thread sleeps between tries, since the holder may be waiting for this very core. */
const SLEEP_MS = 1;
/** After so many sleeps the holder is taken for dead (a worker that was ended inside), and the lock for free. */
const SLEEPS_MAX = 1000;

/**
 * Takes the lock in `words[index]`: 0 free, 1 held. For sections without a wait, an allocation or a throw in them.
 *
 * @param words over shared memory
 */
export function lock(words: Int32Array, index: number): void {
  for (let tries = 0; tries < SPINS + SLEEPS_MAX; tries++) {
    if (Atomics.compareExchange(words, index, 0, 1) === 0) return;
    if (tries >= SPINS) Atomics.wait(words, index, 1, SLEEP_MS);
  }
}

/** Lets the lock go. */
export function unlock(words: Int32Array, index: number): void {
  Atomics.store(words, index, 0);
  Atomics.notify(words, index, 1);
}
