import { type EndingSignal, exitStatusBySignal } from './io.ts';

/** Signals that end the process, one after the other, whoever waits for them and when. */
export class SignalQueue {
  readonly #came: EndingSignal[] = [];
  readonly #end: (status: number) => void;
  #left: number;
  #wake: (() => void) | undefined;

  /**
   * @param most so many signals are one too many for any order: the process ends where it stands, also while it
   *   starts and nobody waits for signals yet
   * @param end  ends the process with that exit status
   */
  constructor(most: number, end: (status: number) => void = (status) => process.exit(status)) {
    this.#left = most;
    this.#end = end;
    process.on('SIGINT', this.#take);
    process.on('SIGTERM', this.#take);
  }

  /** The next signal that nobody has been told of. Of several who wait, the last one to ask gets it. */
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
    if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
    this.#left--;
    if (this.#left === 0) this.#end(exitStatusBySignal[signal]);
    this.#came.push(signal);
    this.#wake?.();
  };
}
