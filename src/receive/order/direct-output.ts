import type { PacketBatch } from '../../packet/batch.ts';
import { Mark } from '../../packet/mark.ts';
import type { OrderCounts } from './order-counts.ts';
import type { OrderedOutput } from './resequencer-options.ts';

/** The way of packets that leave at once, straight out of the batch in which they came. */
export class DirectOutput {
  readonly #output: OrderedOutput;
  readonly #counts: OrderCounts;

  constructor(output: OrderedOutput, counts: OrderCounts) {
    this.#output = output;
    this.#counts = counts;
  }

  /** @param mark bits of `Mark` that are added to the packet's own */
  pass(batch: PacketBatch, slot: number, mark: number): void {
    this.#output.put(
      batch,
      batch.frameAt[slot]!,
      batch.frameEnd[slot]!,
      batch.lane[slot]!,
      batch.seconds[slot]!,
      batch.nanoseconds[slot]!,
      batch.frameWireLen[slot]!,
      batch.transportVerdict[slot]!,
      batch.marks[slot]! | mark,
      batch.vni[slot]!,
      batch.encapsulation[slot]!,
      batch.mirrorSourceAt[slot]!,
      batch.mirrorSourceVersion[slot]!,
    );
  }

  /** A packet whose place was given up. */
  passLate(batch: PacketBatch, slot: number): void {
    this.#counts.late(batch.lane[slot]!);
    this.pass(batch, slot, Mark.late);
  }
}
