import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { largestResident } from './cpu-time.ts';

const LOOK_MS = 10;

/** What a command took. */
export interface Timing {
  readonly seconds: number;
  /** User and system time of the command and its children. */
  readonly cpuSeconds: number;
  /** Largest resident memory that was seen, looked at every 10 ms. */
  readonly residentBytes: number;
}

/**
 * Runs a command to its end, under bash's `time`, which reads what the kernel has counted for a child that ended.
 *
 * @throws Error where it fails
 */
export async function timeCommand(command: readonly string[]): Promise<Timing> {
  const script = 'TIMEFORMAT="timing %3R %3U %3S"; time "$@"';
  const child = spawn('bash', ['-c', script, 'bash', ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  const { pid = 0 } = child;
  let residentBytes = 0;
  const timer = setInterval(() => {
    residentBytes = Math.max(residentBytes, largestResident(pid));
  }, LOOK_MS);
  const [status] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with status ${status}:\n${stderr}`);
  return { ...parseTiming(stderr), residentBytes };
}

/** The line that bash wrote: seconds of the clock, of user and of system time. */
export function parseTiming(text: string): Omit<Timing, 'residentBytes'> {
  const numbers = /^timing ([\d.]+) ([\d.]+) ([\d.]+)$/m.exec(text);
  if (numbers === null) throw new Error(`No timing: ${text}`);
  const [seconds = 0, user = 0, system = 0] = numbers.slice(1).map(Number);
  return { seconds, cpuSeconds: user + system };
}
