import type { EndingSignal } from './io.ts';

/** Signals that end the process, one after the other, whoever waits for them and when. */
export class SignalQueue {
  readonly #came: EndingSignal[] = [];
  #wake: (() => void) | undefined;

  constructor() {
    process.on('SIGINT', this.#take);
    process.on('SIGTERM', this.#take);
  }

  async next(): Promise<EndingSignal> {
    for (;;) {
      const signal = this.#came.shift();
      if (signal !== undefined) return signal;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    process.off('SIGINT', this.#take);
    process.off('SIGTERM', this.#take);
  }

  readonly #take = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') this.#came.push(signal);
    this.#wake?.();
  };
}
