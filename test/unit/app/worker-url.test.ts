import { expect, test } from 'vitest';
import { workerUrl } from '../../../src/app/worker-url.ts';

test('a worker stands below the folder of the file that asks, with the same ending', () => {
  expect(workerUrl('receive/worker').href).toMatch(/\/src\/app\/receive\/worker\.ts$/);
});
