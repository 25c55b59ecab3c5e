type Range = readonly [first: number, last: number];

/** Which VNIs are wanted; none given: all. */
export class VniSet {
  /** First and last VNI of each range, in their order, apart from each other. */
  readonly #ends: Uint32Array;
  #lastVni = -1;
  #lastAnswer = true;

  /** @param ranges inclusive, in any order, overlapping or not */
  constructor(ranges: readonly Range[]) {
    const merged: [number, number][] = [];
    for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
      const before = merged.at(-1);
      if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
      else merged.push([first, last]);
    }
    this.#ends = Uint32Array.from(merged.flat());
  }

  has(vni: number): boolean {
    // packets of one VNI come together
    if (vni !== this.#lastVni) {
      this.#lastVni = vni;
      this.#lastAnswer = this.#find(vni);
    }
    return this.#lastAnswer;
  }

  #find(vni: number): boolean {
    const ends = this.#ends;
    if (ends.length === 0) return true;
    let low = 0;
    let high = ends.length >>> 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[2 * middle + 1]! < vni) low = middle + 1;
      else high = middle;
    }
    return 2 * low < ends.length && ends[2 * low]! <= vni;
  }
}
