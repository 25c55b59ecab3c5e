import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  cpuBetween,
  largestResident,
  parseSchedstat,
  parseStat,
  parseStatus,
  readCpu,
} from '../../bench/cpu-time.ts';
import { parseTiming } from '../../bench/timed-command.ts';

test('schedstat: the first number', () => {
  expect(parseSchedstat('81422367 5117 42\n')).toBe(81_422_367);
  expect(() => parseSchedstat('')).toThrow('No schedstat');
});

test.each(['node', 'a b', 'x) R 9 (y'])('stat of a process called "%s": fields 14 and 15', (name) => {
  const behind = 'S 1 2 3 0 -1 4194304 100 0 0 0 25 17 0 0 20 0 11 0 5000 1000000 2000';
  expect(parseStat(`42 (${name}) ${behind}`)).toBe(420_000_000);
  expect(() => parseStat(`42 (${name}) S`)).toThrow('No stat');
});

test('status: a field in kB', () => {
  const text = 'Name:\tnode\nVmHWM:\t   60128 kB\nVmRSS:\t   50000 kB\n';
  expect([parseStatus(text, 'VmHWM'), parseStatus(text, 'VmSwap')]).toEqual([60_128 * 1024, 0]);
});

test('bash: seconds of the clock, of user and of system time', () => {
  expect(parseTiming('what the program wrote\ntiming 1.500 1.250 0.125\n')).toEqual({
    seconds: 1.5,
    cpuSeconds: 1.375,
  });
  expect(() => parseTiming('bash: killed')).toThrow('No timing');
});

test.each([
  {
    what: 'threads live on: the finer account',
    threadsNs: 47_000_000,
    processNs: 50_000_000,
    ns: 47_000_000,
  },
  { what: 'a thread ended: the coarser one', threadsNs: -9_000_000, processNs: 80_000_000, ns: 80_000_000 },
])('$what', ({ threadsNs, processNs, ns }) => {
  const before = { threadsNs: 100_000_000, processNs: 100_000_000 };
  const after = { threadsNs: 100_000_000 + threadsNs, processNs: 100_000_000 + processNs };
  expect(cpuBetween(before, after)).toBe(ns);
});

test.skipIf(!existsSync('/proc/self/schedstat'))(
  'the accounts of this process grow with what it does',
  () => {
    const before = readCpu(process.pid);
    const end = performance.now() + 60;
    while (performance.now() < end);
    expect(cpuBetween(before, readCpu(process.pid))).toBeGreaterThan(0);
    expect(largestResident(process.pid)).toBeGreaterThan(10_000_000);
  },
);

test.skipIf(!existsSync('/proc/self/schedstat'))('a process that is gone has used nothing', () => {
  expect(readCpu(0x3fff_fffe)).toEqual({ threadsNs: 0, processNs: 0 });
});
