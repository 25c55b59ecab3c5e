import type { Log } from '../../observe/log.ts';
import type { SinkCounters } from '../../pipeline/sink-counters.ts';
import { errnoOf, isDiskFull } from './disk.ts';
import type { SpaceKeeper } from './space-keeper.ts';

const CHECK_MS = 1000;
const CHECK_BYTES = 64 * 1024 * 1024;
const RETRY_MS = 1000;

/** What the log says, by what the sink writes. */
export interface DiskWords {
  readonly unwritable: string;
  readonly full: string;
  readonly unknown: string;
  readonly recovered: string;
}

export interface DiskWatchOptions {
  readonly name: string;
  readonly counters: SinkCounters;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Left out where nothing is known of the disk, as of a pipe: then it is never looked at. */
  readonly space: SpaceKeeper | undefined;
  readonly words: DiskWords;
}

/**
 * Whether the disk takes what a sink writes: notes writes that fail and a disk that is full, tries again, and says so
 * once each time.
 */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  /** Why all is dropped now; undefined while it is not. */
  stopped: string | undefined;
  /** Nothing is begun before this, by the clock, after a failed write. */
  retryMs = 0;
  /** Files could not be written since the last one that could. */
  #failing = false;
  #checked: Promise<void> = Promise.resolve();
  #checking = false;
  #checkedMs = 0;
  #warned = false;
  #bytesSinceCheck = 0;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** A file cannot be written. Returns the reason for which what it would have held is dropped. */
  failed(path: string, error: unknown): string {
    const { name, counters, log, now, words } = this.#options;
    const full = isDiskFull(error);
    const reason = full ? 'diskFull' : 'writeFailed';
    counters.failing(reason, now());
    if (!this.#failing) log.error({ sink: name, file: path, error: errnoOf(error) }, words.unwritable);
    this.#failing = true;
    this.retryMs = now() + RETRY_MS;
    if (full) this.stopped = reason;
    return reason;
  }

  /** So many bytes are written. */
  wrote(bytes: number): void {
    this.#bytesSinceCheck += bytes;
    if (this.#failing && this.stopped === undefined) this.#recovered();
    if (this.#bytesSinceCheck >= CHECK_BYTES) this.#check();
  }

  /** Looks at the disk where it is time to. Returns whether it was. */
  tick(nowMs: number): boolean {
    if (nowMs - this.#checkedMs < CHECK_MS) return false;
    this.#checkedMs = nowMs;
    this.#check();
    return true;
  }

  /** Settles when nobody looks at the disk any more. */
  settle(): Promise<void> {
    return this.#checked;
  }

  /** Looks whether there is room on the disk, and stops or resumes. */
  #check(): void {
    this.#bytesSinceCheck = 0;
    const { space } = this.#options;
    if (this.#checking || space === undefined) return;
    this.#checking = true;
    this.#checked = this.#keepSpace(space).finally(() => {
      this.#checking = false;
    });
  }

  async #keepSpace(space: SpaceKeeper): Promise<void> {
    const { counters, log, name, now, words } = this.#options;
    const enough = await space.keep().catch((error: unknown) => this.#spaceUnknown(error));
    if (!enough && this.stopped === undefined) {
      this.stopped = 'diskFull';
      this.#failing = true;
      counters.failing('diskFull', now());
      log.error({ sink: name }, words.full);
    } else if (enough && this.#failing && now() >= this.retryMs && (await space.probe())) {
      this.stopped = undefined;
      this.#recovered();
    }
  }

  /** Not to know is no reason to stop: a write that fails says so itself. */
  #spaceUnknown(error: unknown): true {
    const { log, name, words } = this.#options;
    if (!this.#warned) log.warn({ sink: name, error: errnoOf(error) }, words.unknown);
    this.#warned = true;
    return true;
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#options.counters.accepting();
    this.#options.log.info({ sink: this.#options.name }, this.#options.words.recovered);
  }
}
