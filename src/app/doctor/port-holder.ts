import { readdirSync, readlinkSync } from 'node:fs';
import type { PortHolder } from './facts.ts';
import { type ReadText, readText } from './machine.ts';

const PROGRAM_LENGTH_MAX = 120;
/** State of a TCP socket that listens (net/tcp_states.h). */
const TCP_LISTEN = '0A';

/** A line of /proc/net/udp, tcp and their like (proc_pid_net(5)). */
export interface BoundLine {
  /** Number of the user whose socket it is. */
  readonly user: string;
  /** Number of the socket, as the links in /proc/PID/fd have it. */
  readonly inode: string;
}

/** The sockets of a table that are bound to a port; of TCP those that listen. */
export function boundTo(table: string, protocol: 'udp' | 'tcp', port: number): BoundLine[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', , state]) =>
        Number.parseInt(local.split(':')[1] ?? '', 16) === port &&
        (protocol === 'udp' || state === TCP_LISTEN),
    )
    .map((fields) => ({ user: fields[7] ?? '', inode: fields[9] ?? '' }));
}

/** Who has a port of this network namespace; `undefined` where the system does not tell. */
export function portHolder(protocol: 'udp' | 'tcp', port: number): PortHolder | undefined {
  const [line] = [protocol, `${protocol}6`].flatMap((table) =>
    boundTo(readText(`/proc/net/${table}`) ?? '', protocol, port),
  );
  if (line === undefined) return undefined;
  const pid = processWith(`socket:[${line.inode}]`);
  if (pid === undefined) {
    return { pid, program: `a program of the user with number ${line.user}`, isMirrortap: false };
  }
  return { pid: Number(pid), ...describeProgram(pid, readText) };
}

/** What a process runs: its arguments as far as there is room, and whether that is mirrortap. */
export function describeProgram(pid: string, read: ReadText): Pick<PortHolder, 'program' | 'isMirrortap'> {
  const args = (read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((arg) => arg !== '');
  const program = args.join(' ') || read(`/proc/${pid}/comm`)?.trim() || 'unknown';
  const receives = args.some((arg) => arg === 'receive' || arg === 'lab');
  const isMirrortap = receives && args.some((arg) => /(^|\/)mirrortap$|\/main\.[jt]s$/.test(arg));
  return { program: program.slice(0, PROGRAM_LENGTH_MAX), isMirrortap };
}

/** The first process, among those that this user may look at, that has a file open under this name. */
function processWith(name: string): string | undefined {
  return namesIn('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .find((pid) => namesIn(`/proc/${pid}/fd`).some((fd) => target(`/proc/${pid}/fd/${fd}`) === name));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // it has ended, or belongs to somebody else
    return [];
  }
}

function target(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
