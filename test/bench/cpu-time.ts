/**
 * What a process and its children cost, from the accounts of Linux. `proc(5)`: `/proc/PID/task/TID/schedstat` has the
 * time on the processor in nanoseconds, user and system together; `/proc/PID/stat` has the same for all threads that
 * the process ever had, in hundredths of a second.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: what `/proc` counts in on every architecture that Node runs on. */
const TICK_NS = 10_000_000;

/** Time on the processor up to now. */
export interface CpuReading {
  /** Sum over the threads that live. */
  readonly threadsNs: number;
  /** All threads, those that ended included; to `TICK_NS`. */
  readonly processNs: number;
}

/** Nanoseconds on the processor in a `schedstat` file: its first number. */
export function parseSchedstat(text: string): number {
  const nanoseconds = Number(text.split(' ', 1)[0]);
  if (!Number.isFinite(nanoseconds) || text === '') throw new Error(`No schedstat: ${text}`);
  return nanoseconds;
}

/** User and system time in a `stat` file: fields 14 and 15; the name, field 2, may hold blanks and brackets. */
export function parseStat(text: string): number {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`No stat: ${text}`);
  return ticks * TICK_NS;
}

/** A number of kB in a `status` file, in bytes; 0 where the field is not there. */
export function parseStatus(text: string, field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return 1024 * Number(kilobytes ?? 0);
}

/** What a process and all its descendants have used. A process that is gone has used nothing. */
export function readCpu(pid: number): CpuReading {
  let [threadsNs, processNs] = [0, 0];
  for (const one of processTree(pid)) {
    processNs += ended(() => parseStat(readFileSync(`/proc/${one}/stat`, 'utf8')), 0);
    for (const thread of threadsOf(one)) {
      const path = `/proc/${one}/task/${thread}/schedstat`;
      threadsNs += ended(() => parseSchedstat(readFileSync(path, 'utf8')), 0);
    }
  }
  return { threadsNs, processNs };
}

/**
 * Nanoseconds between two readings. A thread that ended in between took its part of the finer account with it; then
 * the coarser one counts.
 */
export function cpuBetween(before: CpuReading, after: CpuReading): number {
  const threadsNs = after.threadsNs - before.threadsNs;
  const processNs = after.processNs - before.processNs;
  return processNs - threadsNs > 2 * TICK_NS ? processNs : threadsNs;
}

/** Largest resident memory that any process of the tree has had since it began its program, in bytes. */
export function largestResident(pid: number): number {
  const peaks = processTree(pid).map((one) =>
    ended(() => parseStatus(readFileSync(`/proc/${one}/status`, 'utf8'), 'VmHWM'), 0),
  );
  return Math.max(0, ...peaks);
}

/** The process, its children, and theirs. */
function processTree(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    ended(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'), '')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  );
  return [pid, ...children.flatMap(processTree)];
}

function threadsOf(pid: number): string[] {
  return ended(() => readdirSync(`/proc/${pid}/task`), []);
}

/** What to say of a process or thread that ended while it was looked at. */
function ended<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return otherwise;
    throw error;
  }
}
