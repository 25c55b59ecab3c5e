import { expect, test } from 'vitest';
import { SilenceWatch } from '../../../src/receive/silence.ts';

const never = (): number => 0;

test('a VNI that never sent falls silent when its time since the start is over, and is told once', () => {
  const watch = new SilenceWatch([{ vni: 42, silentSeconds: 300 }], 1000);
  expect(watch.states()).toEqual([{ vni: 42, silent: false }]);
  expect(watch.check(1299, never)).toEqual([]);
  expect(watch.check(1300, never)).toEqual([{ vni: 42, silent: true, quietSeconds: 300 }]);
  expect(watch.check(1400, never)).toEqual([]);
  expect(watch.states()).toEqual([{ vni: 42, silent: true }]);
});

test('it is heard again, and falls silent again', () => {
  const watch = new SilenceWatch([{ vni: 42, silentSeconds: 10 }], 1000);
  watch.check(1010, never);
  expect(watch.check(1020, () => 1019)).toEqual([{ vni: 42, silent: false, quietSeconds: 1 }]);
  expect(watch.check(1028, () => 1019)).toEqual([]);
  expect(watch.check(1029, () => 1019)).toEqual([{ vni: 42, silent: true, quietSeconds: 10 }]);
});

test('packets from before the watch began do not make it silent at once', () => {
  const watch = new SilenceWatch([{ vni: 1, silentSeconds: 60 }], 1000);
  expect(watch.check(1001, () => 5)).toEqual([]);
});

test('a packet that is ahead of the clock is no silence', () => {
  const watch = new SilenceWatch([{ vni: 1, silentSeconds: 60 }], 1000);
  expect(watch.check(1100, () => 2000)).toEqual([]);
});

test('each VNI has its own time', () => {
  const last = new Map([
    [1, 1050],
    [2, 1000],
  ]);
  const watch = new SilenceWatch(
    [
      { vni: 1, silentSeconds: 60 },
      { vni: 2, silentSeconds: 60 },
      { vni: 3, silentSeconds: 600 },
    ],
    1000,
  );
  expect(watch.check(1060, (vni) => last.get(vni) ?? 0)).toEqual([
    { vni: 2, silent: true, quietSeconds: 60 },
  ]);
  expect(watch.states()).toEqual([
    { vni: 1, silent: false },
    { vni: 2, silent: true },
    { vni: 3, silent: false },
  ]);
});
