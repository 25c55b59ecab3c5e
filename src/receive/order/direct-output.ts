import type { PacketBatch } from '../../packet/batch.ts';
import { Mark } from '../../packet/mark.ts';
import { PlacedPacket } from '../../packet/placed-packet.ts';
import type { OrderCounts } from './order-counts.ts';
import type { OrderedOutput } from './resequencer-options.ts';

/** The way of packets that leave at once, straight out of the batch in which they came. */
export class DirectOutput {
  readonly #output: OrderedOutput;
  readonly #counts: OrderCounts;
  readonly #packet = new PlacedPacket();

  constructor(output: OrderedOutput, counts: OrderCounts) {
    this.#output = output;
    this.#counts = counts;
  }

  /** @param mark bits of `Mark` that are added to the packet's own */
  pass(batch: PacketBatch, slot: number, mark: number): void {
    const packet = this.#packet;
    packet.frameAt = batch.frameAt[slot]!;
    packet.frameEnd = batch.frameEnd[slot]!;
    packet.mirrorSourceAt = batch.mirrorSourceAt[slot]!;
    packet.mirrorSourceVersion = batch.mirrorSourceVersion[slot]!;
    packet.lane = batch.lane[slot]!;
    packet.vni = batch.vni[slot]!;
    packet.encapsulation = batch.encapsulation[slot]!;
    packet.seconds = batch.seconds[slot]!;
    packet.nanoseconds = batch.nanoseconds[slot]!;
    packet.frameWireLen = batch.frameWireLen[slot]!;
    packet.transportVerdict = batch.transportVerdict[slot]!;
    packet.marks = batch.marks[slot]! | mark;
    this.#output.put(batch, packet);
  }

  /** A packet whose place was given up. */
  passLate(batch: PacketBatch, slot: number): void {
    this.#counts.late(batch.lane[slot]!);
    this.pass(batch, slot, Mark.late);
  }
}
