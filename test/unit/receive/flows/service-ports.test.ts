import { expect, test } from 'vitest';
import { isServicePort } from '../../../../src/receive/flows/service-ports.ts';

test.each([
  [0, false],
  [1, true],
  [443, true],
  [1023, true],
  [1024, false],
  [5432, true],
  [27_017, true],
  [32_768, false],
  [65_535, false],
])('port %i is that of a service: %s', (port, isService) => {
  expect(isServicePort(port)).toBe(isService);
});
