import { allocateMemory, type SharedMemory, type SinkPlan, tallyOf } from '../../src/app/shared-memory.ts';
import { Encapsulation } from '../../src/packet/lane.ts';
import { Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { countFrame, LANE_COUNTERS_LENGTH } from '../../src/receive/lane-counters.ts';
import { LaneDirectory } from '../../src/receive/lanes.ts';
import { count, Tally } from '../../src/receive/tally.ts';

/** Shared memory of workers that exist only in a test, which counts for them. */
export class CountedMemory {
  readonly memory: SharedMemory;
  readonly lanes: LaneDirectory;
  readonly #layers = new Layers();

  constructor(workers: number, maxLanes: number, sinkPlans: readonly SinkPlan[] = []) {
    this.memory = allocateMemory(workers, maxLanes, sinkPlans);
    this.lanes = new LaneDirectory(this.memory.lanes);
  }

  /** Counts a delivered frame of `bytes` inner bytes, VXLAN unless said otherwise, as its worker would. */
  frame(
    worker: number,
    vni: number,
    seconds: number,
    nanoseconds = 0,
    bytes = 100,
    encapsulation: Encapsulation = Encapsulation.vxlan,
  ): void {
    const tally = tallyOf(this.memory, worker);
    tally[Tally.inputBytes]! += bytes + 50;
    count(tally, Tally.received, bytes + 8);
    count(tally, Tally.delivered, bytes + 8);
    this.#layers.frameAt = 0;
    this.#layers.frameEnd = bytes;
    this.#layers.frameWireLen = bytes + 7;
    const slot = this.lanes.slot(encapsulation, vni, 0, 0, 0, LinkType.ethernet);
    const row = this.lanes.counters(worker);
    countFrame(row, slot * LANE_COUNTERS_LENGTH, this.#layers, seconds, nanoseconds);
  }

  /** Counts a packet of `bytes` UDP payload bytes in a bucket besides `delivered`. */
  other(worker: number, bucket: number, bytes = 30): void {
    const tally = tallyOf(this.memory, worker);
    tally[Tally.inputBytes]! += bytes + 42;
    count(tally, Tally.received, bytes);
    count(tally, bucket, bytes);
  }
}
