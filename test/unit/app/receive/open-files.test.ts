import { expect, test } from 'vitest';
import { openFilesShare } from '../../../../src/app/receive/open-files.ts';

test.each([
  { limit: 1024, sharers: 1, share: 512 },
  { limit: 1024, sharers: 8, share: 64 },
  { limit: 1_048_576, sharers: 8, share: 1024 },
  { limit: 256, sharers: 64, share: 16 },
])('$limit files may be open, $sharers share them: $share each', ({ limit, sharers, share }) => {
  expect(openFilesShare(sharers, limit)).toBe(share);
});

test('this process has a limit', () => {
  expect(openFilesShare(1)).toBeGreaterThanOrEqual(16);
});
