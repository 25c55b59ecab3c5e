import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Report } from '../../src/observe/report.ts';

const main = join(import.meta.dirname, '../../src/main.ts');

/** How `mirrortap receive` is run. */
export interface ReceiveOptions {
  /** What stands before it on the command line: another namespace, fewer privileges. */
  readonly prefix?: readonly string[];
  /** `path=value`. */
  readonly settings: readonly string[];
  /** Besides ours. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** One line of its log. */
export type LoggedLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** How it ended. */
export interface EndedReceive {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One that receives. */
export interface PrefixedReceive {
  /** The line that says how packets come in. */
  readonly receiving: LoggedLine;
  /** What it has logged so far. */
  logged(): readonly LoggedLine[];
  /** Sends SIGTERM and resolves to its report, and to all that it has logged. */
  end(): Promise<{ report: Report; lines: readonly LoggedLine[] }>;
}

/** Runs it to its end: it is expected to fail. */
export async function failingReceive(options: ReceiveOptions): Promise<EndedReceive> {
  return run(options).ended;
}

/** Starts it, and resolves when it receives. */
export async function prefixedReceive(options: ReceiveOptions): Promise<PrefixedReceive> {
  const { child, ended, logged } = run(options);
  const receiving = await Promise.race([
    untilLogged(child, logged, 'Receiving.'),
    ended.then(({ status, stderr }) => {
      throw new Error(`receive ended with status ${status} before it received:\n${stderr}`);
    }),
  ]);
  return {
    receiving,
    logged,
    end: async () => {
      child.kill('SIGTERM');
      const { status, stdout, stderr } = await ended;
      if (status !== 0) throw new Error(`receive ended with status ${status}:\n${stderr}`);
      return { report: JSON.parse(stdout) as Report, lines: logged() };
    },
  };
}

function run({ prefix = [], settings, environment = {} }: ReceiveOptions) {
  const set = settings.flatMap((setting) => ['--set', setting]);
  const options = ['--report', 'json', '--log-format', 'json'];
  const [program = '', ...args] = [...prefix, process.execPath, main, 'receive', ...options, ...set];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  // a test that fails half-way must not leave it running
  onTestFinished(() => void child.kill('SIGKILL'));
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (part: Buffer) => (texts.stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (texts.stderr += part.toString()));
  const ended = once(child, 'close').then(([status]: (number | null)[]): EndedReceive => {
    return { status: status ?? null, ...texts };
  });
  return { child, ended, logged: () => linesOf(texts.stderr) };
}

async function untilLogged(
  child: { readonly stderr: NodeJS.ReadableStream },
  logged: () => LoggedLine[],
  message: string,
): Promise<LoggedLine> {
  for (;;) {
    const line = logged().find(({ msg }) => msg === message);
    if (line !== undefined) return line;
    await once(child.stderr, 'data');
  }
}

function linesOf(text: string): LoggedLine[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return complete
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LoggedLine);
}
