import { expect, test } from 'vitest';
import { packageOf } from '../support/requires.ts';
import { Tally } from '../support/tally.ts';
import type { VitestResult } from '../support/tally.ts';

const report = (
  passed: number,
  failed: number,
  testResults: VitestResult['testResults'] = [],
): VitestResult => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 2,
  numTodoTests: 0,
  testResults,
});
const lacks = [
  { what: 'tshark', remedy: 'apt-get install --yes tshark', weight: 'needed' },
  { what: 'real captures', remedy: 'name their folder', weight: 'offered' },
];
const lines = [...lacks, ...lacks].map((lack) => `${JSON.stringify(lack)}\n`).join('');

const cases = [
  { name: 'all is well', result: report(10, 0), passed: true, counts: '11 passed, 0 failed, 2 skipped' },
  { name: 'a test failed', result: report(9, 1), passed: false, counts: '10 passed, 1 failed, 2 skipped' },
  { name: 'no report', result: undefined, passed: false, counts: '1 passed, 1 failed, 0 skipped' },
  { name: 'no test ran', result: report(0, 0), passed: true, counts: '1 passed, 1 failed, 2 skipped' },
  { name: 'coverage is low', result: report(10, 0), passed: false, counts: '11 passed, 1 failed, 2 skipped' },
  {
    name: 'a file does not load',
    result: report(10, 0, [{ status: 'failed', assertionResults: [{ status: 'passed' }] }]),
    passed: false,
    counts: '11 passed, 1 failed, 2 skipped',
  },
];
test.each(cases)('$name: $counts', ({ result, passed, counts }) => {
  const tally = new Tally();
  tally.step('types', true);
  tally.tests(result, passed);
  expect(tally.summary(false).trimEnd().split('\n').at(-1)).toBe(counts);
});

test('what is missing is listed once, with its remedy, and is no failure by itself', () => {
  const tally = new Tally();
  tally.tests(report(1, 0), true);
  tally.missing(lines);
  const summary = tally.summary(false);
  expect(summary.match(/tshark {10,}apt-get install --yes tshark/g)).toHaveLength(1);
  expect(summary).toContain('name their folder');
  expect(tally.failed).toBe(0);
});

test('where everything is required, a missing program fails the run and missing captures do not', () => {
  const tally = new Tally();
  tally.tests(report(1, 0), true);
  tally.missing(lines);
  expect(tally.summary(true)).toContain('Failed: tshark is missing.');
  expect(tally.failed).toBe(1);
});

test('a program that is in a package of another name is installed by that name', () => {
  expect(['tshark', 'capinfos', 'promtool'].map(packageOf)).toEqual([
    'tshark',
    'wireshark-common',
    'prometheus',
  ]);
});
