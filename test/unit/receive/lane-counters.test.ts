import { array, assert, constantFrom, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { Layers } from '../../../src/packet/layers.ts';
import { Verdict } from '../../../src/packet/verdict.ts';
import { addRow, countFrame, LANE_COUNTERS_LENGTH, LaneCounter } from '../../../src/receive/lane-counters.ts';

function layersOf(fields: Partial<Layers>): Layers {
  return Object.assign(new Layers(), fields);
}

test('counts frames, bytes, cuts and verdicts in its own row only', () => {
  const rows = new Float64Array(3 * LANE_COUNTERS_LENGTH);
  const at = LANE_COUNTERS_LENGTH;
  const first = layersOf({
    frameAt: 10,
    frameEnd: 70,
    frameWireLen: 60,
    ipVerdict: Verdict.valid,
    transportVerdict: Verdict.partial,
  });
  const second = layersOf({
    frameAt: 0,
    frameEnd: 64,
    frameWireLen: 1514,
    truncated: 1,
    snapped: 1,
    ipVerdict: Verdict.valid,
    transportVerdict: Verdict.unverifiable,
  });
  countFrame(rows, at, first, 100, 5);
  countFrame(rows, at, second, 101, 4);
  const row = rows.subarray(at, 2 * at);
  const expected = new Float64Array(LANE_COUNTERS_LENGTH);
  expected[LaneCounter.packets] = 2;
  expected[LaneCounter.bytes] = 124;
  expected[LaneCounter.wireBytes] = 1574;
  expected[LaneCounter.truncated] = 1;
  expected[LaneCounter.snapped] = 1;
  expected[LaneCounter.firstSeconds] = 100;
  expected[LaneCounter.firstNanoseconds] = 5;
  expected[LaneCounter.lastSeconds] = 101;
  expected[LaneCounter.lastNanoseconds] = 4;
  expected[LaneCounter.ipVerdict + Verdict.valid] = 2;
  expected[LaneCounter.transportVerdict + Verdict.partial] = 1;
  expected[LaneCounter.transportVerdict + Verdict.unverifiable] = 1;
  expect(row).toEqual(expected);
  expect(rows.subarray(0, at).every((value) => value === 0)).toBe(true);
  expect(rows.subarray(2 * at).every((value) => value === 0)).toBe(true);
});

test.each([
  [
    'in order',
    [
      [5, 1],
      [5, 2],
      [6, 0],
    ],
    [5, 1, 6, 0],
  ],
  [
    'backwards',
    [
      [6, 0],
      [5, 2],
      [5, 1],
    ],
    [5, 1, 6, 0],
  ],
  [
    'one at time 0',
    [
      [0, 0],
      [7, 3],
    ],
    [0, 0, 7, 3],
  ],
  ['one alone', [[9, 9]], [9, 9, 9, 9]],
  [
    'the same time twice',
    [
      [9, 9],
      [9, 9],
    ],
    [9, 9, 9, 9],
  ],
] as [string, [number, number][], number[]][])('first and last arrival: %s', (_name, times, expected) => {
  const row = new Float64Array(LANE_COUNTERS_LENGTH);
  for (const [seconds, nanoseconds] of times) countFrame(row, 0, new Layers(), seconds, nanoseconds);
  expect(Array.from(row.subarray(LaneCounter.firstSeconds, LaneCounter.lastNanoseconds + 1))).toEqual(
    expected,
  );
});

const packet = record({
  seconds: nat(3),
  nanoseconds: nat(3),
  bytes: nat(2000),
  truncated: constantFrom(0 as const, 1 as const),
  verdict: constantFrom(...Object.values(Verdict)),
});

test('rows that are added are the row of one who counted all', () => {
  const parts = property(array(array(packet, { maxLength: 5 }), { maxLength: 4 }), (portions) => {
    const whole = new Float64Array(2 * LANE_COUNTERS_LENGTH);
    const sum = new Float64Array(2 * LANE_COUNTERS_LENGTH);
    for (const portion of portions) {
      const part = new Float64Array(3 * LANE_COUNTERS_LENGTH);
      for (const { seconds, nanoseconds, bytes, truncated, verdict } of portion) {
        const layers = layersOf({
          frameEnd: bytes,
          frameWireLen: bytes + truncated,
          truncated,
          snapped: truncated,
          ipVerdict: verdict,
          transportVerdict: verdict,
        });
        countFrame(whole, LANE_COUNTERS_LENGTH, layers, seconds, nanoseconds);
        countFrame(part, 2 * LANE_COUNTERS_LENGTH, layers, seconds, nanoseconds);
      }
      addRow(sum, LANE_COUNTERS_LENGTH, part, 2 * LANE_COUNTERS_LENGTH);
    }
    expect(sum).toEqual(whole);
  });
  assert(parts);
});
