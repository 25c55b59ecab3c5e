import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addRange, clearRanges, isWhole, RangeVerdict } from '../../../src/receive/fragment-ranges.ts';

/** Words of a packet, and some before and behind that are not its own. */
const AT = 3;
const WORDS = 14;
const FOREIGN = 0x5a5a;
const RANGES_MAX = 6;

interface Part {
  readonly from: number;
  readonly length: number;
  readonly more: number;
}

/** What is right: all fragments in a list. */
class Model {
  readonly #parts: Part[] = [];

  add(part: Part): RangeVerdict {
    const end = part.from + part.length;
    if (part.length === 0) return RangeVerdict.fresh;
    if (this.#parts.some((one) => one.from === part.from && one.length === part.length))
      return RangeVerdict.repeated;
    if (this.#parts.some((one) => one.from < end && part.from < one.from + one.length))
      return RangeVerdict.overlapping;
    this.#parts.push(part);
    return RangeVerdict.fresh;
  }

  get count(): number {
    return this.#parts.length;
  }

  isWhole(): boolean {
    const last = this.#parts.findLast(({ more }) => more === 0);
    const bytes = this.#parts.reduce((sum, { length }) => sum + length, 0);
    return last !== undefined && last.from + last.length === bytes && this.#furthest() === bytes;
  }

  #furthest(): number {
    return Math.max(...this.#parts.map(({ from, length }) => from + length));
  }
}

function fresh(): Int32Array {
  const words = new Int32Array(AT + WORDS + 3).fill(FOREIGN);
  clearRanges(words, AT);
  return words;
}

function add(words: Int32Array, { from, length, more }: Part): RangeVerdict {
  return addRange(words, AT, from, from + length, more);
}

function expectForeign(words: Int32Array): void {
  expect([...words.subarray(0, AT), ...words.subarray(AT + WORDS)]).toEqual(Array(6).fill(FOREIGN));
}

/** Few places and lengths, so that fragments meet. */
const part: fc.Arbitrary<Part> = fc.record({
  from: fc.nat(12).map((units) => 8 * units),
  length: fc.oneof(fc.constantFrom(16, 24), fc.nat(60)),
  more: fc.constantFrom(0, 1, 1, 1),
});

test('as long as all have a place, the verdict is that of a list of all fragments', () => {
  let whole = 0;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const words = fresh();
      const model = new Model();
      for (const one of parts) {
        if (model.count === RANGES_MAX) return;
        expect(add(words, one)).toBe(model.add(one));
        expect(isWhole(words, AT)).toBe(model.isWhole());
        if (model.isWhole()) whole++;
      }
    }),
    { numRuns: 5000 },
  );
  expect(whole).toBeGreaterThan(100);
});

test('whatever comes, no other words are written, and nothing overlaps that does not', () => {
  const anywhere = fc.record({
    from: fc.oneof(fc.nat(30), fc.nat(8191)).map((units) => 8 * units),
    length: fc.oneof(fc.nat(100), fc.nat(65_535)),
    more: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(fc.array(anywhere, { maxLength: 60 }), (parts) => {
      const words = fresh();
      const model = new Model();
      for (const one of parts) {
        const verdict = add(words, one);
        const truth = model.add(one);
        if (verdict !== truth) expect(verdict).toBe(RangeVerdict.fresh);
        expect(words[AT]).toBeLessThanOrEqual(RANGES_MAX);
        expectForeign(words);
        // the list would go apart from what is remembered
        if (verdict !== truth) return;
      }
    }),
    { numRuns: 3000 },
  );
});

/** Orders in which senders and networks deliver a packet of 45 fragments. */
const offsets = Array.from({ length: 45 }, (_, index) => index);
test.each([
  ['in order', offsets],
  ['backwards', offsets.toReversed()],
  ['the last first', [44, ...offsets.slice(0, 44)]],
  ['two paths, one behind', [...offsets.filter((n) => n % 15 < 10), ...offsets.filter((n) => n % 15 >= 10)]],
  ['neighbours swapped', offsets.map((n) => (n === 44 ? n : n ^ 1))],
])('one packet of many fragments takes few ranges: %s', (_name, order) => {
  const words = fresh();
  const parts = order.map((n) => ({ from: 1480 * n, length: n === 44 ? 100 : 1480, more: n === 44 ? 0 : 1 }));
  for (const one of parts) {
    expect(isWhole(words, AT)).toBe(false);
    expect(add(words, one)).toBe(RangeVerdict.fresh);
  }
  expect(isWhole(words, AT)).toBe(true);
  for (const one of parts) expect(add(words, one)).toBe(RangeVerdict.repeated);
  expect(words[AT]).toBe(1);
});

test('what finds no place is forgotten, and the rest stands', () => {
  const words = fresh();
  for (let n = 0; n < 10; n++) expect(add(words, { from: 80 * n, length: 8, more: 1 })).toBe(0);
  for (let n = 0; n < RANGES_MAX; n++) {
    expect(add(words, { from: 80 * n, length: 8, more: 1 })).toBe(RangeVerdict.repeated);
    expect(add(words, { from: 80 * n, length: 16, more: 1 })).toBe(RangeVerdict.overlapping);
  }
  expect(add(words, { from: 80 * 9, length: 16, more: 1 })).toBe(RangeVerdict.fresh);
  expectForeign(words);
});
