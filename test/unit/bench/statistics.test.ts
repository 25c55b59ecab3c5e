import { expect, test } from 'vitest';
import { median, medianOf, megabytes, ratio, whole } from '../../bench/statistics.ts';

test.each([
  { values: [3], middle: 3 },
  { values: [9, 1, 5], middle: 5 },
  { values: [4, 1, 3, 2], middle: 2.5 },
  { values: [10, 9, 100], middle: 10 },
])('the median of $values is $middle', ({ values, middle }) => {
  const before = [...values];
  expect(median(values)).toBe(middle);
  expect(values).toEqual(before);
});

test('nothing has no median', () => {
  expect(() => median([])).toThrow('no median');
});

test('the median of what is read of each', () => {
  expect(medianOf([{ ns: 7 }, { ns: 5 }, { ns: 6 }], ({ ns }) => ns)).toBe(6);
});

test('numbers as the tables have them', () => {
  expect([whole(1234.5), whole(999.4), megabytes(1.4e9), megabytes(2_340_000)]).toEqual([
    '1,235',
    '999',
    '1400 MB',
    '2.3 MB',
  ]);
  expect([ratio(50, 100), ratio(1, undefined), ratio(1, 0)]).toEqual(['0.50', '–', '–']);
});
