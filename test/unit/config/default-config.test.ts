import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/default-config.ts';
import { defaultConfig as filledConfig } from '../../../src/config/load.ts';

test('the defaults that are written down are those that the settings declare', () => {
  expect(defaultConfig).toStrictEqual(filledConfig());
});
