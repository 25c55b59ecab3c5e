import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { left, table } from './markdown.ts';

/** What the figures depend on, as a table; programs that are not there are left out. */
export function machineFacts(programs: readonly string[]): string {
  const [cpu] = cpus();
  const rows = [
    ['processor', `${cpu?.model.trim() ?? 'unknown'}, ${cpus().length} cores`],
    ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['kernel', release()],
    ['system', systemName()],
    ['Node', process.version],
    ...programs.map((program) => [program, versionOf(program)]),
  ].filter(([, value]) => value !== '');
  return table([left('what'), left('which')], rows);
}

/** The first line that the program prints of its version; empty where it is not there. */
function versionOf(program: string): string {
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`.split('\n').find((line) => /\d+\.\d+/.test(line)) ?? '';
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}
