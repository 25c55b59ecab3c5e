import { errnoOf } from '../../files/disk.ts';
import type { Segment } from './segment.ts';
import type { SpoolDisk } from './spool-disk.ts';

/** Deletes segments that are done with. One that cannot be deleted is tried again the next time, and its bytes count till then. */
export class Disposal {
  readonly #disk: SpoolDisk;
  readonly #onFailure: (error: unknown) => void;
  readonly #segments: Segment[] = [];

  constructor(disk: SpoolDisk, onFailure: (error: unknown) => void) {
    this.#disk = disk;
    this.#onFailure = onFailure;
  }

  get fileBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.fileBytes;
    return bytes;
  }

  add(segments: readonly Segment[]): void {
    this.#segments.push(...segments);
  }

  async run(): Promise<void> {
    for (let left = this.#segments.length; left > 0; left--) {
      const [segment] = this.#segments;
      if (segment === undefined) return;
      const isGone = await this.#remove(segment);
      this.#segments.shift();
      if (!isGone) this.#segments.push(segment);
    }
  }

  async #remove({ path }: Segment): Promise<boolean> {
    try {
      await this.#disk.remove(path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return true;
      this.#onFailure(error);
      return false;
    }
  }
}
