import type { CaptureIndex } from './capture-index.ts';
import { errnoOf, type FileSystem, isDiskFull } from './file-system.ts';
import { keepFile } from './keep-file.ts';
import type { FileCompression } from './live-names.ts';

/** Files that are asked for at a time. */
const AT_A_TIME = 64;

export interface KeepOptions {
  readonly compress: FileCompression;
  /** Whose files: `ownerName`. */
  readonly owner: string;
  readonly now: () => number;
  /** Nothing new is begun after so long, milliseconds. */
  readonly budgetMs: number;
}

/** A file that was compressed or hashed. */
export interface Kept {
  readonly from: string;
  readonly to: string;
  readonly lanes: readonly string[];
  readonly captureBytes: number;
  readonly bytes: number;
}

export interface KeptFiles {
  readonly kept: readonly Kept[];
  /** Files that could not be read or compressed, with the system's error: they are left as they are. */
  readonly failed: readonly { readonly path: string; readonly error: string }[];
  /** The time was over before all were done. */
  readonly more: boolean;
  /** The disk is full: what is left has to wait until there is room. */
  readonly waiting: boolean;
}

/** Compresses and hashes files that wait in the index, the ones that have waited longest first. */
export function keepWaiting(
  files: FileSystem,
  directory: string,
  index: CaptureIndex,
  { compress, owner, now, budgetMs }: KeepOptions,
): KeptFiles {
  const beganMs = now();
  const kept: Kept[] = [];
  const failed: KeptFiles['failed'][number][] = [];
  for (;;) {
    const unkept = index.unkept(owner, AT_A_TIME);
    if (unkept.length === 0) return { kept, failed, more: false, waiting: false };
    for (const file of unkept) {
      const lanes = index.lanesIn(file.path);
      try {
        const stored = keepFile(files, directory, file.path, compress);
        // a file that was deleted from the index meanwhile is there again, compressed
        if (!index.keep(file.path, stored)) index.add({ ...file, ...stored, state: 'kept', lanes });
        const { captureBytes } = file;
        const names = lanes.map(({ name }) => name);
        kept.push({ from: file.path, to: stored.path, lanes: names, captureBytes, bytes: stored.bytes });
      } catch (error) {
        if (errnoOf(error) === '') throw error;
        // the others would fare no better
        if (isDiskFull(error)) return { kept, failed, more: false, waiting: true };
        if (errnoOf(error) === 'ENOENT') index.remove(file.path);
        else {
          index.giveUp(file.path);
          failed.push({ path: file.path, error: errnoOf(error) });
        }
      }
      if (now() - beganMs >= budgetMs) return { kept, failed, more: true, waiting: true };
    }
  }
}
