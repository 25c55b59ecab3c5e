import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { drain, workerCount } from '../../../src/config/presets.ts';

const load = (...set: string[]) => loadConfig({ environment: {}, set });

describe('drain', () => {
  test.each([
    [['behind=direct'], { seconds: 0, quietSeconds: 5 }],
    [['behind=nlb'], { seconds: 90, quietSeconds: 5 }],
    [['behind=gwlb'], { seconds: 90, quietSeconds: 5 }],
    [['behind=nlb', 'drainSeconds=auto'], { seconds: 90, quietSeconds: 5 }],
    [['behind=nlb', 'drainSeconds=7'], { seconds: 7, quietSeconds: Infinity }],
    [['behind=nlb', 'drainSeconds=0'], { seconds: 0, quietSeconds: Infinity }],
  ])('%s', (set, want) => {
    expect(drain(load(...set))).toEqual(want);
  });
});

describe('workerCount', () => {
  test.each([
    [0, 1, 1],
    [0, 2, 1],
    [0, 4, 3],
    [0, 9, 8],
    [0, 64, 8],
    [5, 1, 5],
    [64, 4, 64],
  ])('workers %d on %d cores: %d', (workers, cores, count) => {
    expect(workerCount(load(`workers=${workers}`), cores)).toBe(count);
  });
});
