import type { PacketBlockReader } from '../../../format/packet-block.ts';
import type { Lane } from '../../../packet/lane.ts';
import { murmur2 } from '../../../wire/murmur2.ts';
import { ownText } from './texts.ts';

/**
 * Lanes that are remembered from one call to the next, some 500 bytes each; past them all are forgotten. More than the setting
 * `maxLanes` allows at one time.
 */
const LANES_MAX = 70_000;

/** What all packets of a lane have in common. */
export interface LaneFacts {
  /** A number that no other lane gets. */
  readonly id: number;
  readonly lane: Lane;
  /** Key of packets without IP, and its hash. */
  readonly key: Buffer;
  readonly hash: number;
  /** Header values. */
  readonly gwlbEndpoint: Buffer | undefined;
  readonly linkType: Buffer;
}

/** Lanes that blocks have described. The same lane is the same object until `trim`, in whichever block it is told. */
export class LaneTable {
  readonly #lanesMax: number;
  readonly #byName = new Map<string, LaneFacts>();
  #lastLane: Lane | undefined;
  #last: LaneFacts | undefined;
  #nextId = 1;

  constructor(lanesMax: number = LANES_MAX) {
    this.#lanesMax = lanesMax;
  }

  /** The lane of the packet that the reader has found; undefined where the block does not describe it. */
  of(reader: PacketBlockReader): LaneFacts | undefined {
    const lane = reader.lanes.get(reader.laneSlot);
    if (lane === this.#lastLane) return this.#last;
    if (lane === undefined) return undefined;
    this.#lastLane = lane;
    this.#last = this.#byName.get(lane.name) ?? this.#add(lane);
    return this.#last;
  }

  /** Forgets all lanes if they are many: those in use are found again. */
  trim(): void {
    if (this.#byName.size <= this.#lanesMax) return;
    this.#byName.clear();
    this.#lastLane = undefined;
    this.#last = undefined;
  }

  #add(lane: Lane): LaneFacts {
    const key = ownText(lane.name);
    const facts = {
      id: this.#nextId++,
      lane,
      key,
      hash: murmur2(key),
      gwlbEndpoint: lane.gwlbEndpointId === undefined ? undefined : ownText(lane.gwlbEndpointId),
      linkType: ownText(String(lane.linkType)),
    };
    this.#byName.set(lane.name, facts);
    return facts;
  }
}
