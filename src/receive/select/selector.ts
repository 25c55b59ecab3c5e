import { PacketBatch } from '../../packet/batch.ts';
import { Innermost } from '../../packet/innermost.ts';
import type { LaneReader } from '../../packet/lane.ts';
import { Layers } from '../../packet/layers.ts';
import { LinkType } from '../../packet/link-type.ts';
import { Verdict } from '../../packet/verdict.ts';
import { InnerFrameReader } from '../inner-frame-reader.ts';
import { readInner } from '../inner.ts';
import { judge, measure } from '../verdict.ts';
import type { CompiledFilter } from './compile-filter.ts';
import type { Filter } from './filter.ts';
import { flowNumber } from './flow-sample.ts';
import type { Selection } from './selection.ts';
import { VniSet } from './vni-set.ts';

/**
 * What one sink is given of each batch: packets of some VNIs, that a filter takes, of one flow in so many, cut to some bytes.
 * The batch itself stays as it is, for others read it.
 *
 * A frame that is cut here looks as one that the mirror cut: its length on the wire stays, and its transport checksum cannot
 * be verified any more. Frames without an IP packet are of no flow: sampling keeps them all.
 */
export class Selector {
  readonly #vnis: VniSet;
  readonly #filter: CompiledFilter | undefined;
  readonly #snapLength: number;
  readonly #sampleFlows: number;
  readonly #lanes: LaneReader;
  readonly #frames: InnerFrameReader | undefined;
  readonly #innermost = new Innermost();
  readonly #layers = new Layers();
  /** Batches come again and again: each has its view. */
  readonly #views = new WeakMap<PacketBatch, PacketBatch>();

  constructor(selection: Selection, lanes: LaneReader) {
    this.#vnis = new VniSet(selection.vnis);
    this.#filter = selection.filter;
    this.#snapLength = selection.snapLength;
    this.#sampleFlows = selection.sampleFlows;
    this.#lanes = lanes;
    this.#frames = selection.sampleFlows > 1 ? new InnerFrameReader() : undefined;
  }

  /**
   * The packets that are wanted, in their order: the same batch where nothing is left out or cut, else a view of it, valid
   * until the batch is used again or the next call with it.
   */
  select(batch: PacketBatch): PacketBatch {
    const view = this.#viewOf(batch);
    const cuts = this.#choose(batch, view);
    return cuts === 0 && view.deliveredCount === batch.deliveredCount ? batch : view;
  }

  #viewOf(batch: PacketBatch): PacketBatch {
    let view = this.#views.get(batch);
    if (view === undefined) {
      view = new PacketBatch(batch.capacity, batch.bytes, batch, this.#snapLength > 0);
      this.#views.set(batch, view);
    }
    view.follow(batch);
    return view;
  }

  /** Lists in `view` what is wanted; returns how many frames of it were cut. */
  #choose(batch: PacketBatch, view: PacketBatch): number {
    const { delivered, deliveredCount, lane } = batch;
    let lastLane = -1;
    let linkType: LinkType = LinkType.ethernet;
    let wanted = 0;
    let cuts = 0;
    for (let i = 0; i < deliveredCount; i++) {
      const slot = delivered[i]!;
      if (lane[slot] !== lastLane) {
        lastLane = lane[slot]!;
        linkType = this.#lanes.lane(lastLane).linkType;
      }
      if (!this.#wants(batch, slot, linkType)) continue;
      view.delivered[wanted++] = slot;
      if (this.#snapLength > 0) cuts += this.#cut(batch, view, slot, linkType);
    }
    view.deliveredCount = wanted;
    return cuts;
  }

  #wants(batch: PacketBatch, slot: number, linkType: LinkType): boolean {
    if (!this.#vnis.has(batch.vni[slot]!)) return false;
    if (this.#filter !== undefined) {
      const filter: Filter = linkType === LinkType.raw ? this.#filter.raw : this.#filter.ethernet;
      const end = batch.frameEnd[slot]!;
      if (!filter.matches(batch.view, batch.frameAt[slot]!, end, batch.frameWireLen[slot]!)) return false;
    }
    return this.#frames === undefined || this.#samples(batch, slot, linkType, this.#frames);
  }

  #samples(batch: PacketBatch, slot: number, linkType: LinkType, frames: InnerFrameReader): boolean {
    const { bytes, view } = batch;
    const innermost = this.#innermost;
    const at = batch.frameAt[slot]!;
    const end = batch.frameEnd[slot]!;
    frames.read(bytes, view, at, end, linkType, batch.seconds[slot]!, innermost);
    return innermost.ipVersion === 0 || flowNumber(view, innermost) % this.#sampleFlows === 0;
  }

  /** Writes where the frame ends, and what can then be said of its checksum; returns 1 where it was cut. */
  #cut(batch: PacketBatch, out: PacketBatch, slot: number, linkType: LinkType): number {
    const at = batch.frameAt[slot]!;
    const end = batch.frameEnd[slot]!;
    const verdict = batch.transportVerdict[slot]!;
    const cutEnd = at + this.#snapLength;
    if (cutEnd >= end) {
      out.frameEnd[slot] = end;
      out.transportVerdict[slot] = verdict;
      return 0;
    }
    out.frameEnd[slot] = cutEnd;
    out.transportVerdict[slot] =
      verdict === Verdict.none ? Verdict.none : this.#judge(batch, at, cutEnd, linkType);
    return 1;
  }

  #judge({ bytes, view }: PacketBatch, at: number, end: number, linkType: LinkType): Verdict {
    const layers = this.#layers;
    layers.linkType = linkType;
    layers.frameAt = at;
    layers.frameEnd = end;
    readInner(bytes, layers);
    measure(layers);
    judge(bytes, view, layers);
    return layers.transportVerdict;
  }
}
