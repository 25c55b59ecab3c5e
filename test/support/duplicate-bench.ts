import { Encapsulation } from '../../src/packet/lane.ts';
import { Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { ANALYSIS_TALLY_LENGTH, AnalysisTally } from '../../src/receive/analysis-tally.ts';
import { DuplicateFinder, type DuplicateFinderOptions } from '../../src/receive/duplicates.ts';
import { readInner } from '../../src/receive/inner.ts';
import { measure } from '../../src/receive/verdict.ts';

/** Who delivers a packet; the rest is filled in. */
export interface Source {
  /** Last byte of the mirror source's address. */
  readonly mirror?: number;
  readonly version?: 4 | 6;
  readonly vni?: number;
  readonly encapsulation?: Encapsulation;
  /** Low half of the endpoint. */
  readonly endpoint?: number;
  readonly linkType?: LinkType;
}

export const A: Source = { mirror: 1 };
export const B: Source = { mirror: 2 };

const BEFORE = 24;
const ADDRESS_AT = 4;

/** Reads a frame that lies between bytes that are no part of it, as a source delivered it. */
export function deliver(layers: Layers, frame: Uint8Array, source: Source): DataView {
  const block = Buffer.alloc(BEFORE + frame.length + 16, 0xa5);
  block.set(frame, BEFORE);
  block.fill(10, ADDRESS_AT, ADDRESS_AT + 16);
  const version = source.version ?? 4;
  block[ADDRESS_AT + (version === 4 ? 3 : 15)] = source.mirror ?? 1;
  layers.encapsulation = source.encapsulation ?? Encapsulation.vxlan;
  layers.vni = source.vni ?? 7;
  layers.hasEndpoint = source.endpoint === undefined ? 0 : 1;
  layers.endpointHigh = 0x0a1b_2c3d;
  layers.endpointLow = source.endpoint ?? 0;
  layers.mirrorSourceAt = ADDRESS_AT;
  layers.mirrorSourceVersion = version;
  layers.frameAt = BEFORE;
  layers.frameEnd = BEFORE + frame.length;
  layers.linkType = source.linkType ?? LinkType.ethernet;
  readInner(block, layers);
  measure(layers);
  return new DataView(block.buffer, block.byteOffset, block.byteLength);
}

/** A finder and what it counts. */
export class DuplicateBench {
  readonly tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  readonly finder: DuplicateFinder;
  readonly #layers = new Layers();

  constructor(options: Partial<DuplicateFinderOptions> = {}) {
    this.finder = new DuplicateFinder({
      windowUs: 100_000,
      acrossVnis: true,
      memoryBytes: 1 << 16,
      tally: this.tally,
      ...options,
    });
  }

  get forgotten(): number {
    return this.tally[AnalysisTally.duplicatesForgotten] ?? 0;
  }

  /** Says whether the frame is a copy. */
  see(frame: Uint8Array, source: Source = A, timeUs = 0, nanoseconds = 0): boolean {
    const view = deliver(this.#layers, frame, source);
    const seconds = 1_800_000_000 + Math.floor(timeUs / 1_000_000);
    const micro = timeUs - Math.floor(timeUs / 1_000_000) * 1_000_000;
    return this.finder.check(view, this.#layers, seconds, micro * 1000 + nanoseconds);
  }

  /** The same for several sources, one after the other. */
  seeAll(frame: Uint8Array, ...sources: readonly Source[]): boolean[] {
    return sources.map((source) => this.see(frame, source));
  }
}
