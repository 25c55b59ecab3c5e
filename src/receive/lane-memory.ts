import { LANE_COUNTERS_LENGTH } from './lane-counters.ts';

/** Past the lanes of the limit: one overflow lane for Ethernet frames, one for raw IP. */
export const OVERFLOW_SLOTS = 2;

// a slot's entry: 32-bit integers
export const KEY = 0;
export const ENDPOINT_HIGH = 1;
export const ENDPOINT_LOW = 2;
/** Grows each time the slot is given to a lane, so that a reader sees when its lane was replaced. */
export const SERIAL = 3;
export const ENTRY_LENGTH = 4;

// the head of the directory
export const LOCK = 0;
export const USED = 1;
export const NEXT = 2;
export const CLOSED = 3;
export const HEAD_LENGTH = 4;

/** Shared memory that all workers and the main thread look lanes up in. */
export interface LaneMemory {
  readonly maxLanes: number;
  readonly workers: number;
  /** Directory: head, entries, hash table; 32-bit integers. */
  readonly directory: SharedArrayBuffer;
  /** `workers` blocks of rows of lane counters, one a slot and one for lanes that are closed; 64-bit floats. */
  readonly counters: SharedArrayBuffer;
}

/** @param maxLanes lanes of the whole process; what comes past them shares the overflow lanes */
export function allocateLanes(maxLanes: number, workers: number): LaneMemory {
  const words = HEAD_LENGTH + (maxLanes + OVERFLOW_SLOTS) * ENTRY_LENGTH + tableLength(maxLanes);
  const floats = workers * counterRows(maxLanes + OVERFLOW_SLOTS) * LANE_COUNTERS_LENGTH;
  return {
    maxLanes,
    workers,
    directory: new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT),
    counters: new SharedArrayBuffer(floats * Float64Array.BYTES_PER_ELEMENT),
  };
}

/** Rows of lane counters of a worker: one a slot, and past those one for what is counted for lanes that are closed. */
export function counterRows(slots: number): number {
  return slots + 1;
}

/** More than twice as long as there are lanes: a search always meets an empty bucket, and soon. */
function tableLength(maxLanes: number): number {
  return 2 ** Math.ceil(Math.log2(2 * maxLanes + 2));
}
