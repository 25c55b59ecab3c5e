import type { Finished } from '../../store/record.ts';

/** Lanes of files that wait at most: what a few thousand lanes finish at one moment, some times over. */
const LANES_MAX = 65_536;
/** Lanes that are written into the index at a time: short enough to be copied to another thread without a pause. */
const BATCH_LANES = 512;

/** Files that are finished and wait to be written into the index. */
export class FinishedQueue {
  readonly #lanesMax: number;
  #files: Finished[] = [];
  #lanes = 0;

  constructor(lanesMax = LANES_MAX) {
    this.#lanesMax = lanesMax;
  }

  get length(): number {
    return this.#files.length;
  }

  /** False where the queue is full: then it does not take the file. */
  add(file: Finished): boolean {
    const lanes = file.file.lanes.length;
    if (this.#lanes + lanes > this.#lanesMax && this.#files.length > 0) return false;
    this.#files.push(file);
    this.#lanes += lanes;
    return true;
  }

  /** The next batch: at least one file where there is one. */
  take(): Finished[] {
    let lanes = 0;
    let count = 0;
    for (const { file } of this.#files) {
      if (count > 0 && lanes + file.lanes.length > BATCH_LANES) break;
      lanes += file.lanes.length;
      count++;
    }
    this.#lanes -= lanes;
    const taken = this.#files.slice(0, count);
    this.#files = this.#files.slice(count);
    return taken;
  }
}
