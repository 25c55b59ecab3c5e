import { join } from 'node:path';
import type { CaptureIndex } from './capture-index.ts';
import type { FileSystem } from './file-system.ts';
import { type IndexedLane, spanOf } from './indexed-file.ts';
import { parseLiveName } from './live-names.ts';

/** What a sink says of a file that it has finished. */
export interface Finished {
  readonly worker: number;
  readonly file: {
    /** Relative to the folder. */
    readonly path: string;
    readonly bytes: number;
    readonly packets: number;
    readonly lanes: readonly IndexedLane[];
  };
}

/** Whose file a row of the index is. */
export interface FileOwner {
  readonly sink: string;
  /** `ownerName` of the process that does the rest. */
  readonly owner: string;
}

/** Adds finished files to the index. One that is gone by now, or was found and dealt with already, is passed over. */
export function recordFinished(
  files: FileSystem,
  directory: string,
  index: CaptureIndex,
  { sink, owner }: FileOwner,
  finished: readonly Finished[],
): void {
  index.together(() => {
    for (const { worker, file } of finished) {
      const { path, bytes, packets, lanes } = file;
      const live = parseLiveName(path.slice(path.lastIndexOf('/') + 1));
      if (live === undefined || index.has(path) || !files.existsSync(join(directory, path))) continue;
      index.add({
        path,
        sink,
        worker,
        format: live.format,
        compression: 'none',
        state: 'finished',
        origin: 'sink',
        owner,
        packets,
        dropped: lanes.reduce((sum, { dropped = 0 }) => sum + dropped, 0),
        bytes,
        captureBytes: bytes,
        sha256: undefined,
        lanes,
        ...spanOf(lanes),
      });
    }
  });
}
