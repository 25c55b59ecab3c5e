import { join } from 'node:path';
import { CaptureIndex } from './capture-index.ts';
import { INDEX_NAME, isDatabaseError } from './index-file.ts';
import { type FileSystem, isDiskFull, namesIn, removeFile } from './file-system.ts';
import type { IndexDefect } from './index-schema.ts';
import { isLaneFolder, parseLiveName, PART_SUFFIX } from './live-names.ts';
import { livingOwners, ownerName, type OwnerIdentity, register } from './owner.ts';

/** The kinds of files that belong to an SQLite database. */
const DATABASE_FILES = ['', '-wal', '-shm'];

/** What was found when a process began with a folder. */
export interface OpenedFolder {
  /** What the index calls this process. */
  readonly owner: string;
  /** When it began, by the file system's clock: milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Other processes that write into the folder. */
  readonly otherOwners: number;
  /** Files that a process which has ended left as `.part`: their paths without it. */
  readonly leftovers: readonly string[];
  /** Such that may be another living process's: to be looked at again when that has ended. */
  readonly undecided: readonly string[];
  /** Why the index that was there was set aside, and what it is called now. */
  readonly setAside: { readonly defect: IndexDefect; readonly name: string } | undefined;
  /** Half-made compressed files that were removed. */
  readonly removedHalves: number;
}

/**
 * Begins with a folder: says that this process writes there, opens its index and looks for what a crash left. Called before
 * this process writes anything there, so that none of what is found is its own.
 */
export function openFolder(files: FileSystem, directory: string, self: OwnerIdentity): OpenedFolder {
  const owner = ownerName(self);
  const sinceMs = unlessFull(() => register(files, directory, self))?.sinceMs ?? Date.now();
  const setAside = unlessFull(() => checkIndex(files, directory));
  const others = livingOwners(files, directory, self).filter(({ name }) => name !== owner);
  const living = others.map(({ name }) => name);
  unlessFull(() => withIndex(directory, (index) => index.takeOver(owner, living)));
  const begins = others.map((other) => other.sinceMs);
  const leftovers: string[] = [];
  const undecided: string[] = [];
  let removedHalves = 0;
  for (const path of partFiles(files, directory)) {
    const name = parseLiveName(path.slice(path.indexOf('/') + 1));
    if (!isLeftOver(files, directory, path, begins)) {
      undecided.push(path.slice(0, -PART_SUFFIX.length));
    } else if (name?.compression === 'none') leftovers.push(path.slice(0, -PART_SUFFIX.length));
    else if (removeFile(files, join(directory, path))) removedHalves++;
  }
  return { owner, sinceMs, otherOwners: others.length, leftovers, undecided, setAside, removedHalves };
}

/** On a full disk there is no room for what we write of ourselves; old captures can be deleted all the same. */
function unlessFull<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (isDiskFull(error) || isDatabaseError(error)) return undefined;
    throw error;
  }
}

/** Of files that were undecided, those that are left over by now: their processes have ended. */
export function nowLeftOver(
  files: FileSystem,
  directory: string,
  self: OwnerIdentity,
  undecided: readonly string[],
): { leftovers: string[]; undecided: string[] } {
  const others = livingOwners(files, directory, self).filter(({ name }) => name !== ownerName(self));
  const begins = others.map(({ sinceMs }) => sinceMs);
  const leftovers: string[] = [];
  const still: string[] = [];
  for (const path of undecided) {
    if (!files.existsSync(join(directory, path + PART_SUFFIX))) continue;
    if (isLeftOver(files, directory, path + PART_SUFFIX, begins)) leftovers.push(path);
    else still.push(path);
  }
  return { leftovers, undecided: still };
}

/**
 * Files that a worker of this process left as `.part` when it died, their paths without it; none while others write here
 * too, whose workers have the same numbers. The worker that takes its place has begun later.
 */
export function orphansOf(
  files: FileSystem,
  directory: string,
  self: OwnerIdentity,
  worker: number,
  diedMs: number,
): string[] {
  const owner = ownerName(self);
  if (livingOwners(files, directory, self).some(({ name }) => name !== owner)) return [];
  return [...partFiles(files, directory)]
    .filter((path) => {
      const live = parseLiveName(path.slice(path.indexOf('/') + 1));
      return live?.worker === worker && live.compression === 'none';
    })
    .filter((path) => isLeftOver(files, directory, path, [diedMs]))
    .map((path) => path.slice(0, -PART_SUFFIX.length));
}

/** Is done with a folder: another process may finish what is left. */
export function closeFolder(files: FileSystem, directory: string, owner: string): void {
  removeFile(files, join(directory, owner));
}

/** Runs `work` with the index of a folder and closes it again: each job has its own for as long as it takes. */
export function withIndex<Result>(directory: string, work: (index: CaptureIndex) => Result): Result {
  const index = CaptureIndex.open(directory);
  if (!(index instanceof CaptureIndex)) throw new Error(`The index of ${directory} is ${index}.`);
  let result: Result;
  try {
    result = work(index);
  } catch (error) {
    index.close();
    throw error;
  }
  if (result instanceof Promise) return result.finally(() => index.close()) as Result;
  index.close();
  return result;
}

/** Makes sure that there is an index that can be used. One that cannot is renamed: it may hold what somebody misses. */
export function checkIndex(files: FileSystem, directory: string): OpenedFolder['setAside'] {
  const index = CaptureIndex.open(directory, true);
  if (index instanceof CaptureIndex) {
    index.close();
    return undefined;
  }
  const name = `${INDEX_NAME}.${index.replaceAll(' ', '-')}-${Math.round(Date.now() / 1000)}`;
  for (const suffix of DATABASE_FILES) {
    const path = join(directory, INDEX_NAME + suffix);
    if (files.existsSync(path)) files.renameSync(path, join(directory, name + suffix));
  }
  withIndex(directory, () => undefined);
  return { defect: index, name };
}

/** Paths of growing files: captures, and compressed ones that are being made. */
function* partFiles(files: FileSystem, directory: string): Generator<string> {
  for (const lane of namesIn(files, directory)) {
    if (!isLaneFolder(lane)) continue;
    for (const name of namesIn(files, join(directory, lane))) {
      if (parseLiveName(name)?.part === true) yield `${lane}/${name}`;
    }
  }
}

/** Whether a file was last written before all of these times: then nobody who began at one of them writes it. */
function isLeftOver(files: FileSystem, directory: string, path: string, begins: readonly number[]): boolean {
  const stat = files.statSync(join(directory, path), { throwIfNoEntry: false });
  return stat !== undefined && begins.every((beginMs) => stat.mtimeMs < beginMs);
}
