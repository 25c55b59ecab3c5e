import { expect, test } from 'vitest';
import { isGrowing, parseFlowName } from '../../../src/store/flow-names.ts';

const STEM = '20261121T040000Z-000012-w3.ndjson';

test.each([
  ['', 'none', false],
  ['.part', 'none', true],
  ['.zst', 'zstd', false],
  ['.zst.part', 'zstd', true],
  ['.gz', 'gzip', false],
  ['.gz.part', 'gzip', true],
] as const)('%j: %s, part: %s', (ending, compression, part) => {
  expect(parseFlowName(STEM + ending)).toEqual({
    start: '20261121T040000Z',
    sequence: 12,
    worker: 3,
    compression,
    part,
  });
  expect(isGrowing(STEM + ending)).toBe(ending === '.part');
});

test.each([
  `${STEM}.bz2`,
  `${STEM}.part.zst`,
  `${STEM}.zst.gz`,
  `x${STEM}`,
  '20261121T040000Z-000012-w3.pcapng.zst',
  '20261121T040000Z-12-w3.ndjson',
  'flows.ndjson.zst',
])('%s is none of ours', (name) => {
  expect(parseFlowName(name)).toBeUndefined();
  expect(isGrowing(name)).toBe(false);
});
