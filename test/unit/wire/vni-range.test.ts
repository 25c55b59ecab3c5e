import { describe, expect, test } from 'vitest';
import { parseVniRange, vniRange } from '../../../src/wire/vni-range.ts';

describe('parseVniRange', () => {
  test.each([
    ['100-199', [100, 199]],
    ['0-16777215', [0, 16_777_215]],
    ['7-7', [7, 7]],
    ['8-7', undefined],
    ['0-16777216', undefined],
    ['7', undefined],
    ['7-', undefined],
    ['-7', undefined],
    ['7 - 8', undefined],
    ['1e3-2e3', undefined],
    ['0x1-0x2', undefined],
    ['', undefined],
  ])('%j', (text, range) => {
    expect(parseVniRange(text)).toEqual(range);
  });
});

test('a VNI alone is a range of one', () => {
  expect([vniRange(7), vniRange('7-9')]).toEqual([
    [7, 7],
    [7, 9],
  ]);
  expect(() => vniRange('9-7')).toThrow(RangeError);
});
