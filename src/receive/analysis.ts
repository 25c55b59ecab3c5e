import type { PacketBatch } from '../packet/batch.ts';
import * as flowRecord from '../packet/flow-record.ts';
import { Innermost } from '../packet/innermost.ts';
import type { Layers } from '../packet/layers.ts';
import * as packetMarks from '../packet/mark.ts';
import type { DuplicateFinder } from './duplicates.ts';
import type { FlowTable } from './flows/flow-table.ts';
import * as flowTable from './flows/flow-table.ts';
import type { InterfaceTable } from './flows/interface-table.ts';
import type { InnermostReader } from './innermost.ts';
import type { Resequencer } from './order/resequencer.ts';

// for speed: see "Constants" in src/README.md
const { Direction } = flowRecord;
const { Mark } = packetMarks;
const { NO_FLOW, NOT_DUPLICATE } = flowTable;

/** The parts of an analysis; those left out are off. */
export interface AnalysisParts {
  readonly innermost: InnermostReader;
  readonly interfaces: InterfaceTable;
  readonly duplicates: DuplicateFinder | undefined;
  /** Every sink leaves duplicates out: they are not delivered at all. */
  readonly dropDuplicates: boolean;
  readonly flows: FlowTable | undefined;
  readonly order: Resequencer | undefined;
}

/** Steps that must know the packets before: duplicates, flows, order. One instance serves one worker. */
export class Analysis {
  readonly #innermostReader: InnermostReader;
  readonly #interfaces: InterfaceTable;
  readonly #duplicates: DuplicateFinder | undefined;
  readonly #dropDuplicates: boolean;
  readonly #flows: FlowTable | undefined;
  readonly #order: Resequencer | undefined;
  readonly #innermost = new Innermost();
  #isDuplicate = false;

  constructor(parts: AnalysisParts) {
    this.#innermostReader = parts.innermost;
    this.#interfaces = parts.interfaces;
    this.#duplicates = parts.duplicates;
    this.#dropDuplicates = parts.dropDuplicates;
    this.#flows = parts.flows;
    this.#order = parts.order;
  }

  /** First of all steps for a packet. Says whether it is a duplicate that nobody wants. */
  leavesOut(batch: PacketBatch, slot: number, layers: Layers): boolean {
    const { view } = batch;
    const seconds = batch.seconds[slot]!;
    const duplicates = this.#duplicates;
    this.#isDuplicate =
      duplicates !== undefined && duplicates.check(view, layers, seconds, batch.nanoseconds[slot]!);
    const direction = this.#interfaces.direction(view, layers);
    batch.marks[slot] =
      (this.#isDuplicate ? Mark.duplicate : 0) |
      (direction === Direction.unknown ? 0 : direction === Direction.ingress ? Mark.ingress : Mark.egress);
    return this.#isDuplicate && this.#dropDuplicates;
  }

  /** Whether the packet that `leavesOut` was asked about is a duplicate. */
  get isDuplicate(): boolean {
    return this.#isDuplicate;
  }

  /** Counts the packet in its flow. The columns of its slot are filled. */
  count(batch: PacketBatch, slot: number, layers: Layers, lane: number): void {
    this.#innermostReader.read(batch.bytes, batch.view, layers, batch.seconds[slot]!, this.#innermost);
    const duplicates = this.#duplicates;
    const first = this.#isDuplicate ? duplicates!.flow : NOT_DUPLICATE;
    const flow =
      this.#flows === undefined
        ? NO_FLOW
        : this.#flows.see(batch, slot, layers, this.#innermost, lane, first);
    if (duplicates !== undefined && !this.#isDuplicate) duplicates.remember(flow);
  }

  /** Has the packet that was counted last leave in the order of its flow, now or later. */
  order(batch: PacketBatch, slot: number, layers: Layers): void {
    this.#order?.take(batch, slot, layers, this.#innermost);
  }
}
