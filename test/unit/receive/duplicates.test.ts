import { expect, test } from 'vitest';
import { frame4, tcpSegment } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Encapsulation } from '../../../src/packet/lane.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { AnalysisTally, ANALYSIS_TALLY_LENGTH } from '../../../src/receive/analysis-tally.ts';
import { DuplicateFinder, type DuplicateFinderOptions } from '../../../src/receive/duplicates.ts';
import { readInner } from '../../../src/receive/inner.ts';
import { measure } from '../../../src/receive/verdict.ts';

/** Who delivers a packet. */
interface Source {
  /** Last byte of the mirror source's address. */
  readonly mirror?: number;
  readonly vni?: number;
  readonly encapsulation?: Encapsulation;
  /** High half of the endpoint. */
  readonly endpoint?: number;
  readonly linkType?: LinkType;
}

const BEFORE = 24;

/** A finder and what it is asked: a frame lies between bytes that are no part of it. */
class Bench {
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

  see(frame: Uint8Array, source: Source = {}, timeUs = 0): boolean {
    const block = Buffer.alloc(BEFORE + frame.length + 16, 0xa5);
    block.set(frame, BEFORE);
    block.set([10, 0, 9, source.mirror ?? 1], 4);
    const layers = this.#layers;
    layers.encapsulation = source.encapsulation ?? Encapsulation.vxlan;
    layers.vni = source.vni ?? 7;
    layers.hasEndpoint = source.endpoint === undefined ? 0 : 1;
    layers.endpointHigh = source.endpoint ?? 0;
    layers.endpointLow = 1;
    layers.mirrorSourceAt = 4;
    layers.mirrorSourceVersion = 4;
    layers.frameAt = BEFORE;
    layers.frameEnd = BEFORE + frame.length;
    layers.linkType = source.linkType ?? LinkType.ethernet;
    readInner(block, layers);
    measure(layers);
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const seconds = 1_800_000_000 + Math.floor(timeUs / 1_000_000);
    return this.finder.check(view, layers, seconds, (timeUs % 1_000_000) * 1000 + 999);
  }
}

const A: Source = { mirror: 1 };
const B: Source = { mirror: 2 };

function segment(sequence: number, data = 60): Buffer {
  const fields = { sourcePort: 40_000, destinationPort: 443, sequence, acknowledgement: 7, flags: 0x18 };
  return frame4(client, server, tcpSegment({ ...fields, data: Buffer.alloc(data, 0x61) }));
}

test.each([
  { order: 'A B A B', copies: [false, true, false, true] },
  { order: 'A A B B', copies: [false, false, true, true] },
  { order: 'A B B A', copies: [false, true, false, true] },
  { order: 'A A A', copies: [false, false, false] },
])('$order', ({ order, copies }) => {
  const bench = new Bench();
  const seen = order.split(' ').map((name) => bench.see(segment(1), name === 'A' ? A : B));
  expect(seen).toEqual(copies);
  expect(bench.tally[AnalysisTally.duplicates]).toBe(copies.filter(Boolean).length);
});
