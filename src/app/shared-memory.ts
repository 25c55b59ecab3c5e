import { allocateChannel, type ChannelMemory } from '../pipeline/channel/channel-memory.ts';
import { SinkCounters } from '../pipeline/sink-counters.ts';
import type { ChannelSize } from '../pipeline/sink.ts';
import { ANALYSIS_TALLY_LENGTH } from '../receive/analysis-tally.ts';
import { allocateLanes, type LaneMemory } from '../receive/lane-memory.ts';
import { allocateSymmetry } from '../receive/symmetry-memory.ts';
import { settled, Tally, TALLY_LENGTH } from '../receive/tally.ts';
import { assert, AssertionFailure } from '../wire/assert.ts';

/** What the counters must know of a configured sink. */
export interface SinkPlan {
  /** What report and metrics call it: the sink's name, with `.flows` where a sink takes both packets and flow records. */
  readonly name: string;
  /** The sink's name in the settings, where it is another. */
  readonly sink?: string;
  readonly kind: string;
  /** It writes to another machine. */
  readonly remote?: boolean;
  /** The worker's half of it fills a channel of this size, which a courier empties. */
  readonly channel?: ChannelSize;
  /** What it takes, and what its ledger counts. */
  readonly takes: 'packets' | 'flows';
  readonly dropReasons: readonly string[];
  /** What its kind counts besides. */
  readonly counters?: readonly string[];
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
  /** `workers` rows of `ANALYSIS_TALLY_LENGTH` floats. */
  readonly analysis: SharedArrayBuffer;
  /** `workers` rows, each one row of `SinkCounters` a sink, one after the other; two where there is a courier, its own the second. */
  readonly sinks: SharedArrayBuffer;
  /** `workers` rows, each one channel a sink; undefined where a sink has none. */
  readonly channels: readonly (readonly (ChannelMemory | undefined)[])[];
  /** A sample of connections and who saw them; see `receive/symmetry-memory.ts`. */
  readonly symmetry: SharedArrayBuffer;
}

const FLOAT_BYTES = Float64Array.BYTES_PER_ELEMENT;
/** A sink's worker settles packets at any time: a copy that shows more of them than were delivered is taken again. */
const READS_MAX = 1000;

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
    analysis: new SharedArrayBuffer(workers * ANALYSIS_TALLY_LENGTH * FLOAT_BYTES),
    sinks: new SharedArrayBuffer(workers * sinkRowsLength(sinkPlans) * FLOAT_BYTES),
    channels: Array.from({ length: workers }, () =>
      sinkPlans.map(({ channel }) =>
        channel === undefined ? undefined : allocateChannel(channel.bytes, channel.records),
      ),
    ),
    symmetry: allocateSymmetry(),
  };
}

/** The packet ledger of one worker, to write to; see `Tally`. */
export function tallyOf(memory: SharedMemory, worker: number): Float64Array {
  return new Float64Array(memory.tallies, worker * TALLY_LENGTH * FLOAT_BYTES, TALLY_LENGTH);
}

/** What one worker counts of fragments, duplicates, order and flows, to write to; see `AnalysisTally`. */
export function analysisTallyOf(memory: SharedMemory, worker: number): Float64Array {
  const at = worker * ANALYSIS_TALLY_LENGTH * FLOAT_BYTES;
  return new Float64Array(memory.analysis, at, ANALYSIS_TALLY_LENGTH);
}

/**
 * A copy of one worker's packet ledger that adds up whatever the worker is doing: packets of the batch that it has in
 * hand are told as received once they are in a bucket.
 */
export function readTally(memory: SharedMemory, worker: number): Float64Array {
  const copy = tallyOf(memory, worker).slice();
  copy[Tally.received] = settled(copy, 0);
  copy[Tally.received + 1] = settled(copy, 1);
  return copy;
}

/** One sink's ledger in one worker, to write to. `index` is the sink's place in `sinkPlans`. */
export function sinkCountersOf(memory: SharedMemory, worker: number, index: number): SinkCounters {
  const { row, dropReasons, counters } = sinkRow(memory, worker, index);
  return new SinkCounters(row, dropReasons, counters);
}

/** The courier's part of the ledger of a sink that has one, to write to. */
export function courierCountersOf(memory: SharedMemory, worker: number, index: number): SinkCounters {
  const { courierRow, dropReasons, counters } = sinkRow(memory, worker, index);
  assert(courierRow !== undefined, 'This sink has no courier.');
  return new SinkCounters(courierRow, dropReasons, counters);
}

/** A copy of one sink's ledger in one worker as it was at one moment. */
export function readSinkCounters(memory: SharedMemory, worker: number, index: number): SinkCounters {
  const { row, courierRow, dropReasons, counters } = sinkRow(memory, worker, index);
  const read = (): SinkCounters => {
    if (courierRow === undefined) return new SinkCounters(row.slice(), dropReasons, counters);
    // what a courier has settled was delivered before
    const second = courierRow.slice();
    return SinkCounters.ofTwo(row.slice(), second, dropReasons, counters);
  };
  let copy = read();
  for (let reads = 1; reads < READS_MAX && copy.pending < 0; reads++) copy = read();
  return copy;
}

function sinkRow(
  memory: SharedMemory,
  worker: number,
  index: number,
): {
  row: Float64Array;
  courierRow: Float64Array | undefined;
  dropReasons: readonly string[];
  counters: readonly string[];
} {
  const plan = memory.sinkPlans[index];
  if (plan === undefined) throw new AssertionFailure(`There is no sink number ${index}.`);
  const before = sinkRowsLength(memory.sinkPlans.slice(0, index));
  const at = worker * sinkRowsLength(memory.sinkPlans) + before;
  const { dropReasons, counters = [] } = plan;
  const length = SinkCounters.length(dropReasons, counters);
  const rowAt = (part: number): Float64Array =>
    new Float64Array(memory.sinks, (at + part * length) * FLOAT_BYTES, length);
  return {
    row: rowAt(0),
    courierRow: plan.channel === undefined ? undefined : rowAt(1),
    dropReasons,
    counters,
  };
}

function sinkRowsLength(plans: readonly SinkPlan[]): number {
  return plans.reduce(
    (length, { dropReasons, counters, channel }) =>
      length + SinkCounters.length(dropReasons, counters) * (channel === undefined ? 1 : 2),
    0,
  );
}
