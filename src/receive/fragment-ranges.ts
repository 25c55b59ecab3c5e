/**
 * Which bytes of a fragmented packet have come, in 14 words: enough to tell a fragment that repeats another from one that
 * overlaps it.
 *
 *   word 0    ranges in use, 0..RANGES_MAX
 *   word 1    one past the packet's last byte, from the fragment that says it is the last; UNKNOWN before
 *   word 2-   a range each two: where it begins in units of 8 bytes (13 bits) and one past its end (18 bits), then its step
 *
 * Fragments that follow each other become one range as long as they are of one length, as senders make them; only the last
 * may be shorter. That length is the range's step: by it a range still knows the bounds of its fragments. So whatever
 * the order, few ranges do for a packet; a fragment that finds no place for its range is not remembered.
 */

/** Ranges that are remembered of a packet. */
const RANGES_MAX = 6;

const COUNT = 0;
const FINAL = 1;
const FIRST_RANGE = 2;
const UNKNOWN = -1;
const END_BITS = 18;
const END_MASK = (1 << END_BITS) - 1;

/** What a fragment is to those before it. */
export const RangeVerdict = { fresh: 0, repeated: 1, overlapping: 2 } as const;
export type RangeVerdict = (typeof RangeVerdict)[keyof typeof RangeVerdict];

/** Nothing has come yet. */
export function clearRanges(words: Int32Array, at: number): void {
  words[at + COUNT] = 0;
  words[at + FINAL] = UNKNOWN;
}

/** Says whether all bytes of the packet have come. */
export function isWhole(words: Int32Array, at: number): boolean {
  const firstAt = at + FIRST_RANGE;
  const endAt = firstAt + 2 * words[at + COUNT]!;
  const final = words[at + FINAL]!;
  // ranges never overlap: where none goes past the end, their lengths add up to it if nothing is missing
  let missing = final;
  for (let rangeAt = firstAt; rangeAt < endAt; rangeAt += 2) {
    const bounds = words[rangeAt]!;
    if (endOf(bounds) > final) return false;
    missing -= endOf(bounds) - beginOf(bounds);
  }
  return missing === 0;
}

/**
 * Notes a fragment, unless it overlaps or repeats what has come.
 *
 * @param from byte offset in the packet, a multiple of 8 below 65,536
 * @param end  one past its last byte, at most 65,535 more
 * @param more 0 where it is the packet's last
 */
export function addRange(
  words: Int32Array,
  at: number,
  from: number,
  end: number,
  more: number,
): RangeVerdict {
  if (from === end) return RangeVerdict.fresh;
  const firstAt = at + FIRST_RANGE;
  let endAt = firstAt + 2 * words[at + COUNT]!;
  for (let rangeAt = firstAt; rangeAt < endAt; rangeAt += 2) {
    const bounds = words[rangeAt]!;
    if (from >= endOf(bounds) || end <= beginOf(bounds)) continue;
    return repeats(bounds, words[rangeAt + 1]!, from, end) ? RangeVerdict.repeated : RangeVerdict.overlapping;
  }
  if (more === 0) words[at + FINAL] = end;

  let added = pack(from, end);
  let step = end - from;
  for (let rangeAt = firstAt; rangeAt < endAt; rangeAt += 2) {
    const bounds = words[rangeAt]!;
    const rangeStep = words[rangeAt + 1]!;
    if (continues(bounds, rangeStep, added, step)) {
      added = pack(beginOf(bounds), endOf(added));
      step = rangeStep;
    } else if (continues(added, step, bounds, rangeStep)) {
      added = pack(beginOf(added), endOf(bounds));
    } else continue;
    // the range is part of the new one: the last takes its place, and the search begins again
    endAt -= 2;
    words[rangeAt] = words[endAt]!;
    words[rangeAt + 1] = words[endAt + 1]!;
    rangeAt = firstAt - 2;
  }
  if (endAt < firstAt + 2 * RANGES_MAX) {
    words[endAt] = added;
    words[endAt + 1] = step;
    endAt += 2;
  }
  words[at + COUNT] = (endAt - firstAt) >>> 1;
  return RangeVerdict.fresh;
}

/** Says whether a fragment within this range has the bounds of one of those that the range is made of. */
function repeats(bounds: number, step: number, from: number, end: number): boolean {
  if (from < beginOf(bounds) || end > endOf(bounds) || (from - beginOf(bounds)) % step !== 0) return false;
  return end - from === step || (end === endOf(bounds) && end - from < step);
}

/** Says whether the second range follows the first, and the two are still one of equal fragments but for the last. */
function continues(first: number, firstStep: number, second: number, secondStep: number): boolean {
  if (endOf(first) !== beginOf(second) || (endOf(first) - beginOf(first)) % firstStep !== 0) return false;
  return (
    secondStep === firstStep || (secondStep < firstStep && endOf(second) - beginOf(second) === secondStep)
  );
}

function pack(from: number, end: number): number {
  return ((from >>> 3) << END_BITS) | end;
}

function beginOf(bounds: number): number {
  return (bounds >>> END_BITS) << 3;
}

function endOf(bounds: number): number {
  return bounds & END_MASK;
}
