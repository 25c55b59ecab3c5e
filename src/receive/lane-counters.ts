import type { Layers } from '../packet/layers.ts';

/**
 * What is counted for one lane in one worker: a row of 64-bit floats in shared memory. Rows of all lanes of a
 * worker lie one after the other by directory slot.
 */
export const LaneCounter = {
  packets: 0,
  /** Inner bytes that arrived. */
  bytes: 1,
  /** Inner bytes before anything cut them. */
  wireBytes: 2,
  truncated: 3,
  snapped: 4,
  reordered: 5,
  /** Earliest and latest arrival; meaningful once `packets` or `duplicates` is not 0. */
  firstSeconds: 6,
  firstNanoseconds: 7,
  lastSeconds: 8,
  lastNanoseconds: 9,
  /** The first of the verdicts on inner IPv4 headers: `ipVerdict + Verdict.x`. */
  ipVerdict: 10,
  /** The first of the verdicts on inner transport checksums: `transportVerdict + Verdict.x`. */
  transportVerdict: 16,
  /** Copies that another mirror source, or a session of another VNI, had delivered before. */
  duplicates: 22,
  /** Packets that left the resequencer after a later one of their flow. */
  late: 23,
  /** Places in the sequence that the resequencer gave up waiting for. */
  gaps: 24,
  /** TCP flows that ended, or were reported at the end. */
  tcpFlows: 25,
  /** Of these, those with data of which packets of one direction only came. */
  oneSidedFlows: 26,
  /** TCP payload bytes that the other side acknowledged, in directions whose data was seen before and after. */
  ackedBytes: 27,
  /** Of these, those that never came: lost on the way to this appliance. */
  unseenBytes: 28,
  /** TCP flows that are open. */
  openTcpFlows: 29,
} as const;

/** Floats in a row. */
export const LANE_COUNTERS_LENGTH = 30;

// for speed: see "Constants" in src/README.md
const Counter = LaneCounter;

/**
 * Counts one delivered frame.
 *
 * @param row     the worker's rows
 * @param at      index of the lane's first counter: `slot * LANE_COUNTERS_LENGTH`
 * @param seconds arrival, whole seconds since the epoch, and `nanoseconds` within it
 */
export function countFrame(
  row: Float64Array,
  at: number,
  layers: Layers,
  seconds: number,
  nanoseconds: number,
): void {
  noteTime(row, at, seconds, nanoseconds);
  row[at + Counter.packets]! += 1;
  row[at + Counter.bytes]! += layers.frameEnd - layers.frameAt;
  row[at + Counter.wireBytes]! += layers.frameWireLen;
  if (layers.truncated === 1) row[at + Counter.truncated]! += 1;
  if (layers.snapped === 1) row[at + Counter.snapped]! += 1;
  row[at + Counter.ipVerdict + layers.ipVerdict]! += 1;
  row[at + Counter.transportVerdict + layers.transportVerdict]! += 1;
}

/** Counts one duplicate that is delivered to nobody; `countFrame` is not told of it. */
export function countLeftOut(row: Float64Array, at: number, seconds: number, nanoseconds: number): void {
  noteTime(row, at, seconds, nanoseconds);
  row[at + Counter.duplicates]! += 1;
}

function noteTime(row: Float64Array, at: number, seconds: number, nanoseconds: number): void {
  if (isEmpty(row, at)) begin(row, at, seconds, nanoseconds);
  const latest = row[at + Counter.lastSeconds]!;
  if (seconds > latest || (seconds === latest && nanoseconds > row[at + Counter.lastNanoseconds]!)) {
    row[at + Counter.lastSeconds] = seconds;
    row[at + Counter.lastNanoseconds] = nanoseconds;
  }
  const earliest = row[at + Counter.firstSeconds]!;
  if (seconds < earliest || (seconds === earliest && nanoseconds < row[at + Counter.firstNanoseconds]!)) {
    row[at + Counter.firstSeconds] = seconds;
    row[at + Counter.firstNanoseconds] = nanoseconds;
  }
}

function begin(row: Float64Array, at: number, seconds: number, nanoseconds: number): void {
  row[at + Counter.firstSeconds] = seconds;
  row[at + Counter.firstNanoseconds] = nanoseconds;
  row[at + Counter.lastSeconds] = seconds;
  row[at + Counter.lastNanoseconds] = nanoseconds;
}

/** Adds one row to another: what both counted, as if one had counted all of it. */
export function addRow(total: Float64Array, totalAt: number, row: Float64Array, at: number): void {
  if (isEmpty(row, at)) return;
  const empty = isEmpty(total, totalAt);
  if (empty || isBefore(row, at + Counter.firstSeconds, total, totalAt + Counter.firstSeconds)) {
    total[totalAt + Counter.firstSeconds] = row[at + Counter.firstSeconds]!;
    total[totalAt + Counter.firstNanoseconds] = row[at + Counter.firstNanoseconds]!;
  }
  if (empty || isBefore(total, totalAt + Counter.lastSeconds, row, at + Counter.lastSeconds)) {
    total[totalAt + Counter.lastSeconds] = row[at + Counter.lastSeconds]!;
    total[totalAt + Counter.lastNanoseconds] = row[at + Counter.lastNanoseconds]!;
  }
  for (let i = 0; i < LANE_COUNTERS_LENGTH; i++) {
    if (i < Counter.firstSeconds || i >= Counter.ipVerdict) total[totalAt + i]! += row[at + i]!;
  }
}

/** Whether the lane had no packet in this worker: its times say nothing then. */
export function isEmpty(row: Float64Array, at: number): boolean {
  return row[at + Counter.packets] === 0 && row[at + Counter.duplicates] === 0;
}

/** Compares times: seconds at the index, nanoseconds right after it. */
function isBefore(a: Float64Array, aAt: number, b: Float64Array, bAt: number): boolean {
  return a[aAt] === b[bAt] ? a[aAt + 1]! < b[bAt + 1]! : a[aAt]! < b[bAt]!;
}
