import type { BrokerLink } from './broker-link.ts';

/**
 * A connection, and those who wait for something on it.
 *
 * A connection lives as long as its broker, and `Promise.race` keeps what it returned, answer included, for as long as any
 * of its promises is open: with `broken` as one of them memory would grow with every request. So each who waits is told by
 * a call, and is forgotten once its answer is there.
 */
export class OpenLink {
  readonly link: BrokerLink;
  readonly #waiting = new Set<(reason: Error) => void>();
  #reason: Error | undefined;

  constructor(link: BrokerLink) {
    this.link = link;
    link.broken.catch((reason: Error) => {
      this.#reason = reason;
      for (const reject of this.#waiting) reject(reason);
      this.#waiting.clear();
    });
  }

  /** Settles as `work` does; rejects as soon as the connection is broken. */
  async unlessBroken<T>(work: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    work.then(resolve, reject);
    if (this.#reason === undefined) this.#waiting.add(reject);
    else reject(this.#reason);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(reject);
    }
  }
}
