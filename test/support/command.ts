import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const main = join(import.meta.dirname, '../../src/main.ts');

/** What a finished command left behind. */
export interface Finished {
  /** Exit status; `null` where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `mirrortap`, from source. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/**
 * Starts `mirrortap` with these arguments; `stdin` is what it reads from standard input, nothing unless given, and
 * `environment` what it finds there besides ours.
 */
export function startCommand(
  args: readonly string[],
  stdin?: Uint8Array,
  environment: NodeJS.ProcessEnv = {},
): Running {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  // a test that fails half-way must not leave it running
  onTestFinished(() => void child.kill('SIGKILL'));
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => stdout.push(part));
  child.stderr.on('data', (part: Buffer) => stderr.push(part));
  child.stdin.on('error', () => {
    // The command ended without reading all of it.
  });
  child.stdin.end(stdin);
  const finished = once(child, 'close').then(([status]: (number | null)[]) => ({
    status: status ?? null,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  }));
  return { child, finished };
}

/** Runs `mirrortap` to its end. */
export function runCommand(args: readonly string[], stdin?: Uint8Array): Promise<Finished> {
  return startCommand(args, stdin).finished;
}
