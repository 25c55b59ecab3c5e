import { Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { verdictNames } from '../../src/packet/verdict.ts';
import { readInner } from '../../src/receive/inner.ts';
import { judge, measure } from '../../src/receive/verdict.ts';

/** One `Layers` for all frames of a test file, as in a worker: what one leaves behind must not show in the next. */
const layers = new Layers();
const BEFORE = 13;

/**
 * Reads and judges one inner frame, which lies in the middle of a block; with `keep`, only its first bytes
 * arrived, and what follows in the block is no part of it.
 */
export function readFrame(
  frame: Uint8Array,
  linkType: LinkType = LinkType.ethernet,
  keep = frame.length,
): Layers {
  const block = Buffer.alloc(BEFORE + frame.length + 64, 0xa5);
  block.set(frame.subarray(0, keep), BEFORE);
  layers.frameAt = BEFORE;
  layers.frameEnd = BEFORE + keep;
  layers.linkType = linkType;
  readInner(block, layers);
  measure(layers);
  judge(block, new DataView(block.buffer, block.byteOffset, block.byteLength), layers);
  return layers;
}

/** Both verdicts by name, as `ip transport`. */
export function verdicts(frame: Uint8Array, linkType?: LinkType, keep?: number): string {
  const { ipVerdict, transportVerdict } = readFrame(frame, linkType, keep);
  return `${verdictNames[ipVerdict]} ${verdictNames[transportVerdict]}`;
}
