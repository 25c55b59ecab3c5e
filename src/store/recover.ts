import { join } from 'node:path';
import type { CaptureIndex } from './capture-index.ts';
import { errnoOf, type FileSystem, removeFile } from './file-system.ts';
import { spanOf } from './indexed-file.ts';
import { finishLeftover } from './leftover.ts';
import { parseLiveName, PART_SUFFIX } from './live-names.ts';
import { lanesOf } from './read-capture.ts';
import type { FileOwner } from './record.ts';

export interface RecoverOptions extends FileOwner {
  readonly now: () => number;
  /** Nothing new is begun after so long, milliseconds. */
  readonly budgetMs: number;
}

/** What became of files that a crash left. */
export interface Recovered {
  readonly finished: readonly {
    readonly path: string;
    readonly packets: number;
    /** Bytes at its end that were no whole record. */
    readonly cutBytes: number;
    readonly lanes: readonly string[];
  }[];
  /** Files that held no packet, and half-made compressed ones. */
  readonly removed: readonly string[];
  /** Files that nothing can be read in: they are called `<path>.damaged` now. */
  readonly setAside: readonly string[];
  readonly failed: readonly { readonly path: string; readonly error: string }[];
  /** Those that were not got to. */
  readonly rest: readonly string[];
}

/** Finishes files that were left as `<path>.part`, and adds them to the index. */
export function recoverLeftovers(
  files: FileSystem,
  directory: string,
  index: CaptureIndex,
  paths: readonly string[],
  { sink, owner, now, budgetMs }: RecoverOptions,
): Recovered {
  const beganMs = now();
  const finished: Recovered['finished'][number][] = [];
  const removed: string[] = [];
  const setAside: string[] = [];
  const failed: Recovered['failed'][number][] = [];
  for (const [done, path] of paths.entries()) {
    if (done > 0 && now() - beganMs >= budgetMs) {
      return { finished, removed, setAside, failed, rest: paths.slice(done) };
    }
    const slash = path.lastIndexOf('/');
    const live = parseLiveName(path.slice(slash + 1));
    if (live === undefined) continue;
    try {
      if (live.compression !== 'none') {
        if (removeFile(files, join(directory, path + PART_SUFFIX))) removed.push(path);
        continue;
      }
      const end = finishLeftover(files, directory, path, live);
      if (end.kind === 'removed') removed.push(path);
      if (end.kind === 'set aside') setAside.push(path);
      if (end.kind !== 'finished') continue;
      const lanes = lanesOf(end.walk, path.slice(0, slash));
      const { size } = files.statSync(join(directory, path));
      const known = lanes.every(({ dropped }) => dropped !== undefined);
      index.add({
        path,
        sink,
        worker: live.worker,
        format: live.format,
        compression: 'none',
        state: 'finished',
        origin: 'recovered',
        owner,
        packets: end.packets,
        dropped: known ? lanes.reduce((sum, { dropped = 0 }) => sum + dropped, 0) : undefined,
        bytes: size,
        captureBytes: size,
        sha256: undefined,
        lanes,
        ...spanOf(lanes.filter(({ packets }) => packets > 0)),
      });
      const names = lanes.map(({ name }) => name);
      finished.push({ path, packets: end.packets, cutBytes: end.cutBytes, lanes: names });
    } catch (error) {
      if (errnoOf(error) === '') throw error;
      if (errnoOf(error) !== 'ENOENT') failed.push({ path, error: errnoOf(error) });
    }
  }
  return { finished, removed, setAside, failed, rest: [] };
}
