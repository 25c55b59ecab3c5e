/**
 * Loaded before a program (`node --import`): writes the largest resident memory that the process ever had, in bytes,
 * to the file that RESIDENT_MEMORY_FILE names, when the process ends.
 *
 * From procfs, not from resourceUsage: that value survives exec, so it begins with the memory of whoever started it.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const target = process.env['RESIDENT_MEMORY_FILE'];
if (target !== undefined) process.on('exit', () => writeFileSync(target, String(largestResidentBytes())));

function largestResidentBytes(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return 1024 * Number(line?.[1]);
}
