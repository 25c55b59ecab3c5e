import * as laneCounting from '../lane-counters.ts';
import * as layout from './flow-layout.ts';
import { isTcp } from './flow-reporter.ts';

// for speed: see "Constants" in src/README.md
const { LANE_COUNTERS_LENGTH, LaneCounter } = laneCounting;
const { ENDPOINT_HIGH, ENDPOINT_LOW, LANE_KEY, LANE_SHIFT, STATE } = layout;

/** The places of lanes. One that is closed gives its place back, and another lane may have it then. */
export interface LanePlaces {
  /** Place of what is counted for lanes that are closed. */
  readonly closedSlot: number;
  /** Whether a slot is that of the lane of this key; the overflow lanes are everybody's. */
  isOf(slot: number, key: number, endpointHigh: number, endpointLow: number): boolean;
}

/**
 * Which lane a flow counts for. It outlives its lane where that is closed before it ends: what it has to count then is kept
 * apart, since another lane may have the place. Counts how many TCP flows of each lane are open, so that no lane need be
 * closed before.
 *
 * `at` is the first word of the flow's row.
 */
export class FlowLanes {
  readonly #words: Int32Array;
  readonly #laneCounters: Float64Array;
  readonly #places: LanePlaces;

  /** @param laneCounters the worker's rows of `LaneCounter`; flows that its predecessor had open are none any more */
  constructor(words: Int32Array, laneCounters: Float64Array, places: LanePlaces) {
    this.#words = words;
    this.#laneCounters = laneCounters;
    this.#places = places;
    for (let i: number = LaneCounter.openTcpFlows; i < laneCounters.length; i += LANE_COUNTERS_LENGTH)
      laneCounters[i] = 0;
  }

  /** The slot of a flow's lane, or that of closed lanes. */
  of(at: number): number {
    const words = this.#words;
    const slot = words[at + STATE]! >>> LANE_SHIFT;
    const isHeld = this.#places.isOf(
      slot,
      words[at + LANE_KEY]!,
      words[at + ENDPOINT_HIGH]!,
      words[at + ENDPOINT_LOW]!,
    );
    return isHeld ? slot : this.#places.closedSlot;
  }

  /** A flow begins in the lane that its row names. */
  begin(at: number): void {
    if (isTcp(this.#words, at)) this.#countOpen(this.#words[at + STATE]! >>> LANE_SHIFT, 1);
  }

  /** A flow ends; returns the slot that it counts for. */
  end(at: number): number {
    const slot = this.of(at);
    if (isTcp(this.#words, at)) this.#countOpen(slot, -1);
    return slot;
  }

  /** The flow's lane has another place now: it was closed, and came again. */
  move(at: number, slot: number): void {
    const words = this.#words;
    if (isTcp(words, at)) {
      this.#countOpen(this.of(at), -1);
      this.#countOpen(slot, 1);
    }
    words[at + STATE] = (words[at + STATE]! & ~(-1 << LANE_SHIFT)) | (slot << LANE_SHIFT);
  }

  #countOpen(slot: number, flows: 1 | -1): void {
    const at = slot * LANE_COUNTERS_LENGTH + LaneCounter.openTcpFlows;
    // a lane that got its old place again has counted from 0
    this.#laneCounters[at] = Math.max(0, this.#laneCounters[at]! + flows);
  }
}
