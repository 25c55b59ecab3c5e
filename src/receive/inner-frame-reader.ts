import type { FrameReader } from '../packet/frame-reader.ts';
import type { Innermost } from '../packet/innermost.ts';
import { Layers } from '../packet/layers.ts';
import type { LinkType } from '../packet/link-type.ts';
import { ANALYSIS_TALLY_LENGTH } from './analysis-tally.ts';
import { FragmentTable } from './fragment-table.ts';
import { readInner } from './inner.ts';
import { InnermostReader } from './innermost.ts';
import { readPlainInner } from './plain.ts';
import { measure } from './verdict.ts';

/** Fragmented packets that are waited for, each for so long: Linux does the same (net.ipv4.ipfrag_time). */
const FRAGMENTED_PACKETS = 4096;
const FRAGMENT_TIMEOUT_SECONDS = 30;

/**
 * Finds what flows find, for frames that have left the receiver: the same readers, and fragments remembered apart.
 *
 * Takes 512 KiB once, then allocates nothing and throws nothing. What it counts nobody sees: the receiver has counted the
 * same frames. Lanes are not told apart where a later fragment looks for its first: addresses and identification decide.
 */
export class InnerFrameReader implements FrameReader {
  readonly #layers = new Layers();
  readonly #reader: InnermostReader;

  constructor() {
    const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
    const fragments = new FragmentTable({
      tally,
      entries: FRAGMENTED_PACKETS,
      timeoutSeconds: FRAGMENT_TIMEOUT_SECONDS,
    });
    this.#reader = new InnermostReader({ tally, fragments });
  }

  read(
    bytes: Buffer,
    view: DataView,
    frameAt: number,
    frameEnd: number,
    linkType: LinkType,
    seconds: number,
    innermost: Innermost,
  ): boolean {
    const layers = this.#layers;
    layers.frameAt = frameAt;
    layers.frameEnd = frameEnd;
    layers.linkType = linkType;
    if (!readPlainInner(view, layers)) readInner(bytes, layers);
    measure(layers);
    this.#reader.read(bytes, view, layers, seconds, innermost);
    return layers.truncated === 1;
  }
}
