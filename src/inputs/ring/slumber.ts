/** What the word in shared memory says of a worker that waits for packets. */
export const Wakefulness = {
  /** It looks after its rings all the time. */
  awake: 0,
  /** The same, but it would rather be called: nothing has come for a while. */
  drowsy: 1,
  /** It has been promised to be called, and hardly looks. */
  asleep: 2,
} as const;

/** One that sleeps looks so often all the same: a packet that a firewall keeps from its port rings no bell. */
const SLEEP_MS = 100;

/** The word of a worker that begins awake. */
export function newWakeWord(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** How a worker sleeps while nothing comes; who calls it is the `Bell`. */
export class Slumber {
  readonly #word: Int32Array;

  /** A worker before this one may have died in its sleep. */
  constructor(wake: SharedArrayBuffer) {
    this.#word = new Int32Array(wake);
    this.stayAwake();
  }

  /** Says whether it will be called when a packet comes: from then on, one look is the last that is needed. */
  get isPromised(): boolean {
    return Atomics.load(this.#word, 0) === Wakefulness.asleep;
  }

  stayAwake(): void {
    Atomics.store(this.#word, 0, Wakefulness.awake);
  }

  /** Asks to be called from now on. */
  ask(): void {
    Atomics.compareExchange(this.#word, 0, Wakefulness.awake, Wakefulness.drowsy);
  }

  /** Settles when it is called, or after a while; at once if it was called since. */
  async sleep(): Promise<void> {
    await Atomics.waitAsync(this.#word, 0, Wakefulness.asleep, SLEEP_MS).value;
  }

  /** Ends the sleep of this very worker. */
  end(): void {
    this.stayAwake();
    Atomics.notify(this.#word, 0);
  }
}
