import { expect, test } from 'vitest';
import { workerUrl } from '../../../src/app/worker-url.ts';

test('a worker stands beside the file that asks, with the same ending', () => {
  expect(workerUrl('worker').href).toMatch(/\/src\/app\/worker\.ts$/);
});
