import { join } from 'node:path';
import { PART_SUFFIX } from '../../store/live-names.ts';
import type { OutFile } from './destination.ts';
import { type Disk, errnoOf } from './disk.ts';

export { PART_SUFFIX };

/** Files that are open at a time; past that the one that was longest not written to is closed, and opened again. */
export const OPEN_FILES_MAX = 1024;

/** Open files of one sink, the longest unused one first. */
export class OpenFiles {
  readonly disk: Disk;
  #limit: number;
  readonly #numbers = new Map<PartFile, number>();
  #opening = 0;

  constructor(disk: Disk, limit: number = OPEN_FILES_MAX) {
    this.disk = disk;
    this.#limit = limit;
  }

  /** How many are open. */
  get size(): number {
    return this.#numbers.size;
  }

  /** The file's descriptor; opens it where it is not open. */
  async use(file: PartFile, flags: string): Promise<number> {
    const known = this.#numbers.get(file);
    if (known !== undefined) {
      this.#numbers.delete(file);
      this.#numbers.set(file, known);
      return known;
    }
    this.#opening++;
    try {
      await this.#makeRoom();
      const number = await this.#open(file.partPath, flags);
      this.#numbers.set(file, number);
      return number;
    } finally {
      this.#opening--;
    }
  }

  /** Opens a file; where the process may not have as many open as we would like, we make do with fewer. */
  async #open(path: string, flags: string): Promise<number> {
    try {
      return await this.disk.open(path, flags);
    } catch (error) {
      if (errnoOf(error) !== 'EMFILE' || this.#numbers.size === 0) throw error;
      this.#limit = Math.max(1, Math.floor(this.#numbers.size / 2));
      await this.#makeRoom();
      return this.disk.open(path, flags);
    }
  }

  async close(file: PartFile): Promise<void> {
    const number = this.#numbers.get(file);
    if (number === undefined) return;
    this.#numbers.delete(file);
    await this.disk.close(number);
  }

  async closeAll(): Promise<void> {
    for (const file of this.#numbers.keys()) await this.close(file);
  }

  async #makeRoom(): Promise<void> {
    const excess = this.#numbers.size + this.#opening - this.#limit;
    if (excess <= 0) return;
    for (const file of [...this.#numbers.keys()].slice(0, excess)) {
      if (file.users === 0) await this.close(file);
    }
  }
}

/** A file in a folder that is called `<path>.part` until it is finished. */
export class PartFile implements OutFile {
  readonly path: string;
  readonly partPath: string;
  /** Calls that use the descriptor now; it stays open as long. */
  users = 0;
  readonly #finalPath: string;
  readonly #open: OpenFiles;
  /** Bytes of whole blocks. */
  #bytes = 0;

  constructor(directory: string, path: string, open: OpenFiles) {
    this.path = path;
    this.#finalPath = join(directory, path);
    this.partPath = this.#finalPath + PART_SUFFIX;
    this.#open = open;
  }

  /** @param flags `wx` refuses an existing `.part` file, `w` empties it */
  create(flags: 'wx' | 'w'): Promise<void> {
    return this.#with(async () => undefined, flags);
  }

  append(bytes: Buffer, length: number): Promise<void> {
    return this.#with(async (number, disk) => {
      try {
        for (let at = 0; at < length; ) {
          at += await disk.write(number, bytes, at, length - at, this.#bytes + at);
        }
      } catch (error) {
        // half a block would make the file unreadable from there on
        await disk.truncate(number, this.#bytes).catch(() => undefined);
        throw error;
      }
      this.#bytes += length;
    });
  }

  sync(): Promise<void> {
    return this.#with((number, disk) => disk.sync(number));
  }

  async finish(): Promise<void> {
    await this.#open.close(this);
    await this.#open.disk.rename(this.partPath, this.#finalPath);
  }

  async discard(): Promise<void> {
    await this.#open.close(this);
    await this.#open.disk.remove(this.partPath);
  }

  async #with(work: (number: number, disk: Disk) => Promise<void>, flags = 'r+'): Promise<void> {
    this.users++;
    try {
      await work(await this.#open.use(this, flags), this.#open.disk);
    } finally {
      this.users--;
    }
  }
}
