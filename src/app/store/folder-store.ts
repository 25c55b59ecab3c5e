import { unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { MirrorError } from '../../observe/error.ts';
import type { Log } from '../../observe/log.ts';
import type { StoreState } from '../../observe/metrics-snapshot.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import { ownerName, RENEW_MS } from '../../store/owner.ts';
import type { ScanCursor } from '../../store/scan.ts';
import { FinishedQueue } from './finished-queue.ts';
import { FolderCounts } from './folder-counts.ts';
import { FolderLog } from './folder-log.ts';
import type { StorePool } from './store-pool.ts';
import type { StoreFolder } from './store-tasks.ts';

/** How long one job may hold its thread: what must not wait shares the threads with it. */
const BUDGET_MS = 1000;
/** Files are gathered for so long before they are written into the index together. */
const GATHER_MS = 200;
const MINUTE_MS = 60_000;
/** Workers begin after so long even if files of a crash are left to be finished. */
const RECOVER_MS = 10_000;
/** What waits when the appliance stops is done for so long. */
const CLOSE_MS = 5000;

export interface FolderStoreOptions {
  readonly folder: StoreFolder;
  readonly pool: StorePool;
  readonly log: Log;
  readonly now: () => number;
  readonly onRenamed: (from: string, to: string, lanes: readonly string[]) => void;
}

/** The main thread's side of one folder: what is to be done next, and that one thing is not done twice at a time. */
export class FolderStore {
  readonly #options: FolderStoreOptions;
  readonly #folder: StoreFolder;
  readonly #pool: StorePool;
  readonly #say: FolderLog;
  readonly #counts: FolderCounts;
  readonly #queue = new FinishedQueue();
  #timers: NodeJS.Timeout[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #recording: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;
  #retaining: Promise<void> | undefined;
  /** A job that goes through the files: one at a time, or one would take the file of another for its own. */
  #walking: Promise<unknown> = Promise.resolve();
  #leftovers: readonly string[] = [];
  #undecided: readonly string[] = [];
  #sinceMs = 0;
  #alone = true;
  /** When the folder is to be compared with its index. */
  #scanMs = Infinity;
  #opened = false;
  #closing = false;
  #deadlineMs = Infinity;

  constructor(options: FolderStoreOptions) {
    this.#options = options;
    this.#folder = options.folder;
    this.#pool = options.pool;
    this.#say = new FolderLog(options.log, options.folder.sink);
    this.#counts = new FolderCounts(options.folder.sink);
  }

  async open(): Promise<void> {
    const { directory } = this.#folder;
    try {
      const opened = await this.#pool.run('open', this.#folder);
      this.#say.opened(opened);
      this.#leftovers = opened.leftovers;
      this.#undecided = opened.undecided;
      this.#sinceMs = opened.sinceMs;
      this.#alone = opened.otherOwners === 0;
    } catch (cause) {
      const message = `The folder ${directory} for capture files cannot be made or written to.`;
      throw new MirrorError('OUTPUT_UNWRITABLE', message, { directory }, { cause });
    }
    this.#opened = true;
    const recovered = this.#recover();
    await Promise.race([recovered, pause(RECOVER_MS)]);
    if (this.#leftovers.length > 0) this.#say.recoveryGoesOn(this.#leftovers.length);
    this.#timers = [
      setInterval(() => void this.#renew(), RENEW_MS).unref(),
      setInterval(() => this.#minute(), MINUTE_MS).unref(),
    ];
    this.#scanMs = 0;
    void recovered.then(() => this.#minute());
  }

  finished(worker: number, file: FinishedFile): void {
    if (!this.#queue.add({ worker, file })) {
      this.#counts.overlooked++;
      // not before it is old enough to be taken for forgotten
      this.#scanMs = Math.min(this.#scanMs, this.#options.now() + MINUTE_MS);
      this.#say.overlooked(this.#options.now());
    }
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      void this.#record();
    }, GATHER_MS);
  }

  makeRoom(): Promise<void> {
    const { keepBytes, keepSeconds, keepFreePercent } = this.#folder.limits;
    if (keepBytes + keepSeconds + keepFreePercent === 0) return Promise.resolve();
    return (this.#retaining ??= this.#retain().finally(() => {
      this.#retaining = undefined;
    }));
  }

  state(): StoreState {
    return { ...this.#counts.state(), waitingFiles: this.#queue.length };
  }

  async close(): Promise<void> {
    if (!this.#opened) return;
    this.#opened = false;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#gathering);
    this.#closing = true;
    this.#deadlineMs = this.#options.now() + CLOSE_MS;
    const work = this.#record().then(() => this.makeRoom());
    await Promise.race([work, pause(CLOSE_MS)]);
    await unlink(join(this.#folder.directory, ownerName(this.#folder.self))).catch(() => undefined);
  }

  /** Writes what waits into the index, then does what is to be done with new files. */
  #record(): Promise<void> {
    return (this.#recording ??= this.#recordAll().finally(() => {
      this.#recording = undefined;
    }));
  }

  async #recordAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const files = this.#queue.take();
      const totals = await this.#attempt(() => this.#pool.run('record', { ...this.#folder, files }));
      if (totals !== undefined) this.#counts.setTotals(totals);
      else {
        this.#counts.overlooked += files.length;
        this.#scanMs = Math.min(this.#scanMs, this.#options.now() + MINUTE_MS);
      }
    }
    const kept = this.#keep();
    if (this.#closing) await kept;
    else void this.makeRoom();
  }

  /** Compresses and hashes, until nothing waits. */
  #keep(): Promise<void> {
    return (this.#keeping ??= this.#keepAll().finally(() => {
      this.#keeping = undefined;
    }));
  }

  async #keepAll(): Promise<void> {
    for (let more = true; more && this.#options.now() < this.#deadlineMs; ) {
      const task = { ...this.#folder, budgetMs: BUDGET_MS };
      const done = await this.#walk(() => this.#pool.run('keep', task));
      for (const kept of done?.kept ?? []) {
        this.#counts.kept(kept);
        if (kept.to !== kept.from) this.#options.onRenamed(kept.from, kept.to, kept.lanes);
      }
      if (done !== undefined) this.#say.kept(done);
      more = done?.more ?? false;
    }
  }

  async #retain(): Promise<void> {
    for (let more = true; more; ) {
      const task = { ...this.#folder, budgetMs: BUDGET_MS };
      const done = await this.#attempt(() => this.#pool.run('retain', task));
      if (done === undefined) return;
      this.#counts.retained(done);
      this.#say.retained(done);
      more = done.more;
    }
  }

  /** Finishes what a crash left. */
  async #recover(): Promise<void> {
    let rest = this.#leftovers;
    let count = 0;
    while (rest.length > 0 && !this.#closing) {
      const task = { ...this.#folder, paths: rest, budgetMs: BUDGET_MS };
      const done = await this.#walk(() => this.#pool.run('recover', task));
      if (done === undefined) break;
      this.#say.recovered(done);
      count += done.finished.length;
      this.#counts.recovered += done.finished.length;
      this.#leftovers = rest = done.rest;
    }
    if (count > 0) void this.#keep();
  }

  /** Does what is due by the clock. */
  #minute(): void {
    if (this.#closing) return;
    void this.makeRoom();
    void this.#keep();
    if (this.#undecided.length > 0) void this.#reconsider();
    if (this.#options.now() >= this.#scanMs) {
      this.#scanMs = Infinity;
      void this.#scan();
    }
  }

  async #reconsider(): Promise<void> {
    const task = { ...this.#folder, undecided: this.#undecided };
    const found = await this.#attempt(() => this.#pool.run('reconsider', task));
    if (found === undefined || this.#leftovers.length > 0) return;
    this.#undecided = found.undecided;
    this.#leftovers = found.leftovers;
    await this.#recover();
  }

  /** Compares the folder with the index. */
  async #scan(): Promise<void> {
    const settledBeforeMs = this.#alone ? this.#sinceMs : 0;
    let added = 0;
    let forgotten = 0;
    let cursor: ScanCursor | undefined;
    for (let first = true; (first || cursor !== undefined) && !this.#closing; first = false) {
      const task = { ...this.#folder, cursor, settledBeforeMs, budgetMs: BUDGET_MS };
      const done = await this.#walk(() => this.#pool.run('scan', task));
      if (done === undefined) break;
      added += done.added;
      forgotten += done.forgotten;
      this.#counts.setTotals(done.totals);
      this.#say.unreadable(done);
      cursor = done.cursor;
    }
    this.#say.scanned(added, forgotten);
    if (added === 0 || this.#closing) return;
    void this.#keep();
    void this.makeRoom();
  }

  /** Runs a job that goes through the files, after those that were asked for before. */
  #walk<Result>(job: () => Promise<Result>): Promise<Result | undefined> {
    const done = this.#walking.then(() => this.#attempt(job));
    this.#walking = done;
    return done;
  }

  /** Runs a job; where it fails, that is said, and the index is looked at. */
  async #attempt<Result>(job: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await job();
    } catch (error) {
      // threads that were ended in the middle of a job have nothing to say
      if (this.#options.now() >= this.#deadlineMs) return undefined;
      this.#say.jobFailed(error, this.#options.now());
      const setAside = await this.#pool.run('mend', this.#folder).catch(() => undefined);
      if (setAside !== undefined) {
        this.#say.setAside(setAside);
        this.#scanMs = this.#options.now() + MINUTE_MS;
      }
      return undefined;
    }
  }

  async #renew(): Promise<void> {
    const now = new Date(this.#options.now());
    const path = join(this.#folder.directory, ownerName(this.#folder.self));
    await utimes(path, now, now).catch(() => undefined);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
