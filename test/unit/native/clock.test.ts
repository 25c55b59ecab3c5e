import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { clockIsSynchronised } from '../../../src/native/clock.ts';
import { requiresNative } from '../../support/native.ts';
import { requires } from '../../support/requires.ts';
import { cProgram } from '../../support/c-facts.ts';

const native = await requiresNative();

test.skipIf(!native || !requires('gcc'))('the clock is as a C program finds it', () => {
  const text = `#include <stdio.h>
#include <sys/timex.h>
int main(void) {
  struct timex state = {0};
  printf("%d", adjtimex(&state) != TIME_ERROR || !(state.status & STA_UNSYNC));
}`;
  const found = cProgram(text, (path) => execFileSync(path, { encoding: 'utf8' }));
  expect(clockIsSynchronised()).toBe(found === '1');
});
