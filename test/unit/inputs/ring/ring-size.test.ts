import { expect, test } from 'vitest';
import { ringSize } from '../../../../src/inputs/ring/ring-size.ts';

test.each([
  { bytes: 67_108_864, blocks: 512 },
  { bytes: 1_073_741_824, blocks: 8192 },
  { bytes: 1_048_576, blocks: 8 },
  { bytes: 1_048_576 / 5, blocks: 8 },
  { bytes: 67_108_864 / 3, blocks: 170 },
])('$bytes bytes', ({ bytes, blocks }) => {
  expect(ringSize(bytes)).toEqual({ blockBytes: 131_072, blocks });
});
