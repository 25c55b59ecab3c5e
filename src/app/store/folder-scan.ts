import type { ScanCursor } from '../../store/scan.ts';
import type { FolderCounts } from './folder-counts.ts';
import type { FolderJobs } from './folder-jobs.ts';
import type { FolderLog } from './folder-log.ts';

const MINUTE_MS = 60_000;

/** Compares a folder with its index, in portions, and knows when that is due. */
export class FolderScan {
  readonly #jobs: FolderJobs;
  readonly #say: FolderLog;
  readonly #counts: FolderCounts;
  readonly #now: () => number;
  #dueMs = Infinity;
  #stopped = false;

  constructor(jobs: FolderJobs, say: FolderLog, counts: FolderCounts, now: () => number) {
    this.#jobs = jobs;
    this.#say = say;
    this.#counts = counts;
    this.#now = now;
  }

  get isDue(): boolean {
    return this.#now() >= this.#dueMs;
  }

  /** Makes it due in a minute at the latest: files are old enough then to be taken for forgotten. */
  dueInAMinute(): void {
    this.#dueMs = Math.min(this.#dueMs, this.#now() + MINUTE_MS);
  }

  /** No further portion is begun. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Goes through the whole folder.
   *
   * @param settledBeforeMs files that changed before this, milliseconds since the epoch, are none of our workers'
   * @returns how many files the index lists that it did not before
   */
  async run(settledBeforeMs: number): Promise<number> {
    this.#dueMs = Infinity;
    let added = 0;
    let forgotten = 0;
    let cursor: ScanCursor | undefined;
    for (let first = true; (first || cursor !== undefined) && !this.#stopped; first = false) {
      const done = await this.#jobs.inTurn('scan', { cursor, settledBeforeMs });
      if (done === undefined) break;
      added += done.added;
      forgotten += done.forgotten;
      this.#counts.setTotals(done.totals);
      this.#say.unreadable(done);
      if (done.unsettled > 0) this.dueInAMinute();
      cursor = done.cursor;
    }
    this.#say.scanned(added, forgotten);
    return added;
  }
}
