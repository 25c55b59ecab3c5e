import { writeSync } from 'node:fs';

/** Longest time that one line may hold its thread while nobody empties the pipe. */
const WAIT_MAX_MS = 500;
const WAIT_STEP_MS = 10;

/**
 * Writes lines to a file descriptor before it returns, so that nothing is lost at exit, from any thread.
 *
 * Logging must not stop what it tells about: a full disk, a closed pipe or a reader that stands still costs
 * lines, never an exception, and at most `WAIT_MAX_MS` once until the descriptor takes lines again. The first
 * line after a loss is preceded by one that says how many are missing.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #lostLine: (lines: number) => string;
  #lost = 0;
  /** The last line was written in part. */
  #torn = false;

  /** @param lostLine makes the line that tells of missing ones, newline included */
  constructor(fd: number, lostLine: (lines: number) => string) {
    this.#fd = fd;
    this.#lostLine = lostLine;
  }

  /** @param line ends with a newline */
  write(line: string): void {
    const before = (this.#torn ? '\n' : '') + (this.#lost > 0 ? this.#lostLine(this.#lost) : '');
    const bytes = Buffer.from(before + line);
    const written = this.#writeBytes(bytes);
    if (written === bytes.length) {
      this.#lost = 0;
      this.#torn = false;
    } else {
      this.#lost++;
      this.#torn ||= written > 0;
    }
  }

  /** Bytes that were written. */
  #writeBytes(bytes: Buffer): number {
    let at = 0;
    let waitedMs = this.#lost > 0 ? WAIT_MAX_MS : 0;
    while (at < bytes.length) {
      try {
        at += writeSync(this.#fd, bytes, at);
      } catch (error) {
        const full = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
        if (!full || waitedMs >= WAIT_MAX_MS) break;
        sleep(WAIT_STEP_MS);
        waitedMs += WAIT_STEP_MS;
      }
    }
    return at;
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
