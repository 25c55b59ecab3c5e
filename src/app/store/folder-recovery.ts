import type { OpenedFolder } from '../../store/folder.ts';
import type { FolderCounts } from './folder-counts.ts';
import type { FolderJobs } from './folder-jobs.ts';
import type { FolderLog } from './folder-log.ts';

/** Finishes what processes and workers that have ended left as `.part`. */
export class FolderRecovery {
  readonly #jobs: FolderJobs;
  readonly #say: FolderLog;
  readonly #counts: FolderCounts;
  /** Paths of files to be finished. */
  #leftovers: readonly string[] = [];
  /** Such that may be those of another living process. */
  #undecided: readonly string[] = [];
  /** Workers that have died, and when, milliseconds since the epoch. */
  readonly #died = new Map<number, number>();
  #working: Promise<void> | undefined;

  constructor(jobs: FolderJobs, say: FolderLog, counts: FolderCounts) {
    this.#jobs = jobs;
    this.#say = say;
    this.#counts = counts;
  }

  /** Files that are still to be finished. */
  get left(): number {
    return this.#leftovers.length;
  }

  /** Begins with what was found when the folder was opened. */
  begin({ leftovers, undecided }: OpenedFolder): Promise<void> {
    this.#leftovers = leftovers;
    this.#undecided = undecided;
    return this.work();
  }

  workerDied(worker: number, nowMs: number): void {
    this.#died.set(worker, nowMs);
  }

  /** Finishes what can be by now. */
  work(): Promise<void> {
    return (this.#working ??= this.#workAll().finally(() => {
      this.#working = undefined;
    }));
  }

  async #workAll(): Promise<void> {
    if (this.#undecided.length > 0 && this.#leftovers.length === 0) await this.#reconsider();
    for (const [worker, diedMs] of this.#died) {
      const found = await this.#jobs.run('orphans', { worker, diedMs });
      this.#died.delete(worker);
      this.#leftovers = [...this.#leftovers, ...(found ?? [])];
    }
    while (this.#leftovers.length > 0) {
      const done = await this.#jobs.inTurn('recover', { paths: this.#leftovers });
      if (done === undefined) return;
      this.#say.recovered(done);
      this.#counts.recovered += done.finished.length;
      this.#leftovers = done.rest;
    }
  }

  async #reconsider(): Promise<void> {
    const found = await this.#jobs.run('reconsider', { undecided: this.#undecided });
    if (found === undefined) return;
    this.#undecided = found.undecided;
    this.#leftovers = found.leftovers;
  }
}
