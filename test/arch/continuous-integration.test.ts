import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageOf } from '../support/requires.ts';
import { root, sourceFiles } from '../support/source-files.ts';

const script = join(root, '.ci/run');
const installed = [...readFileSync(script, 'utf8').matchAll(/\[(\w+)\]=([\w-]+)/g)].map(
  ([, program = '', name = '']) => ({ program, name }),
);

test('the script can be run, and ends with the test line of the README', () => {
  expect(statSync(script).mode & 0o111).toBe(0o111);
  expect(readFileSync(script, 'utf8')).toMatch(/\nnpm ci\nnpm test\n$/);
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('npm ci && npm test');
});

test('it installs every program that a test asks for, from the package that the test names', () => {
  const asked = sourceFiles('test').flatMap(({ text }) =>
    [...text.matchAll(/\brequires\('(\w+)'\)/g)].map(([, program = '']) => program),
  );
  expect(asked.length).toBeGreaterThan(5);
  const offered = installed.map(({ program }) => program);
  expect(asked.filter((program) => !offered.includes(program))).toEqual([]);
  for (const { program, name } of installed) expect([program, packageOf(program)]).toEqual([program, name]);
});
