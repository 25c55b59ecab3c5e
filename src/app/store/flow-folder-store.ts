import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../observe/log.ts';
import type { StoreState } from '../../observe/metrics/snapshot.ts';
import type { FlowFileNews } from '../../pipeline/flow-sink.ts';
import type { CompressedFlowFiles } from '../../store/flow-files.ts';
import { ownerName } from '../../store/owner.ts';
import { FolderCounts } from './folder-counts.ts';
import type { StorePool } from './store-pool.ts';
import type { FlowFolder } from './store-tasks.ts';

/** Names of files that wait at most; those past it are found when the folder is looked at. */
const WAITING_MAX = 65_536;
/** Files that a job is given at a time. */
const AT_A_TIME = 64;
/** How long one job may hold its thread. */
const BUDGET_MS = 1000;
const MINUTE_MS = 60_000;
/** The folder is looked at again after this: another process that wrote there may have ended. */
const LOOK_MS = 600_000;
/** What waits when the appliance stops is compressed for so long. */
const CLOSE_MS = 5000;
/** What may happen again and again is said so often. */
const SAY_INTERVAL_MS = 60_000;

export interface FlowFolderStoreOptions {
  readonly sink: string;
  readonly folder: FlowFolder;
  readonly pool: StorePool;
  readonly log: Log;
  readonly now: () => number;
}

/** The main thread's side of one folder of flow files: which are to be compressed next, and what is counted of them. */
export class FlowFolderStore {
  readonly #options: FlowFolderStoreOptions;
  readonly #counts: FolderCounts;
  /** Plain files to be compressed, in the order in which they came to be known. */
  readonly #waiting = new Set<string>();
  /** Such that cannot be: they are left as they are until the next start. */
  readonly #refused = new Set<string>();
  /** Not all that wait are known by name. */
  #unknown = false;
  #lookMs = 0;
  #working: Promise<void> | undefined;
  /** A file came while others were being compressed. */
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #saidMs = -Infinity;
  #opened = false;
  #closing = false;
  #closed = false;

  constructor(options: FlowFolderStoreOptions) {
    this.#options = options;
    this.#counts = new FolderCounts(options.sink);
  }

  /** Looks at the folder in the background: what an earlier run left is compressed while packets come in. */
  open(): Promise<void> {
    this.#opened = true;
    this.#timer = setInterval(() => void this.#work(), MINUTE_MS).unref();
    void this.#work();
    return Promise.resolve();
  }

  take(news: FlowFileNews): void {
    const { path, bytes } = news;
    if (news.event === 'deleted') {
      this.#waiting.delete(path);
      this.#refused.delete(path);
      this.#counts.changed(-1, -bytes);
      this.#counts.deleted(news.reason ?? '', bytes);
      return;
    }
    this.#counts.changed(1, bytes);
    if (news.event === 'recovered') this.#counts.recovered++;
    if (this.#options.folder.compress === 'none') return;
    if (this.#waiting.size < WAITING_MAX) this.#waiting.add(path);
    else this.#unknown = true;
    this.#again = true;
    void this.#work();
  }

  state(): StoreState {
    return { ...this.#counts.state(), waitingFiles: this.#waiting.size + this.#refused.size };
  }

  async close(): Promise<void> {
    if (!this.#opened) return;
    this.#opened = false;
    clearInterval(this.#timer);
    this.#closing = true;
    await Promise.race([this.#work(), pause(CLOSE_MS)]);
    this.#closed = true;
    const { folder, log, sink } = this.#options;
    if (this.#waiting.size > 0) {
      const fields = { sink, files: this.#waiting.size };
      log.info(fields, 'Finished flow files wait to be compressed: that is done after the next start.');
    }
    await unlink(join(folder.directory, ownerName(folder.self))).catch(() => undefined);
  }

  /** Does what waits. One pass at a time; never rejects. */
  #work(): Promise<void> {
    return (this.#working ??= this.#workWhileAsked().finally(() => {
      this.#working = undefined;
    }));
  }

  /** What was told while a pass was at its end needs another one. */
  async #workWhileAsked(): Promise<void> {
    do {
      this.#again = false;
      // where the one fails, as with a folder that cannot be listed, the other may not
      if (!this.#closing && this.#options.now() >= this.#lookMs) await this.#look().catch(this.#jobFailed);
      while (await this.#compress().catch(this.#jobFailed));
    } while (this.#again && !this.#closed);
    if (this.#unknown && this.#waiting.size === 0) this.#lookMs = 0;
  }

  async #look(): Promise<void> {
    const { folder, pool, log, sink, now } = this.#options;
    const found = await pool.run('findFlows', folder);
    this.#lookMs = now() + LOOK_MS;
    this.#unknown = found.more;
    this.#counts.setTotals({ files: found.files, bytes: found.bytes });
    for (const path of found.waiting) {
      if (!this.#refused.has(path) && this.#waiting.size < WAITING_MAX) this.#waiting.add(path);
    }
    if (found.removedHalves === 0) return;
    const message = 'Half-compressed flow files were removed: they are compressed anew.';
    log.info({ sink, files: found.removedHalves }, message);
  }

  /** Compresses the next files; false once none is left, or none can be compressed now. */
  async #compress(): Promise<boolean> {
    const paths = first(this.#waiting, AT_A_TIME);
    if (paths.length === 0 || this.#closed) return false;
    const { folder, pool } = this.#options;
    const done = await pool.run('compressFlows', { ...folder, paths, budgetMs: BUDGET_MS });
    this.#settle(done);
    return !done.full;
  }

  #settle({ compressed, gone, failed }: CompressedFlowFiles): void {
    const { log, sink } = this.#options;
    for (const { from, to, inputBytes, bytes } of compressed) {
      this.#waiting.delete(from);
      if (from === to) continue;
      this.#counts.changed(0, bytes - inputBytes);
      this.#counts.compressed(inputBytes, bytes);
      log.debug({ sink, file: from, to, bytes }, 'A flow file was compressed.');
    }
    for (const path of gone) this.#waiting.delete(path);
    for (const { path, error } of failed) {
      this.#waiting.delete(path);
      if (this.#refused.size < WAITING_MAX) this.#refused.add(path);
      log.error(
        { sink, file: path, error },
        'A finished flow file cannot be compressed: it is left as it is.',
      );
    }
  }

  readonly #jobFailed = (error: unknown): false => {
    // threads that were ended have nothing to say
    if (this.#closed) return false;
    const { log, sink, now } = this.#options;
    if (now() - this.#saidMs < SAY_INTERVAL_MS) return false;
    this.#saidMs = now();
    log.error({ sink, error }, 'Finished flow files cannot be compressed just now; it is tried again.');
    return false;
  };
}

/** The first of them, without a copy of all. */
function first(names: Iterable<string>, count: number): string[] {
  const taken: string[] = [];
  for (const name of names) if (taken.push(name) === count) break;
  return taken;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
