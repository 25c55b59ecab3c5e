import type { PacketBatch } from '../../src/packet/batch.ts';
import { Encapsulation } from '../../src/packet/lane.ts';
import { Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { DuplicateFinder } from '../../src/receive/duplicates.ts';
import { readPlainInner } from '../../src/receive/plain.ts';

/** Of a packet of TCP over IPv4 without options or tags. */
const SEQUENCE = 38;
/** 16,384 packets: twice what comes within the window, at one packet a microsecond. */
const MEMORY_BYTES = 1_048_576;
const WINDOW_US = 8192;

/** Looks for copies, its inner headers read first: packets that never came before, or each from two sources. */
export function duplicateCase(batch: PacketBatch, sources: 1 | 2): () => number {
  const { frameAt, frameEnd, view, deliveredCount } = batch;
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const finder = new DuplicateFinder({
    windowUs: WINDOW_US,
    acrossVnis: true,
    memoryBytes: MEMORY_BYTES,
    tally,
  });
  const layers = new Layers();
  layers.linkType = LinkType.ethernet;
  layers.encapsulation = Encapsulation.vxlan;
  layers.mirrorSourceVersion = 4;
  let sequence = 0;
  let seconds = 1_700_000_000;
  let nanoseconds = 0;
  return () => {
    let found = 0;
    for (let i = 0; i < deliveredCount; i++) {
      const slot = sources === 1 ? i : i >>> 1;
      layers.frameAt = frameAt[slot]!;
      layers.frameEnd = frameEnd[slot]!;
      // any four bytes that differ
      layers.mirrorSourceAt = layers.frameAt + 6 * (i & (sources - 1));
      if (sources === 1 || (i & 1) === 0) view.setUint32(layers.frameAt + SEQUENCE, sequence++);
      nanoseconds += 1000;
      if (nanoseconds >= 1_000_000_000) {
        nanoseconds = 0;
        seconds++;
      }
      readPlainInner(view, layers);
      if (finder.check(view, layers, seconds, nanoseconds)) {
        found += 2;
      } else {
        finder.remember(slot);
        found++;
      }
    }
    return found;
  };
}
