import { closeSync, openSync, writeSync } from 'node:fs';
import type { PipeEnd, PipeSource } from '../../src/sinks/pipe/pipe-end.ts';
import type { PipeSettings } from '../../src/sinks/pipe/settings.ts';

/** Settings of a pipe sink: standard output and a large queue, and what a test says. */
export function pipeSettingsWith(some: Partial<PipeSettings> = {}): PipeSettings {
  return { path: '-', queueBytes: 16_777_216, ...some };
}

/** The other end of a pipe, in the hands of a test. What it takes goes into a file. */
export class PipeReader implements PipeSource {
  /** Whether somebody has the pipe open. */
  isThere = true;
  /** Whether it takes what is written. */
  isReading = true;
  /** Most bytes that it takes at a time. */
  bytesAtATime = Number.POSITIVE_INFINITY;
  /** It goes away once it has taken so many more bytes. */
  leavesAfterBytes = Number.POSITIVE_INFINITY;
  /** Ends that were handed out, and those of them that were closed. */
  opened = 0;
  closed = 0;
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async prepare(): Promise<void> {}

  async open(): Promise<PipeEnd | undefined> {
    if (!this.isThere) return undefined;
    this.opened++;
    const reader = this.opened;
    const hasReader = (): boolean => this.isThere && reader === this.opened;
    return {
      write: async (bytes, at, length) => {
        if (!hasReader()) throw Object.assign(new Error('broken pipe'), { code: 'EPIPE' });
        if (!this.isReading) return 0;
        const count = Math.min(length, this.bytesAtATime, this.leavesAfterBytes);
        this.leavesAfterBytes -= count;
        if (this.leavesAfterBytes === 0) this.isThere = false;
        return this.#take(bytes.subarray(at, at + count));
      },
      hasReader,
      close: async () => {
        this.closed++;
      },
    };
  }

  #take(bytes: Buffer): number {
    const file = openSync(this.#file, 'a');
    try {
      return writeSync(file, bytes);
    } finally {
      closeSync(file);
    }
  }
}
