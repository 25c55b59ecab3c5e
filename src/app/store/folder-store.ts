import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { MirrorError } from '../../observe/error.ts';
import type { Log } from '../../observe/log.ts';
import type { StoreState } from '../../observe/metrics/snapshot.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import { ownerName, renew, RENEW_MS } from '../../store/owner.ts';
import { FinishedQueue } from './finished-queue.ts';
import { FolderCounts } from './folder-counts.ts';
import { FolderJobs } from './folder-jobs.ts';
import { FolderLog } from './folder-log.ts';
import { FolderRecovery } from './folder-recovery.ts';
import { FolderScan } from './folder-scan.ts';
import type { StorePool } from './store-pool.ts';
import type { StoreFolder } from './store-tasks.ts';

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
  readonly #say: FolderLog;
  readonly #counts: FolderCounts;
  readonly #jobs: FolderJobs;
  readonly #recovery: FolderRecovery;
  readonly #scan: FolderScan;
  readonly #queue = new FinishedQueue();
  #timers: NodeJS.Timeout[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #recording: Promise<void> | undefined;
  #keeping: Promise<boolean> | undefined;
  #retaining: Promise<void> | undefined;
  /** Files wait to be compressed and hashed that could not be last time. */
  #keepWaits = false;
  /** When this process began here, by the file system's clock, milliseconds since the epoch. */
  #sinceMs = 0;
  /** Files that changed before this, milliseconds since the epoch, are none of our workers'. */
  #settledBeforeMs = 0;
  /** When the oldest file that is kept will be too old. */
  #tooOldMs = Infinity;
  #opened = false;
  #closing = false;

  constructor(options: FolderStoreOptions) {
    const { folder, pool, log, now } = options;
    this.#options = options;
    this.#folder = folder;
    this.#say = new FolderLog(log, folder.sink);
    this.#counts = new FolderCounts(folder.sink);
    this.#jobs = new FolderJobs(folder, pool, this.#say, now, () => this.#scan.dueInAMinute());
    this.#recovery = new FolderRecovery(this.#jobs, this.#say, this.#counts);
    this.#scan = new FolderScan(this.#jobs, this.#say, this.#counts, now);
  }

  async open(): Promise<void> {
    const { directory } = this.#folder;
    const opened = await this.#options.pool.run('open', this.#folder).catch((cause: unknown) => {
      const message = `The folder ${directory} for capture files cannot be made or written to.`;
      throw new MirrorError('OUTPUT_UNWRITABLE', message, { directory }, { cause });
    });
    this.#opened = true;
    this.#say.opened(opened);
    // while others write here too, nobody can tell
    this.#sinceMs = opened.sinceMs;
    this.#settledBeforeMs = opened.otherOwners === 0 ? opened.sinceMs : 0;
    const recovered = this.#recovery.begin(opened);
    await Promise.race([recovered, pause(RECOVER_MS)]);
    if (this.#recovery.left > 0) this.#say.recoveryGoesOn(this.#recovery.left);
    this.#timers = [
      setInterval(() => this.#renew(), RENEW_MS).unref(),
      setInterval(() => this.#minute(), MINUTE_MS).unref(),
    ];
    void recovered.then(() => this.#begin());
  }

  finished(worker: number, file: FinishedFile): void {
    if (!this.#queue.add({ worker, file })) this.#overlook(1);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      void this.#record();
    }, GATHER_MS);
  }

  workerDied(worker: number): void {
    this.#recovery.workerDied(worker, this.#options.now());
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
    this.#scan.stop();
    this.#jobs.deadlineMs = this.#options.now() + CLOSE_MS;
    const done = await Promise.race([this.#doAll(), pause(CLOSE_MS)]);
    if (done !== true) this.#say.closedEarly();
    await unlink(join(this.#folder.directory, ownerName(this.#folder.self))).catch(() => undefined);
  }

  /** All that waits; resolves to whether nothing is left. */
  async #doAll(): Promise<boolean> {
    await this.#recovery.work();
    await this.#record();
    const kept = await this.#keep();
    await this.makeRoom();
    return kept;
  }

  /** What is done once at the beginning. */
  #begin(): void {
    if (this.#closing) return;
    void this.#keep();
    void this.makeRoom();
    void this.#compare();
  }

  /** Does what is due by the clock. */
  #minute(): void {
    if (this.#closing) return;
    void this.#recovery.work().then(() => this.#keepWaits && this.#keep());
    if (this.#options.now() >= this.#tooOldMs) void this.makeRoom();
    if (this.#scan.isDue) void this.#compare();
  }

  /** Files that the index does not take now are found by a scan. */
  #overlook(files: number): void {
    this.#counts.overlooked += files;
    this.#say.overlooked(this.#options.now());
    this.#scan.dueInAMinute();
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
      const totals = await this.#jobs.run('record', { files });
      if (totals === undefined) this.#overlook(files.length);
      else this.#counts.setTotals(totals);
    }
    if (this.#closing) return;
    void this.#keep();
    void this.makeRoom();
  }

  /** Compresses and hashes, until nothing waits; resolves to whether it came so far. */
  async #keep(): Promise<boolean> {
    // what was added after the pass before had looked for it needs another one
    while (this.#keeping !== undefined) await this.#keeping;
    this.#keeping = this.#keepAll().finally(() => {
      this.#keeping = undefined;
    });
    return this.#keeping;
  }

  async #keepAll(): Promise<boolean> {
    for (;;) {
      const done = await this.#jobs.inTurn('keep', {});
      this.#keepWaits = done?.waiting ?? true;
      if (done === undefined) return false;
      for (const kept of done.kept) {
        this.#counts.kept(kept);
        if (kept.to !== kept.from) this.#options.onRenamed(kept.from, kept.to, kept.lanes);
      }
      this.#say.kept(done);
      if (!done.more) return !done.waiting;
    }
  }

  async #retain(): Promise<void> {
    for (let more = true; more; ) {
      const done = await this.#jobs.run('retain', {});
      if (done === undefined) return;
      this.#counts.retained(done, done.totals);
      this.#say.retained(done, this.#options.now());
      more = done.more;
      const { keepSeconds } = this.#folder.limits;
      const { oldestSeconds = Infinity } = done;
      this.#tooOldMs = keepSeconds === 0 ? Infinity : (oldestSeconds + keepSeconds) * 1000;
    }
  }

  /** Finds what the index does not list, then does what is to be done with it. */
  async #compare(): Promise<void> {
    const added = await this.#scan.run(this.#settledBeforeMs);
    if (added === 0 || this.#closing) return;
    void this.#keep();
    void this.makeRoom();
  }

  #renew(): void {
    const { directory, self } = this.#folder;
    // a disk that is full or gone is said by those who write captures
    void renew(directory, self, this.#sinceMs).catch(() => undefined);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
