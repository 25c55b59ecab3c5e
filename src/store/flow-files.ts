import { join } from 'node:path';
import { errnoOf, type FileSystem, isDiskFull, namesIn, removeFile } from './file-system.ts';
import { parseFlowName } from './flow-names.ts';
import { keepFile } from './keep-file.ts';
import { ageKey, compressionSuffixes, type FileCompression, plainName } from './live-names.ts';
import { joinOwners, livingOwners, type Owner, ownerName, type OwnerIdentity } from './owner.ts';

/** Names that one look at a folder gives back at most. */
const WAITING_MAX = 4096;

/** What is in a folder of flow files. */
export interface FoundFlowFiles {
  /** Finished files, and their bytes as stored. */
  readonly files: number;
  readonly bytes: number;
  /** Plain files that are this process's to compress, the oldest first. */
  readonly waiting: readonly string[];
  /** There are more of them. */
  readonly more: boolean;
  /** Half-made compressed files that were removed. */
  readonly removedHalves: number;
}

/** A finished file, as its name and the file system know it. */
interface Finished {
  readonly name: string;
  readonly key: string;
  readonly bytes: number;
  readonly changedMs: number;
}

/**
 * Looks at a folder of flow files: how much is in it, and what earlier runs have left to be compressed. Not to be called while
 * this process compresses there: what it is making would be taken for a half-made one.
 *
 * With `none` only files are compressed that an earlier run was just done with.
 */
export function findFlowFiles(
  files: FileSystem,
  directory: string,
  self: OwnerIdentity,
  compress: FileCompression,
): FoundFlowFiles {
  const names = new Set(namesIn(files, directory));
  const plain: Finished[] = [];
  const halves: Finished[] = [];
  let count = 0;
  let bytes = 0;
  for (const name of names) {
    const parsed = parseFlowName(name);
    if (parsed === undefined || (parsed.part && parsed.compression === 'none')) continue;
    const stat = files.statSync(join(directory, name), { throwIfNoEntry: false });
    if (stat?.isFile() !== true) continue;
    const file = { name, key: ageKey(parsed), bytes: stat.size, changedMs: stat.mtimeMs };
    if (parsed.part) halves.push(file);
    else if (parsed.compression === 'none') {
      count++;
      bytes += file.bytes;
      if (compress !== 'none' || hasCopy(name, names)) plain.push(file);
    } else if (!names.has(plainName(name, parsed.compression))) {
      count++;
      bytes += file.bytes;
    }
  }
  const isOurs = plain.length + halves.length === 0 ? () => false : ours(files, directory, self);
  const waiting = plain.filter(isOurs).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const removed = halves.filter((half) => isOurs(half) && isRemoved(files, join(directory, half.name)));
  return {
    files: count,
    bytes,
    waiting: waiting.slice(0, WAITING_MAX).map(({ name }) => name),
    more: waiting.length > WAITING_MAX,
    removedHalves: removed.length,
  };
}

/** One that cannot be removed is in nobody's way: it is written over. */
function isRemoved(files: FileSystem, path: string): boolean {
  try {
    return removeFile(files, path);
  } catch {
    return false;
  }
}

function hasCopy(name: string, names: ReadonlySet<string>): boolean {
  return names.has(name + compressionSuffixes.zstd) || names.has(name + compressionSuffixes.gzip);
}

/**
 * Which finished files are this process's to deal with: all where it is alone; beside others those from before all of them
 * began, if it began first. No two processes take the same file for their own: each says that it is here before it looks
 * who else is.
 */
function ours(
  files: FileSystem,
  directory: string,
  self: OwnerIdentity,
): (file: Pick<Finished, 'changedMs'>) => boolean {
  joinOwners(files, directory, self);
  const owners = livingOwners(files, directory, self);
  const [first] = owners.toSorted(byBegin);
  if (first?.name !== ownerName(self)) return () => false;
  return ({ changedMs }) => owners.length === 1 || changedMs < first.sinceMs;
}

function byBegin(a: Owner, b: Owner): number {
  return a.sinceMs - b.sinceMs || (a.name < b.name ? -1 : 1);
}

/** What became of files that were to be compressed. */
export interface CompressedFlowFiles {
  readonly compressed: readonly {
    readonly from: string;
    readonly to: string;
    /** Before and after. */
    readonly inputBytes: number;
    readonly bytes: number;
  }[];
  /** Files that are not there any more. */
  readonly gone: readonly string[];
  /** Files that could not be read or compressed, with the error: they are left as they are. */
  readonly failed: readonly { readonly path: string; readonly error: string }[];
  /** The disk is full: what is left has to wait until there is room. */
  readonly full: boolean;
}

export interface CompressOptions {
  readonly compress: FileCompression;
  readonly now: () => number;
  /** Nothing new is begun after so long, milliseconds. */
  readonly budgetMs: number;
}

/** Compresses files in the order they are given, for as long as there is time. Those not named in the result are left to do. */
export function compressFlowFiles(
  files: FileSystem,
  directory: string,
  paths: readonly string[],
  { compress, now, budgetMs }: CompressOptions,
): CompressedFlowFiles {
  const beganMs = now();
  const compressed: CompressedFlowFiles['compressed'][number][] = [];
  const gone: string[] = [];
  const failed: CompressedFlowFiles['failed'][number][] = [];
  for (const path of paths) {
    try {
      const inputBytes = files.statSync(join(directory, path)).size;
      const { path: to, bytes } = keepFile(files, directory, path, compress);
      compressed.push({ from: path, to, inputBytes, bytes });
    } catch (error) {
      // the others would fare no better
      if (isDiskFull(error)) return { compressed, gone, failed, full: true };
      if (errnoOf(error) === 'ENOENT') gone.push(path);
      else failed.push({ path, error: errnoOf(error) || String(error) });
    }
    if (now() - beganMs >= budgetMs) break;
  }
  return { compressed, gone, failed, full: false };
}
