import { assert, array, boolean, integer, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import type { OldFile } from '../../../src/store/indexed-file.ts';
import { filesToDelete, missingBytes } from '../../../src/store/retention.ts';

const NOW = 1000;
/** Of 10 bytes each, their last packets at these seconds. */
const files = (...seconds: number[]): OldFile[] =>
  seconds.map((lastSeconds) => ({ path: `at-${lastSeconds}`, bytes: 10, lastSeconds }));
const none = { keepBytes: 0, keepSeconds: 0, keepFreePercent: 0 };
const roomy = { bytes: 30, freeBytes: 50, diskBytes: 100 };

test.each([
  { name: 'no limits: nothing', limits: none, fullness: { ...roomy, freeBytes: 0 }, goes: [] },
  { name: 'as many bytes as are allowed', limits: { ...none, keepBytes: 30 }, fullness: roomy, goes: [] },
  {
    name: 'a byte too many: one file',
    limits: { ...none, keepBytes: 29 },
    fullness: roomy,
    goes: ['at-1 bytes'],
  },
  {
    name: 'two files',
    limits: { ...none, keepBytes: 19 },
    fullness: roomy,
    goes: ['at-1 bytes', 'at-2 bytes'],
  },
  {
    name: 'all files, where one is too much',
    limits: { ...none, keepBytes: 1 },
    fullness: roomy,
    goes: ['at-1 bytes', 'at-2 bytes', 'at-3 bytes'],
  },
  { name: 'as old as is allowed', limits: { ...none, keepSeconds: 999 }, fullness: roomy, goes: [] },
  { name: 'a second older', limits: { ...none, keepSeconds: 998 }, fullness: roomy, goes: ['at-1 age'] },
  { name: 'enough is free', limits: { ...none, keepFreePercent: 50 }, fullness: roomy, goes: [] },
  {
    name: 'a byte is missing',
    limits: { ...none, keepFreePercent: 51 },
    fullness: roomy,
    goes: ['at-1 space'],
  },
  {
    name: 'the disk is full for all but the system',
    limits: { ...none, keepFreePercent: 1 },
    fullness: { ...roomy, freeBytes: 0 },
    goes: ['at-1 space'],
  },
  {
    name: 'one limit after the other, the first that holds is the reason',
    limits: { keepSeconds: 998, keepBytes: 15, keepFreePercent: 75 },
    fullness: roomy,
    goes: ['at-1 age', 'at-2 bytes', 'at-3 space'],
  },
])('$name', ({ limits, fullness, goes }) => {
  const found = filesToDelete(files(1, 2, 3), limits, fullness, NOW);
  expect(found.map(({ path, reason }) => `${path} ${reason}`)).toEqual(goes);
});

test.each([
  { freeBytes: 10, diskBytes: 100, percent: 10, missing: 0 },
  { freeBytes: 9, diskBytes: 100, percent: 10, missing: 1 },
  { freeBytes: 0, diskBytes: 100, percent: 0, missing: 1 },
  { freeBytes: 0, diskBytes: 1000, percent: 90, missing: 900 },
])(
  '$freeBytes of $diskBytes free, $percent % to keep: $missing are missing',
  ({ missing, percent, ...disk }) => {
    expect(missingBytes({ bytes: 0, ...disk }, percent)).toBe(missing);
  },
);

test('what goes is the beginning of the list, is enough, and not more than that', () => {
  const file = record({
    path: integer().map(String),
    bytes: integer({ min: 0, max: 100 }),
    lastSeconds: integer({ min: 0, max: 2000 }),
  });
  const limits = record({
    keepBytes: integer({ min: 0, max: 500 }),
    keepSeconds: integer({ min: 0, max: 2000 }),
    keepFreePercent: integer({ min: 0, max: 90 }),
  });
  assert(
    property(
      array(file),
      limits,
      integer({ min: 0, max: 1000 }),
      boolean(),
      (unsorted, keep, free, extra) => {
        const oldest = unsorted.toSorted((a, b) => a.lastSeconds - b.lastSeconds);
        const total = oldest.reduce((sum, { bytes }) => sum + bytes, extra ? 50 : 0);
        const deleted = filesToDelete(oldest, keep, { bytes: total, freeBytes: free, diskBytes: 1000 }, NOW);
        expect(deleted.map(({ path }) => path)).toEqual(
          oldest.slice(0, deleted.length).map(({ path }) => path),
        );
        const satisfied = (count: number): boolean => {
          const gone = oldest.slice(0, count).reduce((sum, { bytes }) => sum + bytes, 0);
          const young =
            count >= oldest.length ||
            keep.keepSeconds === 0 ||
            oldest[count]!.lastSeconds + keep.keepSeconds >= NOW;
          const small = keep.keepBytes === 0 || total - gone <= keep.keepBytes;
          const roomEnough =
            keep.keepFreePercent === 0 ||
            free + gone >= Math.max(10 * keep.keepFreePercent, free === 0 ? 1 : 0);
          return young && small && roomEnough;
        };
        if (deleted.length < oldest.length) expect(satisfied(deleted.length)).toBe(true);
        if (deleted.length > 0) expect(satisfied(deleted.length - 1)).toBe(false);
      },
    ),
  );
});
