import { join } from 'node:path';
import type { Disk } from './disk.ts';

/** What a probe writes: more than a few blocks that a failed write gave back. */
const PROBE_BYTES = 1024 * 1024;

export interface SpaceKeeperOptions {
  readonly disk: Disk;
  readonly directory: string;
  /** Part of the disk that is to stay free. */
  readonly keepFreePercent: number;
  /** Each worker's probe has a name of its own. */
  readonly worker: number;
  /** Has the oldest finished files deleted; left out where nothing may be. */
  readonly makeRoom?: (() => Promise<void>) | undefined;
}

/** Sees to it that a part of the disk stays free: asks for room where there is none, deletes nothing itself. */
export class SpaceKeeper {
  readonly #disk: Disk;
  readonly #directory: string;
  /** 0: asks for nothing. */
  readonly #keepFreePercent: number;
  readonly #probePath: string;
  readonly #makeRoom: (() => Promise<void>) | undefined;

  constructor({ disk, directory, keepFreePercent, worker, makeRoom }: SpaceKeeperOptions) {
    this.#disk = disk;
    this.#directory = directory;
    this.#keepFreePercent = keepFreePercent;
    this.#probePath = join(directory, `.probe-w${worker}`);
    this.#makeRoom = makeRoom;
  }

  /**
   * Looks whether enough of the disk is free, and has old files deleted where it is not.
   *
   * @returns whether enough is free now. Rejects with Node's error where nobody can tell.
   */
  async keep(): Promise<boolean> {
    if (await this.#enough()) return true;
    if (this.#keepFreePercent === 0 || this.#makeRoom === undefined) return false;
    await this.#makeRoom();
    return this.#enough();
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
}
