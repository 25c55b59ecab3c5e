import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { oldestFinished } from './series-of-files.ts';

/** Names of old files that are remembered between two looks into the folders. */
const REMEMBERED_MAX = 4096;
/** Most files that one check deletes: it must not hold up writing for long. */
const DELETED_A_CHECK_MAX = 64;

/** Keeps a part of the disk free by deleting the oldest finished live files of one folder. */
export class SpaceKeeper {
  readonly #disk: Disk;
  readonly #directory: string;
  /** 0: deletes nothing. */
  readonly #keepFreePercent: number;
  #oldest: string[] = [];
  /** Files deleted so far. */
  deleted = 0;

  constructor(disk: Disk, directory: string, keepFreePercent: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.#keepFreePercent = keepFreePercent;
  }

  /**
   * Deletes the oldest finished files until enough of the disk is free.
   *
   * @returns whether enough is free now. Rejects with Node's error where the folder cannot be read.
   */
  async keep(): Promise<boolean> {
    for (let deleted = 0; ; deleted++) {
      if (await this.#enough()) return true;
      if (this.#keepFreePercent === 0 || deleted === DELETED_A_CHECK_MAX || !(await this.#deleteOldest()))
        return false;
    }
  }

  async #enough(): Promise<boolean> {
    const { freeBytes, totalBytes } = await this.#disk.freeSpace(this.#directory);
    return freeBytes > 0 && freeBytes * 100 >= totalBytes * this.#keepFreePercent;
  }

  async #deleteOldest(): Promise<boolean> {
    if (this.#oldest.length === 0) {
      this.#oldest = await oldestFinished(this.#disk, this.#directory, REMEMBERED_MAX);
      this.#oldest.reverse();
    }
    const path = this.#oldest.pop();
    if (path === undefined) return false;
    try {
      await this.#disk.remove(join(this.#directory, path));
      this.deleted++;
    } catch {
      // gone already, or not ours to delete: the next one then
    }
    return true;
  }
}
