import { LANE_ENTRY_BYTES, packetEntryBytes, writeLane, writePacket } from '../../format/packet-block.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { Lane, LaneReader } from '../../packet/lane.ts';
import type { Sink } from '../../pipeline/sink.ts';
import { Outgoing, type OutgoingOptions } from './outgoing.ts';

export interface KafkaPacketsOptions extends OutgoingOptions {
  readonly lanes: LaneReader;
}

const DONE: Promise<void> = Promise.resolve();

/** A worker's end of the way to Kafka: copies packets into the channel to its courier, which does all the rest. */
export class KafkaPacketsSink implements Sink {
  readonly #outgoing: Outgoing;
  readonly #lanes: LaneReader;
  /** Lanes that the open block describes, by slot. */
  readonly #described = new Map<number, Lane>();

  constructor(options: KafkaPacketsOptions) {
    this.#outgoing = new Outgoing(options);
    this.#lanes = options.lanes;
  }

  open(): Promise<void> {
    this.#outgoing.begin();
    return DONE;
  }

  write(batch: PacketBatch): Promise<void> {
    let passed = 0;
    for (let i = 0; i < batch.deliveredCount; i++) {
      if (!this.#copy(batch, batch.delivered[i] ?? 0)) break;
      passed++;
    }
    if (passed > 0) this.#outgoing.passed(passed);
    if (passed < batch.deliveredCount) this.#outgoing.drop(batch.deliveredCount - passed);
    return DONE;
  }

  flush(): Promise<void> {
    this.#outgoing.writer.publish();
    return DONE;
  }

  close(): Promise<void> {
    this.#outgoing.close();
    return DONE;
  }

  #copy(batch: PacketBatch, slot: number): boolean {
    const { writer } = this.#outgoing;
    const bytes = packetEntryBytes((batch.frameEnd[slot] ?? 0) - (batch.frameAt[slot] ?? 0));
    let at = writer.reserve(bytes + LANE_ENTRY_BYTES);
    if (at < 0) return false;
    if (at === 0) this.#described.clear();
    const { block } = writer;
    const laneSlot = batch.lane[slot] ?? 0;
    const lane = this.#lanes.lane(laneSlot);
    if (this.#described.get(laneSlot) !== lane) {
      at = writeLane(block, at, laneSlot, lane);
      this.#described.set(laneSlot, lane);
    }
    writer.commit(writePacket(block, at, batch, slot), 1);
    return true;
  }
}
