import { join } from 'node:path';
import { MirrorError } from '../../observe/error.ts';
import type { Destination, OutFile } from './destination.ts';
import { type Disk, errnoOf } from './disk.ts';
import { OpenFiles, PART_SUFFIX, PartFile } from './part-file.ts';

/** Offline: `DIR/<lane>.pcapng`. What is there already is refused, unless `force` says to replace it. */
export class OneFileALane implements Destination {
  readonly #directory: string;
  readonly #extension: string;
  readonly #force: boolean;
  readonly #disk: Disk;
  readonly #open: OpenFiles;

  constructor(directory: string, extension: string, force: boolean, disk: Disk) {
    this.#directory = directory;
    this.#extension = extension;
    this.#force = force;
    this.#disk = disk;
    this.#open = new OpenFiles(disk);
  }

  open(): Promise<void> {
    return makeDirectory(this.#disk, this.#directory);
  }

  async create(stem: string): Promise<OutFile> {
    const path = `${stem}.${this.#extension}`;
    const file = new PartFile(this.#directory, path, this.#open);
    if (!this.#force) await this.#refuseExisting(join(this.#directory, path));
    try {
      await file.create(this.#force ? 'w' : 'wx');
    } catch (error) {
      throw errnoOf(error) === 'EEXIST' ? existing(file.partPath) : error;
    }
    return file;
  }

  close(): Promise<void> {
    return this.#open.closeAll();
  }

  async #refuseExisting(path: string): Promise<void> {
    if (await this.#disk.exists(path)) throw existing(path);
  }
}

/** `OUTPUT_EXISTS`: what is called `path` is not replaced. */
export function existing(path: string): MirrorError {
  const what = path.endsWith(PART_SUFFIX) ? 'An unfinished file of an earlier run' : 'A file';
  return new MirrorError('OUTPUT_EXISTS', `${what} is in the way: ${path}. --force replaces it.`, { path });
}

/** Makes the output folder where it is missing. Rejects with `OUTPUT_UNWRITABLE`. */
export async function makeDirectory(
  disk: Disk,
  directory: string,
  contents = 'capture files',
): Promise<void> {
  try {
    await disk.makeFolder(directory);
  } catch (cause) {
    const message = `The folder ${directory} for ${contents} cannot be made or written to: ${errnoOf(cause)}.`;
    throw new MirrorError('OUTPUT_UNWRITABLE', message, { directory, error: errnoOf(cause) }, { cause });
  }
}
