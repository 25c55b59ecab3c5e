/** When a call has to settle, whatever the brokers do. */
export class Deadline {
  readonly #atMs: number;

  constructor(timeoutMs: number) {
    this.#atMs = performance.now() + timeoutMs;
  }

  /** At least 1: a timer of 0 or less is none. */
  get leftMs(): number {
    return Math.max(1, Math.ceil(this.#atMs - performance.now()));
  }

  /** How long a broker may wait for others: it is to answer that it gave up before we do. */
  get brokerMs(): number {
    return Math.max(1, Math.floor(this.leftMs * 0.9));
  }

  /** An equal part of what is left for the first of so many tries. */
  part(tries: number): Deadline {
    return new Deadline(this.leftMs / Math.max(1, tries));
  }
}
