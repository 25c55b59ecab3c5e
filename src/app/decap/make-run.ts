import { closeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MAX_INTERFACES } from '../../format/limits.ts';
import { openChunked } from '../../inputs/capture-chunk.ts';
import { OVERFLOW_SLOTS } from '../../receive/lane-memory.ts';
import type { CommandIo } from '../io.ts';
import { asksForAll } from '../../receive/select/selection-texts.ts';
import { type DecapOptions, type DecapRun, selectedBy, STDOUT, WORKERS_MAX } from './options.ts';

/** What a thread reads at a time, and what it writes of it, then stay in the nearer caches; 1 and 4 MiB took 10 % longer. */
const CHUNK_BYTES = 2_097_152;
/** Below this, one worker is done before threads have started and compiled what they run: 0.2 s. */
const SEVERAL_FROM_BYTES = 268_435_456;
/** Two threads gain less, since one worker has its files read by another thread already. */
const TWO_FROM_BYTES = 805_306_368;

/** Makes the run that suits what is to be done. */
export async function makeRun(options: DecapOptions, io: CommandIo): Promise<DecapRun> {
  const workers = workersFor(options, { two: TWO_FROM_BYTES, more: SEVERAL_FROM_BYTES });
  if (workers === 1) {
    const { OneWorkerDecap } = await import('./one-worker.ts');
    if (asksForAll(selectedBy(options))) return new OneWorkerDecap(options, io);
    // with the language of filters behind it: most runs take all packets
    const { selectSink } = await import('../selected-sink.ts');
    return new OneWorkerDecap(options, io, STDOUT, selectSink);
  }
  const { SeveralWorkersDecap } = await import('./several-workers.ts');
  return new SeveralWorkersDecap(options, { workers, chunkBytes: CHUNK_BYTES });
}

/**
 * How many threads: those that were asked for, or one where more would be of no use or could not keep the order.
 *
 * @param fromBytes what two threads, and more than two, are used for
 */
export function workersFor(options: DecapOptions, fromBytes: { two: number; more: number }): number {
  const wanted = options.workers === 0 ? Math.min(availableParallelism(), WORKERS_MAX) : options.workers;
  const enough = wanted === 2 ? fromBytes.two : fromBytes.more;
  if (wanted === 1 || needsOrder(options) || !isLarge(options.files, enough)) return 1;
  return wanted;
}

/**
 * Whether a packet cannot be judged without those before it: flows, duplicates, order; and one in so many, counted over
 * all files, that has its checksums verified. Completed checksums and a selection come with the same steps. Standard input has one
 * reader, and a pcapng of all lanes has a limit of its own for lanes.
 */
function needsOrder(options: DecapOptions): boolean {
  const { files, out, output, flows, config } = options;
  if (flows !== undefined || output.order === 'flow' || output.repair !== 'none') return true;
  if (config.analysis.duplicates.detect === 'on' || !asksForAll(selectedBy(options))) return true;
  if (files.includes('-') || config.analysis.checksums.verify === 'sampled') return true;
  return out === '-' && config.admission.maxLanes + OVERFLOW_SLOTS > MAX_INTERFACES;
}

/** Compressed files do not count: each of them is read by one thread, from its beginning. */
function isLarge(files: readonly string[], enough: number): boolean {
  let bytes = 0;
  for (const path of files) {
    const file = openChunked(path);
    if (file === undefined) continue;
    closeSync(file.descriptor);
    bytes += file.totalBytes;
    if (bytes >= enough) return true;
  }
  return false;
}
