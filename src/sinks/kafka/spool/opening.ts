import { SpoolLock } from './lock.ts';
import { PositionFile } from './position.ts';
import { type Recovered, Recovery } from './recovery.ts';
import type { SpoolDisk } from './spool-disk.ts';
import { unusable } from './spool-error.ts';

/** A folder that this process has for itself, with what a crash left in it put right. */
export interface OpenedFolder {
  readonly lock: SpoolLock;
  readonly position: PositionFile;
  readonly recovered: Recovered;
  /** What is free on the disk. */
  readonly freeBytes: number;
}

/** Takes a folder, which is made where it is missing. Rejects with `SPOOL_UNUSABLE`. */
export async function openFolder(directory: string, disk: SpoolDisk): Promise<OpenedFolder> {
  let lock: SpoolLock | undefined;
  let position: PositionFile | undefined;
  try {
    await disk.makeFolder(directory);
    lock = SpoolLock.take(directory);
    const opened = await PositionFile.open(disk, directory);
    position = opened.position;
    const recovered = await new Recovery(disk, directory, opened.sequence).run();
    const { freeBytes } = await disk.freeSpace(directory);
    return { lock, position, recovered, freeBytes };
  } catch (error) {
    await position?.close().catch(() => undefined);
    lock?.release();
    throw unusable(directory, error);
  }
}
