import { Piscina } from 'piscina';
import type { StoreJobs } from './store-tasks.ts';

/** One thread for what takes long (compressing, reading what was found), one for what must not wait for it. */
const THREADS_MAX = 2;
/** What takes long is done one at a time, whatever folder it is for. */
const SLOW_JOBS: ReadonlySet<keyof StoreJobs> = new Set(['keep', 'scan', 'compressFlows']);
/** Jobs of one folder that may wait or run at the same time. */
const JOBS_A_FOLDER = 8;
/** A thread that has nothing to do ends after this. */
const IDLE_MS = 5000;

/** The threads that do a store's work on disks. None runs before the first job, nor long after the last. */
export class StorePool {
  readonly #piscina: Piscina;
  #lastSlow: Promise<unknown> = Promise.resolve();

  constructor(folders: number) {
    // the compiler rewrites the ending in imports and not in URLs
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    this.#piscina = new Piscina({
      filename: new URL(`./store-jobs${extension}`, import.meta.url).href,
      minThreads: 0,
      maxThreads: THREADS_MAX,
      maxQueue: folders * JOBS_A_FOLDER,
      idleTimeout: IDLE_MS,
      // a thread that waits for work in Atomics.wait could not go on with what it reads asynchronously
      atomics: 'disabled',
    });
  }

  /** Rejects with what the job throws, and at once where too many wait. */
  run<Name extends keyof StoreJobs>(
    name: Name,
    task: Parameters<StoreJobs[Name]>[0],
  ): Promise<Awaited<ReturnType<StoreJobs[Name]>>> {
    const begin = () => this.#piscina.run(task, { name }) as Promise<Awaited<ReturnType<StoreJobs[Name]>>>;
    if (!SLOW_JOBS.has(name)) return begin();
    const done = this.#lastSlow.then(begin);
    this.#lastSlow = done.catch(() => undefined);
    return done;
  }

  /** Ends the threads, also those that are at work. */
  end(): Promise<void> {
    return this.#piscina.destroy();
  }
}
