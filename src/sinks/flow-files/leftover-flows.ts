import { join } from 'node:path';
import { errnoOf, type FileSystem, namesIn, removeFile } from '../../store/file-system.ts';
import { isGrowing, parseFlowName } from '../../store/flow-names.ts';
import { compressionSuffixes, PART_SUFFIX } from '../../store/live-names.ts';
import { livingOwners, ownerName, type OwnerIdentity } from '../../store/owner.ts';

/** Bytes that are read at a time in search of the last line's end. */
const BLOCK_BYTES = 65_536;
const NEWLINE = 0x0a;

/** What became of the files that ended workers left as `.part`. */
export interface FinishedLeftovers {
  /** They have their final names, `path` in the folder; half a record at the end is cut off. */
  readonly finished: readonly { readonly path: string; readonly bytes: number }[];
  /** They held no whole record. */
  readonly removed: number;
}

/** The last worker of this process to leave takes its word back. */
export function leaveOwners(files: FileSystem, directory: string, owner: string): void {
  const growing = namesIn(files, directory).some(isGrowing);
  if (!growing) removeFile(files, join(directory, owner));
}

/**
 * Finishes the files that a worker left when it ended: those last written before every process that writes here now began,
 * and, where no other process does, those of the worker number that begins now.
 *
 * @param worker the worker that begins; undefined at any other time
 */
export function finishLeftovers(
  files: FileSystem,
  directory: string,
  self: OwnerIdentity,
  worker: number | undefined,
): FinishedLeftovers {
  const growing = namesIn(files, directory).filter(isGrowing);
  if (growing.length === 0) return { finished: [], removed: 0 };
  const owners = livingOwners(files, directory, self);
  const isAlone = owners.every(({ name }) => name === ownerName(self));
  const finished: FinishedLeftovers['finished'][number][] = [];
  let removed = 0;
  for (const name of growing) {
    const path = join(directory, name);
    const stat = files.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const isMine = isAlone && parseFlowName(name)?.worker === worker;
    const isOld = owners.length > 0 && owners.every(({ sinceMs }) => stat.mtimeMs < sinceMs);
    if (!isMine && !isOld) continue;
    const end = finish(files, path);
    if (end === 'removed') removed++;
    if (typeof end === 'number') finished.push({ path: name.slice(0, -PART_SUFFIX.length), bytes: end });
  }
  return { finished, removed };
}

/**
 * Cuts half a record off and gives the file its name. Another worker may do the same at the same time.
 *
 * @returns how many bytes it has then, or what else became of it
 */
function finish(files: FileSystem, partPath: string): number | 'removed' | 'left' {
  const path = partPath.slice(0, -PART_SUFFIX.length);
  if (Object.values(compressionSuffixes).some((suffix) => files.existsSync(path + suffix))) return 'left';
  try {
    const descriptor = files.openSync(partPath, 'r+');
    let whole = 0;
    try {
      const { size } = files.fstatSync(descriptor);
      whole = wholeBytes(files, descriptor, size);
      if (whole < size) files.ftruncateSync(descriptor, whole);
      files.fdatasyncSync(descriptor);
    } finally {
      files.closeSync(descriptor);
    }
    if (whole === 0) return removeFile(files, partPath) ? 'removed' : 'left';
    files.renameSync(partPath, path);
    return whole;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'left';
    throw error;
  }
}

/** Bytes up to the end of the last whole line. */
function wholeBytes(files: FileSystem, descriptor: number, size: number): number {
  const block = Buffer.alloc(BLOCK_BYTES);
  for (let end = size; end > 0; ) {
    const at = Math.max(0, end - BLOCK_BYTES);
    const read = files.readSync(descriptor, block, 0, end - at, at);
    const newlineAt = block.subarray(0, read).lastIndexOf(NEWLINE);
    if (newlineAt >= 0) return at + newlineAt + 1;
    end = at;
  }
  return 0;
}
