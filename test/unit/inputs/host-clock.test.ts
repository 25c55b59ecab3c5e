import { expect, test } from 'vitest';
import { hostClockIsSynchronised } from '../../../src/inputs/host-clock.ts';
import { clockIsSynchronised } from '../../../src/native/clock.ts';
import { requiresNative } from '../../support/native.ts';

const native = await requiresNative();

test('the mark of systemd-timesyncd is enough', async () => {
  expect(await hostClockIsSynchronised(import.meta.filename)).toBe(true);
});

test.skipIf(!native)('without it the kernel is asked', async () => {
  expect(await hostClockIsSynchronised('/nowhere')).toBe(clockIsSynchronised());
});
