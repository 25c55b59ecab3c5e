import { join } from 'node:path';
import type { CaptureWalk } from '../format/capture-walk.ts';
import { recoveredStatistics } from '../format/recovered-statistics.ts';
import { type FileSystem, isDiskFull, writeAll } from './file-system.ts';
import { DAMAGED_SUFFIX, type LiveName, PART_SUFFIX } from './live-names.ts';
import { readCapture } from './read-capture.ts';

/** What became of a file that a crash left unfinished. */
export type LeftoverEnd =
  /** It has its final name; `cutBytes` at its end were no whole record. */
  | {
      readonly kind: 'finished';
      readonly walk: CaptureWalk;
      readonly packets: number;
      readonly cutBytes: number;
    }
  /** It held no packet, and is gone. */
  | { readonly kind: 'removed' }
  /** It is none of the captures that we write, and is called `<name>.damaged` now. */
  | { readonly kind: 'set aside' };

/**
 * Finishes a file that a process which has ended left as `<path>.part`: keeps its whole records, adds what a finished
 * pcapng ends with, and gives it its name. May be broken off at any point and begun again. Throws Node's errors.
 *
 * @param path relative to the folder, without `.part`
 */
export function finishLeftover(
  files: FileSystem,
  directory: string,
  path: string,
  { format }: LiveName,
): LeftoverEnd {
  const finalPath = join(directory, path);
  const partPath = finalPath + PART_SUFFIX;
  const descriptor = files.openSync(partPath, 'r+');
  let end: LeftoverEnd;
  try {
    const { walk, bytes } = readCapture(files, descriptor, format);
    const { packets } = walk;
    if (packets > 0) {
      const cutBytes = bytes - walk.wholeBytes;
      end = { kind: 'finished', walk, packets, cutBytes };
      if (format === 'pcap') cut(files, descriptor, walk.wholeBytes, cutBytes);
      else complete(files, descriptor, walk, cutBytes);
      files.fdatasyncSync(descriptor);
    } else end = { kind: walk.problem === undefined ? 'removed' : 'set aside' };
  } finally {
    files.closeSync(descriptor);
  }
  if (end.kind === 'removed') files.unlinkSync(partPath);
  else if (end.kind === 'set aside' || files.existsSync(finalPath)) {
    files.renameSync(partPath, finalPath + DAMAGED_SUFFIX);
    return { kind: 'set aside' };
  } else files.renameSync(partPath, finalPath);
  return end;
}

/** Cuts what is no whole record, and adds statistics of each interface unless they are all there. */
function complete(files: FileSystem, descriptor: number, walk: CaptureWalk, cutBytes: number): void {
  if (walk.interfaces.every(({ hasStatistics }) => hasStatistics)) {
    cut(files, descriptor, walk.wholeBytes, cutBytes);
    return;
  }
  const end = Buffer.concat(walk.interfaces.map((found, id) => recoveredStatistics(id, found)));
  files.ftruncateSync(descriptor, walk.packetBytes);
  try {
    writeAll(files, descriptor, end, walk.packetBytes);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    // on a full disk the file is whole without them
    files.ftruncateSync(descriptor, walk.packetBytes);
  }
}

function cut(files: FileSystem, descriptor: number, bytes: number, cutBytes: number): void {
  if (cutBytes > 0) files.ftruncateSync(descriptor, bytes);
}
