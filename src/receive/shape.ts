import { PacketBatch } from '../packet/batch.ts';
import type { LaneReader } from '../packet/lane.ts';
import { ABSENT, Layers } from '../packet/layers.ts';
import { Mark } from '../packet/mark.ts';
import { Verdict } from '../packet/verdict.ts';
import { addressBytes } from '../wire/address-bytes.ts';
import { copyBlock } from '../wire/copy.ts';
import { readInner } from './inner.ts';
import { readPlainInner } from './plain.ts';
import { completeHeader, completeTransport, coveredEnd, isHeaderWrong } from './repair.ts';
import { judge, measure } from './verdict.ts';

export interface ShapeOptions {
  /** Which checksums of whole packets are completed: those left to a network card (`partial`), or wrong ones too (`all`). */
  readonly repair: 'none' | 'partial' | 'all';
  /** What becomes of packets that are marked as duplicates. */
  readonly duplicates: 'keep' | 'drop';
  readonly lanes: LaneReader;
}

/** What is done with a packet, bits. */
const Step = { none: 0, leaveOut: 1, transport: 2, header: 4 } as const;

/**
 * What one sink is given instead of a batch: duplicates left out, checksums completed. The batch itself stays as it is, for
 * others read it.
 *
 * Completed are checksums of the mirrored frame's own headers, not of tunnels inside it. A packet that was cut stays as it
 * arrived, so does one whose IP length is 0: nobody knows what it has lost. Neither do fragments get another transport
 * checksum, nor UDP without one. What was not judged when it was received is judged here.
 */
export class Shaper {
  /** Packets of the last batch that were left out, and of which a checksum was completed. */
  leftOut = 0;
  repaired = 0;

  readonly #repair: ShapeOptions['repair'];
  readonly #drop: boolean;
  readonly #lanes: LaneReader;
  readonly #layers = new Layers();
  /** By place in `delivered`. */
  #steps = new Uint8Array(0);
  #out = new PacketBatch(0, Buffer.alloc(0));
  #block = Buffer.alloc(0);

  constructor({ repair, duplicates, lanes }: ShapeOptions) {
    this.#repair = repair;
    this.#drop = duplicates === 'drop';
    this.#lanes = lanes;
  }

  /**
   * The packets that the batch delivers, in their order: the same batch where nothing is to be changed, else one of the
   * shaper's own, valid until the next call. Its bytes are a copy where one of them changes, else those of the batch.
   */
  shape(batch: PacketBatch): PacketBatch {
    this.leftOut = 0;
    this.repaired = 0;
    if (!this.#drop && this.#repair === 'none') return batch;
    const bytes = this.#plan(batch);
    if (this.leftOut === 0 && this.repaired === 0) return batch;
    this.#take(batch, this.repaired === 0 ? batch.bytes : this.#roomFor(bytes));
    return this.#out;
  }

  /** Says for each packet what is to be done; returns how many bytes those that stay need, in whole words. */
  #plan(batch: PacketBatch): number {
    const { delivered, deliveredCount, marks, frameAt, frameEnd, mirrorSourceVersion } = batch;
    if (this.#steps.length < deliveredCount) this.#steps = new Uint8Array(batch.capacity);
    let bytes = 0;
    for (let i = 0; i < deliveredCount; i++) {
      const slot = delivered[i]!;
      let steps: number = Step.none;
      if (this.#drop && (marks[slot]! & Mark.duplicate) !== 0) {
        steps = Step.leaveOut;
        this.leftOut++;
      } else {
        if (this.#repair !== 'none') steps = this.#repairs(batch, slot);
        if (steps !== Step.none) this.repaired++;
        bytes += addressBytes(mirrorSourceVersion[slot]!) + ((frameEnd[slot]! - frameAt[slot]! + 3) & ~3);
      }
      this.#steps[i] = steps;
    }
    return bytes;
  }

  /** Which checksums of a packet are to be completed. */
  #repairs(batch: PacketBatch, slot: number): number {
    const { bytes, view } = batch;
    const layers = this.#layers;
    const all = this.#repair === 'all';
    const known = batch.transportVerdict[slot]!;
    const isCandidate = isWrong(known, all) || known === Verdict.none;
    if (!isCandidate && !all) return Step.none;
    this.#read(batch, slot);
    let steps: number = all && isHeaderWrong(view, bytes, layers) ? Step.header : Step.none;
    if (!isCandidate || coveredEnd(bytes, layers) === ABSENT) return steps;
    if (known === Verdict.none) judge(bytes, view, layers);
    else layers.transportVerdict = known as Verdict;
    if (isWrong(layers.transportVerdict, all)) steps |= Step.transport;
    return steps;
  }

  #read(batch: PacketBatch, slot: number): void {
    const layers = this.#layers;
    layers.linkType = this.#lanes.lane(batch.lane[slot]!).linkType;
    layers.frameAt = batch.frameAt[slot]!;
    layers.frameEnd = batch.frameEnd[slot]!;
    if (!readPlainInner(batch.view, layers)) readInner(batch.bytes, layers);
    measure(layers);
  }

  /** Own memory of at least so many bytes; it grows to what the largest batch needs. */
  #roomFor(bytes: number): Buffer {
    if (this.#block.length < bytes) this.#block = Buffer.allocUnsafeSlow(bytes);
    return this.#block;
  }

  /** Fills the own batch with the packets that stay; their bytes are copied unless `block` is where they are. */
  #take(batch: PacketBatch, block: Buffer): void {
    if (this.#out.capacity < batch.deliveredCount) this.#out = new PacketBatch(batch.capacity, block);
    else if (this.#out.bytes !== block) this.#out.setBlock(block);
    const out = this.#out;
    out.clear();
    const isCopy = block !== batch.bytes;
    let used = 0;
    for (let i = 0; i < batch.deliveredCount; i++) {
      const steps = this.#steps[i]!;
      if (steps === Step.leaveOut) continue;
      const slot = batch.delivered[i]!;
      let at = batch.frameAt[slot]!;
      const bytes = batch.frameEnd[slot]! - at;
      const version = batch.mirrorSourceVersion[slot]!;
      let sourceAt = batch.mirrorSourceAt[slot]!;
      if (isCopy) {
        const sourceBytes = addressBytes(version);
        if (sourceBytes > 0) copyBlock(batch, sourceAt, sourceAt + sourceBytes, out, used);
        sourceAt = used;
        used += sourceBytes;
        if (bytes > 0) copyBlock(batch, at, at + bytes, out, used);
        at = used;
        used += (bytes + 3) & ~3;
      }
      const to = out.count++;
      copyColumns(batch, slot, out, to, at);
      out.mirrorSourceAt[to] = sourceAt;
      out.mirrorSourceVersion[to] = version;
      if (steps !== Step.none) this.#complete(out, to, steps);
      out.delivered[to] = to;
    }
    out.deliveredCount = out.count;
  }

  #complete(out: PacketBatch, slot: number, steps: number): void {
    const layers = this.#layers;
    this.#read(out, slot);
    if ((steps & Step.header) !== 0) completeHeader(out, layers);
    if ((steps & Step.transport) !== 0) {
      completeTransport(out, layers, coveredEnd(out.bytes, layers));
      out.transportVerdict[slot] = Verdict.valid;
    }
    out.marks[slot]! |= Mark.repaired;
  }
}

function isWrong(verdict: number, all: boolean): boolean {
  return verdict === Verdict.partial || (all && verdict === Verdict.bad);
}

/** Copies what is known of a packet; its frame begins at `at` of the other batch. */
function copyColumns(from: PacketBatch, slot: number, to: PacketBatch, toSlot: number, at: number): void {
  const end = at + from.frameEnd[slot]! - from.frameAt[slot]!;
  to.at[toSlot] = at;
  to.end[toSlot] = end;
  to.wireLen[toSlot] = from.frameWireLen[slot]!;
  to.seconds[toSlot] = from.seconds[slot]!;
  to.nanoseconds[toSlot] = from.nanoseconds[slot]!;
  to.linkType[toSlot] = from.linkType[slot]!;
  to.lane[toSlot] = from.lane[slot]!;
  to.vni[toSlot] = from.vni[slot]!;
  to.encapsulation[toSlot] = from.encapsulation[slot]!;
  to.frameAt[toSlot] = at;
  to.frameEnd[toSlot] = end;
  to.frameWireLen[toSlot] = from.frameWireLen[slot]!;
  to.transportVerdict[toSlot] = from.transportVerdict[slot]!;
  to.marks[toSlot] = from.marks[slot]!;
}
