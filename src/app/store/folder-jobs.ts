import type { FolderLog } from './folder-log.ts';
import type { StorePool } from './store-pool.ts';
import type { StoreFolder, StoreJobs } from './store-tasks.ts';

/** How long one job may hold its thread: what must not wait shares the threads with it. */
const BUDGET_MS = 1000;

type Name = keyof StoreJobs;
type Task<Job extends Name> = Parameters<StoreJobs[Job]>[0];
type Result<Job extends Name> = Awaited<ReturnType<StoreJobs[Job]>>;
/** What a job is given besides its folder and the time it has. */
type Own<Job extends Name> = Omit<Task<Job>, keyof StoreFolder | 'budgetMs'>;

/** Runs jobs on one folder. What fails is said, and resolves to `undefined`. */
export class FolderJobs {
  readonly folder: StoreFolder;
  /** After this, by the clock, threads may be ended in the middle of a job. */
  deadlineMs = Infinity;
  readonly #pool: StorePool;
  readonly #say: FolderLog;
  readonly #now: () => number;
  readonly #onSetAside: () => void;
  #lastInTurn: Promise<unknown> = Promise.resolve();

  /** @param onSetAside told that the index is a new one, and lists nothing */
  constructor(
    folder: StoreFolder,
    pool: StorePool,
    say: FolderLog,
    now: () => number,
    onSetAside: () => void,
  ) {
    this.folder = folder;
    this.#pool = pool;
    this.#say = say;
    this.#now = now;
    this.#onSetAside = onSetAside;
  }

  async run<Job extends Name>(name: Job, own: Own<Job>): Promise<Result<Job> | undefined> {
    const task = { ...this.folder, ...own, budgetMs: BUDGET_MS } as unknown as Task<Job>;
    try {
      return await this.#pool.run(name, task);
    } catch (error) {
      // threads that were ended have nothing to say
      if (this.#now() < this.deadlineMs) await this.#mend(error);
      return undefined;
    }
  }

  /** Runs jobs that go through the files one at a time: else one would take the file of another for its own. */
  inTurn<Job extends Name>(name: Job, own: Own<Job>): Promise<Result<Job> | undefined> {
    const done = this.#lastInTurn.then(() => this.run(name, own));
    this.#lastInTurn = done;
    return done;
  }

  async #mend(error: unknown): Promise<void> {
    this.#say.jobFailed(error, this.#now());
    const setAside = await this.#pool.run('mend', this.folder).catch(() => undefined);
    if (setAside === undefined) return;
    this.#say.setAside(setAside);
    this.#onSetAside();
  }
}
