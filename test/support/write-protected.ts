import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { requires } from './requires.ts';

const isRoot = process.getuid?.() === 0;

/** Says whether a folder can be kept from this user: permissions do not bind root, a read-only file system does. */
export function canProtect(): boolean {
  return !isRoot || requires('mount');
}

/** Lets nobody write to a folder while `work` runs. */
export async function whileProtected(folder: string, work: () => Promise<unknown>): Promise<void> {
  if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'mirrortap-test', folder]);
  else chmodSync(folder, 0o555);
  try {
    await work();
  } finally {
    if (isRoot) execFileSync('umount', ['--lazy', folder]);
    else chmodSync(folder, 0o755);
  }
}
