import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requires, requiresRoot } from '../../support/requires.ts';

const program = join(import.meta.dirname, '../../support/programs/raise-net-raw.ts');
const taken = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-all', '--reuid=65534'];

const runnable = [requires('setpriv'), requiresRoot()].every(Boolean);

test.skipIf(!runnable).each([
  { title: 'a process that has it keeps it', command: ['setpriv'], said: 'true true' },
  {
    title: 'a process that may have it has it once it asks',
    command: ['setpriv'],
    lower: true,
    said: 'true true',
  },
  { title: 'a process from which it was taken is told so', command: taken, said: 'false false' },
])('$title', ({ command: [setpriv = '', ...options], lower = false, said }) => {
  const args = [...options, process.execPath, program, ...(lower ? ['lower'] : [])];
  expect(execFileSync(setpriv, args, { encoding: 'utf8' }).trim()).toBe(said);
});
