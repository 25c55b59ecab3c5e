/**
 * The one command behind `npm test`: every check of the project, and one line at the end that counts them.
 *
 *     npm test                   all checks
 *     npm test -- unit/wire      only the tests whose path contains one of the words
 *     npm run soak               only the long tests, at full size
 *
 * With CI=true everything that a run may otherwise leave out is required, and coverage is held to its floor.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Tally } from './support/tally.ts';
import type { VitestResult } from './support/tally.ts';

/** A loop that never ends holds its thread, and no time limit of a test can stop it. */
const RUN_LIMIT_MS = 25 * 60_000;
const SOAK_LIMIT_MS = 12 * 60 * 60_000;

const root = new URL('..', import.meta.url).pathname;
const inCi = process.env['CI'] === 'true';
const words = process.argv.slice(2).filter((word) => word !== '--soak');
const soak = process.argv.includes('--soak');

/** Each counts as one check. They are quiet when all is well, so their output is shown only when it is not. */
const steps: ReadonlyArray<readonly [name: string, ...command: string[]]> = [
  ['types of src', 'tsc', '--noEmit', '-p', '.'],
  ['types of tests', 'tsc', '-p', 'test'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'deploy', 'samples'],
  ['format', 'biome', 'format', '--reporter=summary'],
  ['layers', 'depcruise', '--config', '.dependency-cruiser.mjs', 'src'],
  ['unused code', 'knip'],
];

const scratch = mkdtempSync(join(tmpdir(), 'mirrortap-test-'));
const tally = new Tally();
try {
  if (words.length === 0 && !soak) for (const [name, ...command] of steps) runStep(name, command);
  runTests();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(tally.summary(inCi));
process.exitCode = tally.failed === 0 ? 0 : 1;

function runStep(name: string, [program = '', ...args]: readonly string[]): void {
  const startMs = performance.now();
  const { status, stdout, stderr } = run(program, args, 'pipe');
  const took = `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${name} ${took}\n`);
  if (status !== 0) process.stdout.write(`${stdout}${stderr}\n`);
  tally.step(name, status === 0);
}

function runTests(): void {
  const results = join(scratch, 'vitest.json');
  const missing = join(scratch, 'missing.jsonl');
  const args = ['run', '--config', 'test/vitest.config.ts', '--reporter=default', '--reporter=json'];
  args.push(`--outputFile.json=${results}`);
  if (inCi && !soak && words.length === 0) args.push('--coverage');
  if (soak) args.push('fuzz', 'scenario', 'e2e');
  args.push(...words);
  const { status } = run('vitest', args, 'inherit', {
    MIRRORTAP_MISSING: missing,
    ...(soak ? { MIRRORTAP_SOAK: '1' } : {}),
  });
  tally.tests(readReport(results), status === 0);
  tally.missing(readText(missing));
}

function run(
  program: string,
  args: readonly string[],
  output: 'pipe' | 'inherit',
  env: NodeJS.ProcessEnv = {},
) {
  const bin = join(root, 'node_modules/.bin');
  return spawnSync(join(bin, program), args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: soak ? SOAK_LIMIT_MS : RUN_LIMIT_MS,
    killSignal: 'SIGKILL',
    stdio: ['ignore', output, output],
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, ...env },
  });
}

function readReport(path: string): VitestResult | undefined {
  const text = readText(path);
  return text === '' ? undefined : (JSON.parse(text) as VitestResult);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
