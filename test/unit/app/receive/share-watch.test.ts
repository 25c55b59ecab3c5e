import { expect, test } from 'vitest';
import { ShareWatch } from '../../../../src/app/receive/share-watch.ts';
import { LogLines } from '../../../support/log-lines.ts';

const warned = { least: 100, most: 0.05, message: 'Too much.', remedy: 'Less.' };

/** A watch whose clock stands where `look` puts it. */
function makeWatch(firstMs = 0) {
  const log = new LogLines();
  const clock = { ms: 0 };
  const watch = new ShareWatch({ warned, fields: ['bad', 'all'], firstMs, log, now: () => clock.ms });
  return {
    watch,
    /** Looks, and says what was warned of: part, whole. */
    look: (seconds: number, part: number, whole: number, lane = 'a'): unknown[] => {
      clock.ms = seconds * 1000;
      watch.look(lane, part, whole);
      return log.lines.splice(0).map(({ fields }) => [fields['lane'], fields['bad'], fields['all']]);
    },
    log,
    clock,
  };
}

test('a warning says lane, counts, share and remedy', () => {
  const { watch, log } = makeWatch();
  watch.look('vni-1', 50, 200);
  expect(log.take('lane', 'bad', 'all', 'share', 'remedy')).toEqual([
    'warn: Too much. lane=vni-1 bad=50 all=200 share=25.00 % remedy=Less.',
  ]);
});

test.each([
  { name: 'too few', part: 99, whole: 99, warns: false },
  { name: 'just enough, all of them', part: 100, whole: 100, warns: true },
  { name: 'exactly the most', part: 5, whole: 100, warns: false },
  { name: 'one more', part: 6, whole: 100, warns: true },
  { name: 'none', part: 0, whole: 1_000_000, warns: false },
])('$name', ({ part, whole, warns }) => {
  expect(makeWatch().look(0, part, whole).length).toBe(warns ? 1 : 0);
});

test('once a minute at most, and only of what came meanwhile', () => {
  const { look } = makeWatch();
  expect(look(0, 10, 100)).toEqual([['a', 10, 100]]);
  expect(look(1, 110, 200)).toEqual([]);
  expect(look(59, 120, 300)).toEqual([]);
  expect(look(60, 130, 400)).toEqual([['a', 120, 300]]);
  expect(look(120, 130, 10_000)).toEqual([]);
  expect(look(180, 230, 10_100)).toEqual([['a', 100, 100]]);
});

test('where little comes it is judged later, all of it', () => {
  const { look } = makeWatch();
  expect(look(0, 10, 100)).toEqual([['a', 10, 100]]);
  for (let minute = 1; minute < 10; minute++)
    expect(look(60 * minute, 10 + minute, 100 + minute)).toEqual([]);
  expect(look(601, 110, 200)).toEqual([['a', 100, 100]]);
});

test('a new lane may have to wait, each for itself', () => {
  const { look } = makeWatch(60_000);
  expect(look(0, 100, 100)).toEqual([]);
  expect(look(30, 100, 100, 'b')).toEqual([]);
  expect(look(60, 100, 100)).toEqual([['a', 100, 100]]);
  expect(look(60, 100, 100, 'b')).toEqual([]);
  expect(look(90, 100, 100, 'b')).toEqual([['b', 100, 100]]);
});

test('a lane that was closed begins anew', () => {
  const { look, watch } = makeWatch();
  expect(look(0, 100, 1000)).toEqual([['a', 100, 1000]]);
  watch.forget('a');
  expect(look(1, 10, 100)).toEqual([['a', 10, 100]]);
});
