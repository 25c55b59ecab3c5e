import { expect, test } from 'vitest';
import { count, settled, Tally, TALLY_LENGTH } from '../../../src/receive/tally.ts';
import { Fault, faultNames } from '../../../src/wire/fault.ts';

const besides = ['received', 'reservedBits', 'geneveOnly', 'inputBytes', 'fault'];
const bucketNames = Object.keys(Tally).filter((name) => !besides.includes(name)) as (keyof typeof Tally)[];

test.each(bucketNames)('%s is part of the sum', (name) => {
  const row = new Float64Array(TALLY_LENGTH);
  count(row, Tally[name], 70);
  count(row, Tally[name], 30);
  expect([settled(row, 0), settled(row, 1)]).toEqual([2, 100]);
});

test.each(faultNames.map((name, fault) => ({ name, fault })))(
  'the fault $name is part of the sum',
  ({ fault }) => {
    const row = new Float64Array(TALLY_LENGTH);
    count(row, Tally.fault + 2 * fault, 9);
    expect([settled(row, 0), settled(row, 1)]).toEqual([1, 9]);
  },
);

test.each(['received', 'reservedBits', 'geneveOnly', 'inputBytes'] as const)(
  '%s is counted besides it',
  (name) => {
    const row = new Float64Array(TALLY_LENGTH);
    row[Tally[name]] = 5;
    expect([settled(row, 0), settled(row, 1)]).toEqual([0, 0]);
  },
);

test('no two buckets share a number, and all fit the row', () => {
  const places = [
    ...Object.entries(Tally)
      .filter(([name]) => name !== 'fault')
      .map(([, at]) => at),
    ...Object.values(Fault).map((fault) => Tally.fault + 2 * fault),
  ].flatMap((at) => [at, at + 1]);
  expect(new Set(places).size).toBe(places.length);
  expect(Math.max(...places)).toBe(TALLY_LENGTH - 1);
});
