import { expect, test } from 'vitest';
import { newRingState, RingCursor } from '../../../../src/inputs/ring/ring-cursor.ts';

function placeOf(state: SharedArrayBuffer): number[] {
  const { sequence, position, offset } = new RingCursor(state);
  return [sequence, position, offset];
}

test('a new ring is read from its first block on, which has number 1', () => {
  expect(placeOf(newRingState())).toEqual([1, 0, 0]);
});

test('whoever looks at the state sees the last place', () => {
  const state = newRingState();
  const cursor = new RingCursor(state);
  const places: readonly [number, number, number][] = [
    [1, 0, 7],
    [2, 1, 0],
    [0x7fff_ffff, 2, 9],
    [-0x8000_0000, 3, 0],
  ];
  for (const place of places) {
    cursor.moveTo(...place);
    expect([cursor.sequence, cursor.position, cursor.offset]).toEqual(place);
    expect(placeOf(state)).toEqual(place);
  }
});

test('a move of which all was written but the last word has not happened', () => {
  const state = newRingState();
  const words = new Int32Array(state);
  const cursor = new RingCursor(state);
  for (let step = 2; step < 6; step++) {
    const before = placeOf(state);
    const [which = 0] = words;
    cursor.moveTo(step, step + 10, step + 20);
    const [moved = 0] = words;
    words[0] = which;
    expect(placeOf(state)).toEqual(before);
    words[0] = moved;
    expect(placeOf(state)).toEqual([step, step + 10, step + 20]);
  }
});
