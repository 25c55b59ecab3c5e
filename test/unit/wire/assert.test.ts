import { expect, test } from 'vitest';
import { AssertionFailure, assert } from '../../../src/wire/assert.ts';

test('what holds passes, what does not stops the program with its message', () => {
  expect(() => assert(true, 'never seen')).not.toThrow();
  expect(() => assert(false, 'slot 7 is in use')).toThrow(AssertionFailure);
  expect(() => assert(false, 'slot 7 is in use')).toThrow('slot 7 is in use');
});
