import { readFileSync } from 'node:fs';

/** Where the system does not say how many files may be open: what it allows usually. */
const USUAL_LIMIT = 1024;
/** A sink gets no less, however many there are, and no more: more open files made nothing faster. */
const SHARE_MIN = 16;
const SHARE_MAX = 1024;

/**
 * How many files each of `sharers` may keep open. Half of what the process may open is left to sockets, threads and the
 * index: to have none left would stop more than a file.
 */
export function openFilesShare(sharers: number, limit: number = openFilesLimit()): number {
  return Math.max(SHARE_MIN, Math.min(SHARE_MAX, Math.floor(limit / 2 / sharers)));
}

/** How many files this process may have open, `/proc/self/limits` (proc_pid_limits(5)). */
function openFilesLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? USUAL_LIMIT);
  } catch {
    return USUAL_LIMIT;
  }
}
