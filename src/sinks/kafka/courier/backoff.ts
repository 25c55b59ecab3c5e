/** First wait before something is tried again. */
const FIRST_MS = 100;

/** Waits that double, up to a longest one, and can be cut short. */
export class Backoff {
  readonly #maxMs: number;
  #nextMs = FIRST_MS;
  /** Ends the waits that are under way. */
  readonly #wakes = new Set<() => void>();
  #ended = false;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** It worked: the next wait is a short one again. */
  reset(): void {
    this.#nextMs = FIRST_MS;
  }

  /** Waits; returns at once where `end` was called. */
  async wait(): Promise<void> {
    const waitMs = Math.min(this.#nextMs, this.#maxMs);
    this.#nextMs = Math.min(waitMs * 2, this.#maxMs);
    if (this.#ended) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      this.#wakes.add(wake);
    });
  }

  /** Ends the waits that are under way, and all later ones. */
  end(): void {
    this.#ended = true;
    for (const wake of this.#wakes) wake();
  }
}
