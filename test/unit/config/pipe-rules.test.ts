import { describe, expect, test } from 'vitest';
import { hasSharedPipe, pipeProblems, usesStandardOutput } from '../../../src/config/pipe-rules.ts';
import { workerCount } from '../../../src/config/presets.ts';
import type { Config } from '../../../src/config/settings.ts';

type Pipes = Readonly<Record<string, { readonly path: string; readonly enabled?: boolean }>>;

/** Settings with these pipes, and files besides. */
function withPipes(pipes: Pipes, workers = 0): Pick<Config, 'sinks' | 'workers'> {
  const sinks = Object.entries(pipes).map(([name, { path, enabled = true }]) => [
    name,
    { kind: 'pipe', path, enabled },
  ]);
  const files = { kind: 'files', directory: '-', enabled: true };
  return { workers, sinks: { captures: files, ...Object.fromEntries(sinks) } } as unknown as Config;
}

const rows: readonly {
  readonly what: string;
  readonly pipes: Pipes;
  readonly stdout: boolean;
  readonly shared: boolean;
}[] = [
  { what: 'no pipe', pipes: {}, stdout: false, shared: false },
  { what: 'standard output', pipes: { live: { path: '-' } }, stdout: true, shared: true },
  { what: 'one that is off', pipes: { live: { path: '-', enabled: false } }, stdout: false, shared: false },
  { what: 'a named pipe', pipes: { live: { path: '/run/live' } }, stdout: false, shared: true },
  { what: 'one a worker', pipes: { live: { path: '/run/live-{worker}' } }, stdout: false, shared: false },
];

describe.each(rows)('$what', ({ pipes, stdout, shared }) => {
  test('says whether standard output is for packets', () => {
    expect(usesStandardOutput(withPipes(pipes))).toBe(stdout);
  });
  test('decides the workers where nobody has', () => {
    const config = withPipes(pipes);
    expect(hasSharedPipe(config)).toBe(shared);
    expect(workerCount(config, 6)).toBe(shared ? 1 : 5);
    expect(workerCount({ ...config, workers: 3 }, 6)).toBe(3);
  });
  test('is refused for several workers where they would share it', () => {
    expect(pipeProblems(withPipes(pipes, 1))).toEqual([]);
    expect(pipeProblems(withPipes(pipes, 2))).toHaveLength(shared ? 1 : 0);
  });
});

test('two sinks cannot have one pipe', () => {
  const problems = pipeProblems(withPipes({ live: { path: '-' }, other: { path: '-' } }, 1));
  expect(problems).toEqual([
    {
      path: ['sinks', 'other', 'path'],
      found: '-',
      text: 'sinks.other.path is "-", the pipe of sinks.live',
      expected: 'a pipe of its own',
    },
  ]);
});
