import { expect, test } from 'vitest';
import { VniSet } from '../../../../src/receive/select/vni-set.ts';

test.each([
  [[], [0, 7, 16_777_215], []],
  [[[7, 7]], [7], [0, 6, 8]],
  [
    [
      [100, 199],
      [7, 9],
      [150, 250],
      [10, 11],
      [300, 300],
    ],
    [7, 8, 9, 10, 11, 100, 199, 200, 250, 300],
    [0, 6, 12, 99, 251, 299, 301],
  ],
] as const)('%j', (ranges, inside, outside) => {
  const set = new VniSet(ranges);
  for (let round = 0; round < 2; round++) {
    expect(inside.filter((vni) => !set.has(vni))).toEqual([]);
    expect(outside.filter((vni) => set.has(vni))).toEqual([]);
  }
});
