import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { oldestFinished } from './series-of-files.ts';

/** Names of old files that are remembered between two looks into the folders. */
const REMEMBERED_MAX = 4096;
/** Most files that one check deletes: it must not hold up writing for long. */
const DELETED_A_CHECK_MAX = 64;

/** What a probe writes: more than a few blocks that a failed write gave back. */
const PROBE_BYTES = 1024 * 1024;

/** Keeps a part of the disk free by deleting the oldest finished live files of one folder. */
export class SpaceKeeper {
  readonly #disk: Disk;
  readonly #directory: string;
  /** 0: deletes nothing. */
  readonly #keepFreePercent: number;
  readonly #probePath: string;
  #oldest: string[] = [];
  /** Files deleted so far. */
  deleted = 0;

  /** @param worker each worker's probe has a name of its own */
  constructor(disk: Disk, directory: string, keepFreePercent: number, worker: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.#keepFreePercent = keepFreePercent;
    this.#probePath = join(directory, `.probe-w${worker}`);
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

  /**
   * Whether the folder can be written to again: writes a file and removes it. Without this a sink that was refused
   * would need packets to find out, which a load balancer does not send to an appliance that is not ready.
   */
  async probe(): Promise<boolean> {
    try {
      const file = await this.#disk.open(this.#probePath, 'w');
      try {
        const bytes = Buffer.alloc(PROBE_BYTES);
        for (let at = 0; at < bytes.length; ) {
          at += await this.#disk.write(file, bytes, at, bytes.length - at, at);
        }
      } finally {
        await this.#disk.close(file);
        await this.#disk.remove(this.#probePath);
      }
      return true;
    } catch {
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
