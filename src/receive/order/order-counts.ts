import { AnalysisTally, DISPLACEMENT_LIMITS } from '../analysis-tally.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../lane-counters.ts';
import { Tally } from '../tally.ts';

/** Everything that is counted of putting packets in order: for the worker, for the lane, and in the packet ledger. */
export class OrderCounts {
  readonly #tally: Float64Array;
  readonly #laneCounters: Float64Array;
  readonly #ledger: Float64Array | undefined;

  /**
   * @param tally        this worker's row of `AnalysisTally`
   * @param laneCounters this worker's rows of `LaneCounter`
   * @param ledger       this worker's row of `Tally`; undefined where a packet that is held counts as delivered all the same
   */
  constructor(tally: Float64Array, laneCounters: Float64Array, ledger: Float64Array | undefined) {
    this.#tally = tally;
    this.#laneCounters = laneCounters;
    this.#ledger = ledger;
    // the row may be that of a worker that died
    tally[AnalysisTally.heldPackets] = 0;
    tally[AnalysisTally.heldBytes] = 0;
  }

  get heldPackets(): number {
    return this.#tally[AnalysisTally.heldPackets]!;
  }

  /** A packet was put before `behind` others of its stream that had come before it. */
  reordered(lane: number, behind: number): void {
    this.#both(lane, AnalysisTally.reordered, LaneCounter.reordered);
    let bucket = 0;
    while (behind > DISPLACEMENT_LIMITS[bucket]!) bucket++;
    this.#tally[AnalysisTally.displacement + bucket]! += 1;
  }

  late(lane: number): void {
    this.#both(lane, AnalysisTally.late, LaneCounter.late);
  }

  gap(lane: number): void {
    this.#both(lane, AnalysisTally.gaps, LaneCounter.gaps);
  }

  releasedEarly(packets: number): void {
    this.#tally[AnalysisTally.releasedEarly]! += packets;
  }

  streamEvicted(): void {
    this.#tally[AnalysisTally.streamsEvicted]! += 1;
  }

  /** @param payloadBytes UDP payload bytes of the outer packet */
  held(frameBytes: number, payloadBytes: number): void {
    this.#move(1, frameBytes, payloadBytes);
  }

  left(frameBytes: number, payloadBytes: number): void {
    this.#move(-1, -frameBytes, -payloadBytes);
  }

  #move(packets: number, frameBytes: number, payloadBytes: number): void {
    this.#tally[AnalysisTally.heldPackets]! += packets;
    this.#tally[AnalysisTally.heldBytes]! += frameBytes;
    const ledger = this.#ledger;
    if (ledger === undefined) return;
    ledger[Tally.delivered]! -= packets;
    ledger[Tally.delivered + 1]! -= payloadBytes;
    ledger[Tally.held]! += packets;
    ledger[Tally.held + 1]! += payloadBytes;
  }

  #both(lane: number, counter: number, laneCounter: number): void {
    this.#tally[counter]! += 1;
    this.#laneCounters[lane * LANE_COUNTERS_LENGTH + laneCounter]! += 1;
  }
}
