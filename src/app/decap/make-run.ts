import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MAX_INTERFACES } from '../../format/limits.ts';
import { OVERFLOW_SLOTS } from '../../receive/lane-memory.ts';
import type { CommandIo } from '../io.ts';
import { OneWorkerDecap } from './one-worker.ts';
import type { DecapOptions, DecapRun } from './options.ts';

const CHUNK_BYTES = 4_194_304;
/** Less than this is done before threads have started. */
const SEVERAL_FROM_BYTES = 67_108_864;

/** Makes the run that suits what is to be done. */
export async function makeRun(options: DecapOptions, io: CommandIo): Promise<DecapRun> {
  const workers = workersFor(options);
  if (workers === 1) return new OneWorkerDecap(options, io);
  const { SeveralWorkersDecap } = await import('./several-workers.ts');
  return new SeveralWorkersDecap(options, { workers, chunkBytes: CHUNK_BYTES });
}

function workersFor(options: DecapOptions): number {
  const wanted = options.workers === 0 ? availableParallelism() : options.workers;
  if (wanted === 1 || needsOrder(options) || !isLarge(options.files)) return 1;
  return wanted;
}

/** Whether something must know all packets before it, or comes as a stream. */
function needsOrder({ files, out, config }: DecapOptions): boolean {
  if (files.includes('-') || config.analysis.checksums.verify === 'sampled') return true;
  return out === '-' && config.admission.maxLanes + OVERFLOW_SLOTS > MAX_INTERFACES;
}

function isLarge(files: readonly string[]): boolean {
  let bytes = 0;
  for (const path of files) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() === true) bytes += stats.size;
    if (bytes >= SEVERAL_FROM_BYTES) return true;
  }
  return false;
}
