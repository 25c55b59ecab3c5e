import { spawnSync } from 'node:child_process';
import { requires } from '../support/requires.ts';

/** Packets of all these files, as capinfos counts them; undefined where there is no capinfos. */
export function packetsInFiles(files: readonly string[]): number | undefined {
  if (!requires('capinfos') || files.length === 0) return undefined;
  const { status, stdout, stderr } = spawnSync('capinfos', ['-T', '-r', '-M', '-c', ...files], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`capinfos ended with status ${status}:\n${stderr}`);
  const counts = stdout.trim().split('\n');
  return counts.reduce((sum, line) => sum + Number(line.split('\t').at(-1)), 0);
}
