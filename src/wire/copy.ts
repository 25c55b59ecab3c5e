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
