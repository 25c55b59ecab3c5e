import { join } from 'node:path';
import type { CaptureWalk } from '../format/capture-walk.ts';
import type { CaptureIndex } from './capture-index.ts';
import { errnoOf, type FileSystem, namesIn } from './file-system.ts';
import { type NewFile, spanOf, type TimeSpan } from './indexed-file.ts';
import {
  compressionSuffixes,
  type FileCompression,
  isLaneFolder,
  type LiveName,
  parseLiveName,
} from './live-names.ts';
import { hashFile, type InflatedBytes, lanesOf, readCapture, walkInflated } from './read-capture.ts';

/** A file that was finished less long ago may be on its way into the index. */
const SETTLE_MS = 60_000;

/** What a scan works on. */
export interface ScanOptions {
  readonly sink: string;
  readonly owner: string;
  /** What is done with plain files that are found. */
  readonly compress: FileCompression;
  /** Files that changed before this are no business of this process's workers; 0 while others write here too. */
  readonly settledBeforeMs: number;
  readonly inflate: (path: string, compression: FileCompression) => Promise<InflatedBytes>;
  readonly now: () => number;
  /** The scan breaks off after so long, milliseconds, and goes on from its cursor. */
  readonly budgetMs: number;
}

/** Where a scan goes on: behind this file of this lane's folder. */
export interface ScanCursor {
  readonly lane: string;
  readonly name: string;
}

export interface Scanned {
  /** `undefined` once all was looked at. */
  readonly cursor: ScanCursor | undefined;
  /** Files that the index did not know. */
  readonly added: number;
  /** Files that it knew and that are gone. */
  readonly forgotten: number;
  /** Files that were passed over: they were finished just now. */
  readonly unsettled: number;
  /** Of those added, files that cannot be read to their end. */
  readonly damaged: readonly string[];
  /** Files that could not be opened or read, with the system's error. */
  readonly unreadable: readonly { readonly path: string; readonly error: string }[];
}

/** Compares a folder with its index, from `cursor` on: adds finished files that it lacks, and forgets those that are gone. */
export async function scanFolder(
  files: FileSystem,
  directory: string,
  index: CaptureIndex,
  cursor: ScanCursor | undefined,
  options: ScanOptions,
): Promise<Scanned> {
  const { now, budgetMs } = options;
  const beganMs = now();
  const damaged: string[] = [];
  const unreadable: Scanned['unreadable'][number][] = [];
  let added = 0;
  let unsettled = 0;
  let forgotten = 0;
  const lanes = new Set([...namesIn(files, directory).filter(isLaneFolder), ...index.laneFolders()]);
  for (const lane of [...lanes].toSorted()) {
    if (cursor !== undefined && lane < cursor.lane) continue;
    const known = index.namesIn(lane);
    const names = new Set(namesIn(files, join(directory, lane)));
    forgotten += forgetMissing(files, directory, index, lane, known, names);
    for (const name of [...names].toSorted()) {
      if (cursor?.lane === lane && name <= cursor.name) continue;
      const live = parseLiveName(name);
      const path = `${lane}/${name}`;
      if (live === undefined || live.part || known.has(name) || isCopy(name, live, names)) continue;
      if (!isSettled(files, join(directory, path), options)) {
        unsettled++;
        continue;
      }
      try {
        const file = await look(files, directory, { lane, path, live }, options);
        index.add(file);
        added++;
        if (file.state === 'damaged') damaged.push(path);
      } catch (error) {
        if (errnoOf(error) === '') throw error;
        if (errnoOf(error) !== 'ENOENT') unreadable.push({ path, error: errnoOf(error) });
      }
      if (now() - beganMs >= budgetMs) {
        return { cursor: { lane, name }, added, forgotten, unsettled, damaged, unreadable };
      }
    }
  }
  return { cursor: undefined, added, forgotten, unsettled, damaged, unreadable };
}

function forgetMissing(
  files: FileSystem,
  directory: string,
  index: CaptureIndex,
  lane: string,
  known: ReadonlySet<string>,
  names: ReadonlySet<string>,
): number {
  let forgotten = 0;
  for (const name of known) {
    // asked again: the file may have come after its folder was listed
    if (names.has(name) || files.existsSync(join(directory, lane, name))) continue;
    index.remove(`${lane}/${name}`);
    forgotten++;
  }
  return forgotten;
}

/** A compressed file beside the one it is made from: that one is still to be dealt with. */
function isCopy(name: string, { compression }: LiveName, names: ReadonlySet<string>): boolean {
  const suffix = compressionSuffixes[compression];
  return suffix !== '' && names.has(name.slice(0, -suffix.length));
}

function isSettled(files: FileSystem, path: string, { settledBeforeMs, now }: ScanOptions): boolean {
  const stat = files.statSync(path, { throwIfNoEntry: false });
  // gone: nothing has to be waited for
  if (stat === undefined) return true;
  return stat.ctimeMs < settledBeforeMs || stat.ctimeMs < now() - SETTLE_MS;
}

/** Reads a file to its end. */
async function look(
  files: FileSystem,
  directory: string,
  { lane, path, live }: { readonly lane: string; readonly path: string; readonly live: LiveName },
  { sink, owner, compress, inflate }: ScanOptions,
): Promise<NewFile> {
  const { format, compression, worker } = live;
  const descriptor = files.openSync(join(directory, path), 'r');
  try {
    const read =
      compression === 'none'
        ? plain(files, descriptor, format)
        : await inflated(files, descriptor, format, await inflate(join(directory, path), compression));
    const lanes = lanesOf(read.walk, lane);
    const held = lanes.filter(({ packets }) => packets > 0);
    const known = lanes.every(({ dropped }) => dropped !== undefined);
    const waits = read.whole && compression === 'none' && compress !== 'none';
    return {
      path,
      sink,
      worker,
      format,
      compression,
      state: waits ? 'finished' : read.whole ? 'kept' : 'damaged',
      origin: 'found',
      owner,
      packets: read.walk.packets,
      dropped: known ? lanes.reduce((sum, { dropped = 0 }) => sum + dropped, 0) : undefined,
      bytes: read.bytes,
      captureBytes: read.captureBytes,
      sha256: read.sha256,
      lanes,
      ...(held.length === 0 ? changedAt(files, descriptor) : spanOf(held)),
    };
  } finally {
    files.closeSync(descriptor);
  }
}

/** What stands for the time of packets where there is none: else such a file would be the oldest of all. */
function changedAt(files: FileSystem, descriptor: number): TimeSpan {
  const seconds = Math.floor(files.fstatSync(descriptor).mtimeMs / 1000);
  return { firstSeconds: seconds, firstNanoseconds: 0, lastSeconds: seconds, lastNanoseconds: 0 };
}

interface LookedAt {
  readonly walk: CaptureWalk;
  readonly bytes: number;
  readonly captureBytes: number;
  readonly sha256: string;
  readonly whole: boolean;
}

function plain(files: FileSystem, descriptor: number, format: LiveName['format']): LookedAt {
  const read = readCapture(files, descriptor, format);
  return { ...read, captureBytes: read.bytes, whole: read.walk.wholeBytes === read.bytes };
}

async function inflated(
  files: FileSystem,
  descriptor: number,
  format: LiveName['format'],
  source: InflatedBytes,
): Promise<LookedAt> {
  const stored = hashFile(files, descriptor);
  const { walk, bytes, broken } = await walkInflated(source, format);
  return { walk, ...stored, captureBytes: bytes, whole: !broken && walk.wholeBytes === bytes };
}
