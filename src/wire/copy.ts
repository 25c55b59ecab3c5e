import type { Block } from './block.ts';

/** Looked up once: finding it on the prototype was a third of the time of a small copy. */
const copy = Buffer.prototype.copy;

/**
 * Copies bytes `at .. end - 1` of `source` to `targetAt` of `target` and returns the offset just past them. Both
 * ranges lie inside their arrays; ranges of one block may overlap.
 *
 * Allocates nothing, which `target.set(source.subarray(…))` does. Measured: 38 ns for 60 bytes, 53 for 500, 69 for
 * 1,500; a loop over bytes is ahead below 50 bytes only and takes 1,100 ns for 1,500. Loops over 64-bit floats
 * are fast but may change bytes: a signalling NaN need not survive.
 */
export function copyBytes(
  source: Uint8Array,
  at: number,
  end: number,
  target: Uint8Array,
  targetAt: number,
): number {
  copy.call(source, target, targetAt, at, end);
  return targetAt + end - at;
}

/** Up to this length a loop over words is faster than a call into the engine; measured: 11 ns against 38 for 60 bytes. */
const WORDS_MAX = 320;

/** The same between two blocks, which must not overlap: fast for short packets too. */
export function copyBlock(source: Block, at: number, end: number, target: Block, targetAt: number): number {
  if (end - at > WORDS_MAX) return copyBytes(source.bytes, at, end, target.bytes, targetAt);
  const from = source.view;
  const to = target.view;
  let i = at;
  let next = targetAt;
  for (const last = end - 16; i <= last; i += 16) {
    to.setInt32(next, from.getInt32(i, true), true);
    to.setInt32(next + 4, from.getInt32(i + 4, true), true);
    to.setInt32(next + 8, from.getInt32(i + 8, true), true);
    to.setInt32(next + 12, from.getInt32(i + 12, true), true);
    next += 16;
  }
  for (const last = end - 4; i <= last; i += 4) {
    to.setInt32(next, from.getInt32(i, true), true);
    next += 4;
  }
  for (; i < end; i++) to.setUint8(next++, from.getUint8(i));
  return next;
}
