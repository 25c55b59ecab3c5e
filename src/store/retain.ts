import { join } from 'node:path';
import type { CaptureIndex } from './capture-index.ts';
import { errnoOf, type FileSystem, namesIn, removeFile } from './file-system.ts';
import type { OldFile } from './indexed-file.ts';
import { ageKey, isLaneFolder, parseLiveName } from './live-names.ts';
import { type Deletion, filesToDelete, type Fullness, type KeepLimits } from './retention.ts';

/** Files that are looked at and deleted before it is asked again how much is free. */
const AT_A_TIME = 64;

/** What one pass of retention has done. */
export interface Retained {
  readonly deleted: readonly Deletion[];
  /** Files that could not be deleted, with the system's error. */
  readonly refused: readonly { readonly path: string; readonly error: string }[];
  /** The pass used up its time before it was done. */
  readonly more: boolean;
}

export interface RetainOptions {
  readonly limits: KeepLimits;
  /** Milliseconds since the epoch, again and again. */
  readonly now: () => number;
  /** A pass ends after so long, milliseconds. */
  readonly budgetMs: number;
}

/**
 * Deletes the oldest finished files of a folder until its limits are kept, or nothing is left to delete.
 *
 * @param index `undefined` where there is none just now: then the names of the files say which are the oldest
 */
export function retain(
  files: FileSystem,
  directory: string,
  index: CaptureIndex | undefined,
  { limits, now, budgetMs }: RetainOptions,
): Retained {
  const deleted: Deletion[] = [];
  const refused: Retained['refused'][number][] = [];
  const beganMs = now();
  /** Files dealt with that may still be listed, and their bytes. */
  const passedOver = new Set<string>();
  let passedOverBytes = 0;
  const listed = index === undefined ? listOldest(files, directory) : undefined;
  for (;;) {
    const fullness = measure(files, directory, index, listed, passedOverBytes);
    const oldest = (listed ?? index?.oldest(AT_A_TIME + passedOver.size) ?? [])
      .filter(({ path }) => !passedOver.has(path))
      .slice(0, AT_A_TIME);
    const deletions = filesToDelete(oldest, limits, fullness, now() / 1000);
    if (deletions.length === 0) return { deleted, refused, more: false };
    const gone: Deletion[] = [];
    for (const deletion of deletions) {
      try {
        // one that somebody else has deleted is gone too, but not our doing
        if (removeFile(files, join(directory, deletion.path))) deleted.push(deletion);
        gone.push(deletion);
      } catch (error) {
        refused.push({ path: deletion.path, error: errnoOf(error) });
      }
    }
    const forgotten = forget(index, gone) ? new Set(gone) : undefined;
    for (const deletion of deletions) {
      if (forgotten?.has(deletion) === true) continue;
      passedOver.add(deletion.path);
      passedOverBytes += deletion.bytes;
    }
    if (now() - beganMs >= budgetMs) return { deleted, refused, more: true };
  }
}

/** Takes files out of the index; false where that fails, as on a full disk, or where there is no index. */
function forget(index: CaptureIndex | undefined, gone: readonly Deletion[]): boolean {
  if (index === undefined) return false;
  try {
    index.together(() => {
      for (const { path } of gone) index.remove(path);
    });
    return true;
  } catch {
    // files that are gone are found missing by the next scan, or by the next pass
    return false;
  }
}

function measure(
  files: FileSystem,
  directory: string,
  index: CaptureIndex | undefined,
  listed: readonly OldFile[] | undefined,
  passedOverBytes: number,
): Fullness {
  const { bavail, blocks, bsize } = files.statfsSync(directory);
  const bytes = index?.totals().bytes ?? listed?.reduce((sum, file) => sum + file.bytes, 0) ?? 0;
  return { bytes: bytes - passedOverBytes, freeBytes: bavail * bsize, diskBytes: blocks * bsize };
}

/** The finished files of a folder by the second their first packet came, the oldest first. */
export function listOldest(files: FileSystem, directory: string): OldFile[] {
  const found: (OldFile & { readonly key: string })[] = [];
  for (const lane of namesIn(files, directory)) {
    if (!isLaneFolder(lane)) continue;
    for (const name of namesIn(files, join(directory, lane))) {
      const live = parseLiveName(name);
      if (live === undefined || live.part) continue;
      const path = join(lane, name);
      const stat = files.statSync(join(directory, path), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      found.push({ path, bytes: stat.size, lastSeconds: stat.mtimeMs / 1000, key: ageKey(live) });
    }
  }
  return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}
