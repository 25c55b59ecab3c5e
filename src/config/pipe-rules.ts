import { WORKER_IN_PATH } from '../sinks/pipe/worker-path.ts';
import type { Config } from './settings.ts';

/** A pipe that is in use. */
interface Pipe {
  readonly name: string;
  readonly path: string;
}

export interface PipeProblem {
  readonly path: readonly string[];
  readonly found: string;
  readonly text: string;
  readonly expected: string;
}

/** Whether packets go to standard output, so that nothing else may. */
export function usesStandardOutput(config: Pick<Config, 'sinks'>): boolean {
  return pipesOf(config).some(({ path }) => path === '-');
}

/** Whether all packets go into one stream, which one worker alone can write. */
export function hasSharedPipe(config: Pick<Config, 'sinks'>): boolean {
  return pipesOf(config).some(({ path }) => !path.includes(WORKER_IN_PATH));
}

/** What is wrong with pipes: one stream has one writer. */
export function pipeProblems(config: Pick<Config, 'sinks' | 'workers'>): PipeProblem[] {
  const owners = new Map<string, string>();
  const problems: PipeProblem[] = [];
  for (const { name, path } of pipesOf(config)) {
    const at = ['sinks', name, 'path'];
    const owner = owners.get(path);
    if (owner !== undefined) {
      const text = `sinks.${name}.path is ${JSON.stringify(path)}, the pipe of sinks.${owner}`;
      problems.push({ path: at, found: path, text, expected: 'a pipe of its own' });
    }
    owners.set(path, owner ?? name);
    if (config.workers <= 1 || path.includes(WORKER_IN_PATH)) continue;
    const expected = path === '-' ? 'workers: 1' : `workers: 1, or ${WORKER_IN_PATH} in the path`;
    const text = `sinks.${name}.path is ${JSON.stringify(path)}, one pipe, and workers is ${config.workers}: one worker writes to a pipe`;
    problems.push({ path: at, found: path, text, expected });
  }
  return problems;
}

function pipesOf({ sinks }: Pick<Config, 'sinks'>): Pipe[] {
  return Object.entries(sinks)
    .filter(([, { kind, enabled }]) => kind === 'pipe' && enabled)
    .map(([name, { path }]) => ({ name, path: String(path) }));
}
