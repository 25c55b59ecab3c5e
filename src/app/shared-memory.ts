import { SinkCounters } from '../pipeline/sink-counters.ts';
import { allocateLanes, type LaneMemory } from '../receive/lanes.ts';
import { TALLY_LENGTH } from '../receive/tally.ts';

/** What the counters must know of a configured sink. */
export interface SinkPlan {
  /** The user's name. */
  readonly name: string;
  readonly kind: string;
  readonly dropReasons: readonly string[];
}

/**
 * All that threads share: counters, which a worker writes and the main thread reads, and the directory of
 * lanes that names them. It is handed to a worker as it is; it outlives the worker.
 */
export interface SharedMemory {
  readonly workers: number;
  readonly sinkPlans: readonly SinkPlan[];
  readonly lanes: LaneMemory;
  /** `workers` rows of `TALLY_LENGTH` floats. */
  readonly tallies: SharedArrayBuffer;
  /** `workers` rows, each one row of `SinkCounters` a sink, one after the other. */
  readonly sinks: SharedArrayBuffer;
}

const FLOAT_BYTES = Float64Array.BYTES_PER_ELEMENT;

export function allocateMemory(
  workers: number,
  maxLanes: number,
  sinkPlans: readonly SinkPlan[],
): SharedMemory {
  return {
    workers,
    sinkPlans,
    lanes: allocateLanes(maxLanes, workers),
    tallies: new SharedArrayBuffer(workers * TALLY_LENGTH * FLOAT_BYTES),
    sinks: new SharedArrayBuffer(workers * sinkRowsLength(sinkPlans) * FLOAT_BYTES),
  };
}

/** The packet ledger of one worker; see `Tally`. */
export function tallyOf(memory: SharedMemory, worker: number): Float64Array {
  return new Float64Array(memory.tallies, worker * TALLY_LENGTH * FLOAT_BYTES, TALLY_LENGTH);
}

/** One sink's ledger in one worker. `index` is the sink's place in `sinkPlans`. */
export function sinkCountersOf(memory: SharedMemory, worker: number, index: number): SinkCounters {
  const plan = memory.sinkPlans[index];
  if (plan === undefined) throw new RangeError(`There is no sink number ${index}.`);
  const before = sinkRowsLength(memory.sinkPlans.slice(0, index));
  const at = worker * sinkRowsLength(memory.sinkPlans) + before;
  const length = SinkCounters.length(plan.dropReasons);
  return new SinkCounters(new Float64Array(memory.sinks, at * FLOAT_BYTES, length), plan.dropReasons);
}

function sinkRowsLength(plans: readonly SinkPlan[]): number {
  return plans.reduce((length, plan) => length + SinkCounters.length(plan.dropReasons), 0);
}
