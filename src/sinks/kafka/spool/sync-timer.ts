import type { SpoolOptions } from './options.ts';

/** Has files synced a while after they were written to, as the policy says. */
export class SyncTimer {
  readonly #options: Pick<SpoolOptions, 'fsync' | 'fsyncMs'>;
  readonly #sync: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param sync never rejects */
  constructor(options: Pick<SpoolOptions, 'fsync' | 'fsyncMs'>, sync: () => Promise<void>) {
    this.#options = options;
    this.#sync = sync;
  }

  /** Something was written. */
  soon(): void {
    if (this.#options.fsync === 'never' || this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#syncing = this.#sync();
    }, this.#options.fsyncMs);
    this.#timer.unref();
  }

  /** Settles when no sync is under way; there is none after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#syncing;
  }
}
