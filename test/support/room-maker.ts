import { nodeFileSystem } from '../../src/store/file-system.ts';
import { retain } from '../../src/store/retain.ts';
import type { FaultyDisk } from './faulty-disk.ts';

/** Deletes old files of a folder as the store does it when a sink asks for room, on a disk that a test controls. */
export function roomMaker(disk: FaultyDisk, directory: string, keepFreePercent: number): () => Promise<void> {
  const files = {
    ...nodeFileSystem,
    statfsSync: (() => {
      const { freeBytes, totalBytes } = disk.space ?? { freeBytes: 90, totalBytes: 100 };
      return { bavail: freeBytes, blocks: totalBytes, bsize: 1 };
    }) as unknown as typeof nodeFileSystem.statfsSync,
    unlinkSync: (path: string) => {
      disk.removed.push(path);
      nodeFileSystem.unlinkSync(path);
    },
  };
  const limits = { keepBytes: 0, keepSeconds: 0, keepFreePercent };
  return async () => {
    retain(files as typeof nodeFileSystem, directory, undefined, { limits, now: Date.now, budgetMs: 1000 });
  };
}
