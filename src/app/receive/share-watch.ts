import { isTooMuch, percent, type WarnedShare } from '../../observe/lane-warnings.ts';
import type { Log } from '../../observe/log.ts';

/** A lane is judged so often at most. */
const WINDOW_MS = 60_000;

export interface ShareWatchOptions {
  readonly warned: WarnedShare;
  /** What part and whole are called in the log. */
  readonly fields: readonly [part: string, whole: string];
  /** A new lane is judged after so long at the earliest. */
  readonly firstMs: number;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** From where on a lane is judged next: the counts then, and the earliest time. */
interface Since {
  readonly part: number;
  readonly whole: number;
  readonly dueMs: number;
}

/**
 * Warns where a part of what came on a lane is too large. A lane is judged by what came since it was judged before: after
 * a minute, or later once there is enough of it.
 */
export class ShareWatch {
  readonly #options: ShareWatchOptions;
  readonly #since = new Map<string, Since>();

  constructor(options: ShareWatchOptions) {
    this.#options = options;
  }

  /** @param part and `whole`: counts of the lane since it was opened */
  look(lane: string, part: number, whole: number): void {
    const { warned, firstMs, now } = this.#options;
    const nowMs = now();
    const since = this.#since.get(lane) ?? { part: 0, whole: 0, dueMs: nowMs + firstMs };
    const came = whole - since.whole;
    if (nowMs < since.dueMs || came < warned.least) {
      this.#since.set(lane, since);
      return;
    }
    this.#since.set(lane, { part, whole, dueMs: nowMs + WINDOW_MS });
    if (isTooMuch(part - since.part, came, warned)) this.#warn(lane, part - since.part, came);
  }

  /** A closed lane begins anew should it come again. */
  forget(lane: string): void {
    this.#since.delete(lane);
  }

  #warn(lane: string, part: number, whole: number): void {
    const { warned, fields, log } = this.#options;
    const counts = { [fields[0]]: part, [fields[1]]: whole, share: percent(part, whole) };
    log.warn({ lane, ...counts, remedy: warned.remedy }, warned.message);
  }
}
