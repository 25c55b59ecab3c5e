/** What the threads of a store's pool run: one function a job. Started by `StorePool`. */
import { setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { FileSource } from '../../inputs/byte-source.ts';
import { InflateSource } from '../../inputs/inflate-source.ts';
import type { CaptureIndex } from '../../store/capture-index.ts';
import { isDatabaseError } from '../../store/index-file.ts';
import { makeFolder, nodeFileSystem as files } from '../../store/file-system.ts';
import { compressFlowFiles, findFlowFiles } from '../../store/flow-files.ts';
import { checkIndex, nowLeftOver, openFolder, orphansOf, withIndex } from '../../store/folder.ts';
import { recordFinished } from '../../store/record.ts';
import { keepWaiting } from '../../store/keep-waiting.ts';
import type { FileCompression } from '../../store/live-names.ts';
import { joinOwners, ownerName } from '../../store/owner.ts';
import { recoverLeftovers } from '../../store/recover.ts';
import { retain as retainFiles } from '../../store/retain.ts';
import { scanFolder } from '../../store/scan.ts';
import type { StoreJobs } from './store-tasks.ts';

/** Below the threads that receive: Linux keeps niceness by thread. */
const NICENESS = 10;

/** For what takes long. A thread cannot go back: what must be done soon is done by one that has not done this, if there is. */
function yieldToReceivers(): void {
  if (!isMainThread && process.platform === 'linux') setPriority(0, NICENESS);
}

export const open: StoreJobs['open'] = ({ directory, self }) => {
  makeFolder(files, directory);
  return openFolder(files, directory, self);
};

export const reconsider: StoreJobs['reconsider'] = ({ directory, self, undecided }) =>
  nowLeftOver(files, directory, self, undecided);

export const orphans: StoreJobs['orphans'] = ({ directory, self, worker, diedMs }) =>
  orphansOf(files, directory, self, worker, diedMs);

export const recover: StoreJobs['recover'] = ({ directory, sink, self, paths, budgetMs }) =>
  withIndex(directory, (index) => {
    const file = { sink, owner: ownerName(self) };
    return recoverLeftovers(files, directory, index, paths, { ...file, budgetMs, now: Date.now });
  });

export const record: StoreJobs['record'] = ({ directory, sink, self, files: finished }) =>
  withIndex(directory, (index) => {
    recordFinished(files, directory, index, { sink, owner: ownerName(self) }, finished);
    return index.totals();
  });

export const keep: StoreJobs['keep'] = ({ directory, compress, self, budgetMs }) => {
  yieldToReceivers();
  return withIndex(directory, (index) =>
    keepWaiting(files, directory, index, { compress, owner: ownerName(self), budgetMs, now: Date.now }),
  );
};

export const retain: StoreJobs['retain'] = ({ directory, limits, budgetMs }) => {
  const options = { limits, budgetMs, now: Date.now };
  const pass = (index: CaptureIndex | undefined) => ({
    ...retainFiles(files, directory, index, options),
    totals: index?.totals(),
    oldestSeconds: index?.oldest(1)[0]?.lastSeconds,
  });
  let began = false;
  try {
    return withIndex(directory, (index) => {
      began = true;
      return pass(index);
    });
  } catch (error) {
    // on a full disk the index may not even open: room is made all the same
    if (began && !isDatabaseError(error)) throw error;
    return pass(undefined);
  }
};

export const scan: StoreJobs['scan'] = ({ directory, sink, compress, self, ...task }) => {
  yieldToReceivers();
  return withIndex(directory, async (index) => {
    const options = { sink, compress, owner: ownerName(self), now: Date.now, inflate };
    const scanned = await scanFolder(files, directory, index, task.cursor, { ...task, ...options });
    return { ...scanned, totals: index.totals() };
  });
};

export const findFlows: StoreJobs['findFlows'] = ({ directory, self, compress }) =>
  findFlowFiles(files, directory, self, compress);

export const compressFlows: StoreJobs['compressFlows'] = ({ directory, self, paths, ...task }) => {
  yieldToReceivers();
  // workers that have ended may have said that nobody is here any more
  joinOwners(files, directory, self);
  return compressFlowFiles(files, directory, paths, { ...task, now: Date.now });
};

export const mend: StoreJobs['mend'] = ({ directory }) => checkIndex(files, directory);

async function inflate(path: string, compression: FileCompression): Promise<InflateSource> {
  const source = await FileSource.open(path);
  return new InflateSource(source, Buffer.alloc(0), compression === 'gzip' ? 'gzip' : 'zstd', path);
}
