import { expect, test } from 'vitest';
import { compileFilter } from '../../../../src/receive/select/compile-filter.ts';

/** Bytes 0 to 59 say their place: what an expression comes to can be reckoned by hand. */
const frame = Uint8Array.from({ length: 60 }, (_, index) => index);
const view = new DataView(frame.buffer);

function matches(text: string): boolean | undefined {
  return compileFilter(text)?.ethernet.matches(view, 0, frame.length, frame.length);
}

test.each([
  ['ether[3] + ether[4]', 7],
  ['ether[9] - ether[4]', 5],
  ['ether[9] * ether[4]', 36],
  ['ether[9] / ether[4]', 2],
  ['ether[9] % ether[4]', 1],
  ['ether[13] & ether[11]', 9],
  ['ether[12] | ether[3]', 15],
  ['ether[12] ^ ether[10]', 6],
  ['ether[3] << ether[4]', 48],
  ['ether[48] >> ether[4]', 3],
  ['ether[1] << ether[40]', 0],
  ['ether[48] >> ether[40]', 0],
  ['ether[3] - ether[4]', 0xffff_ffff],
  ['ether[0:4] + ether[4:2]', 0x0001_0203 + 0x0405],
])('%s is %i', (sum, value) => {
  const other = value === 0xffff_ffff ? 0 : value + 1;
  expect([matches(`${sum} = ${value}`), matches(`${sum} = ${other}`)]).toEqual([true, false]);
  expect([matches(`${sum} != ${value}`), matches(`${sum} >= ${value}`)]).toEqual([false, true]);
});

test.each([
  ['ether[5] = ether[5]', true],
  ['ether[5] = ether[6]', false],
  ['ether[5] != ether[6]', true],
  ['ether[6] > ether[5]', true],
  ['ether[5] > ether[5]', false],
  ['ether[5] >= ether[5]', true],
  ['ether[5] >= ether[6]', false],
  ['ether[5] < ether[6]', true],
  ['ether[5] <= ether[4]', false],
  ['ether[5] + 1 = ether[2] + ether[4]', true],
])('%s: %s', (text, expected) => {
  expect(matches(text)).toBe(expected);
});

test('a division by nothing, and a byte that did not arrive, match nothing', () => {
  expect(matches('ether[9] / ether[0] >= 0')).toBe(false);
  expect(matches('ether[9] % ether[0] >= 0')).toBe(false);
  expect(matches('ether[59] + ether[60] >= 0')).toBe(false);
});
