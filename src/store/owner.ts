import { utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errnoOf, FILE_MODE, type FileSystem, namesIn, nodeFileSystem, removeFile } from './file-system.ts';

/**
 * Which processes write captures into a folder: each keeps a file `.owner-<pid>-<start>` there while it lives, whose text
 * says where it runs and whose time of change it renews. What was last written before every living owner began was left
 * by one that has ended.
 */
const OWNER_NAME = /^\.owner-(\d+)-(\d+)$/;

/** An owner renews its file so often; one that cannot be asked counts as ended after the second. */
export const RENEW_MS = 10_000;
const LAPSE_MS = 45_000;

/** One process that writes into a folder. */
export interface Owner {
  /** Name of its file. */
  readonly name: string;
  readonly pid: number;
  /** Start of the process in ticks of the kernel's clock, `/proc/<pid>/stat` field 22. */
  readonly startTicks: number;
  /** Boot of the kernel and process namespace that the two numbers belong to. */
  readonly place: string;
  /** When it began with this folder, by the file system's clock: milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When it last said that it lives. */
  readonly renewedMs: number;
}

/** What an owner is known by. */
export type OwnerIdentity = Pick<Owner, 'pid' | 'startTicks' | 'place'>;

/** This process. */
export function thisProcess(files: FileSystem = nodeFileSystem): OwnerIdentity {
  const { pid } = process;
  return { pid, startTicks: startTicksOf(files, pid) ?? 0, place: placeOf(files) };
}

/** Name of an owner's file; also what the index calls it. */
export function ownerName({ pid, startTicks }: OwnerIdentity): string {
  return `.owner-${pid}-${startTicks}`;
}

/** Says in a folder that this process writes there. */
export function register(files: FileSystem, directory: string, identity: OwnerIdentity): Owner {
  const name = ownerName(identity);
  const path = join(directory, name);
  files.writeFileSync(path, '', { mode: FILE_MODE });
  // by the clock that stamps the captures, which may be another machine's
  const sinceMs = files.statSync(path).mtimeMs;
  files.writeFileSync(path, textOf(identity, sinceMs));
  return { ...identity, name, sinceMs, renewedMs: sinceMs };
}

/** Says so unless another thread of this process has, and returns since when, by the file system's clock. */
export function joinOwners(files: FileSystem, directory: string, self: OwnerIdentity): number {
  const name = ownerName(self);
  const known = livingOwners(files, directory, self).find((owner) => owner.name === name);
  return (known ?? register(files, directory, self)).sinceMs;
}

/** Says again that this process lives. Its file is made anew where others took it for dead, or where it had no room. */
export async function renew(directory: string, identity: OwnerIdentity, sinceMs: number): Promise<void> {
  const path = join(directory, ownerName(identity));
  const now = new Date();
  try {
    await utimes(path, now, now);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await writeFile(path, textOf(identity, sinceMs), { mode: FILE_MODE });
  }
}

function textOf({ place }: OwnerIdentity, sinceMs: number): string {
  return `${JSON.stringify({ place, sinceMs })}\n`;
}

/** Owners that live, among them this process once it is registered. Files of those that have ended are removed. */
export function livingOwners(files: FileSystem, directory: string, self: OwnerIdentity): Owner[] {
  const living: Owner[] = [];
  for (const name of namesIn(files, directory)) {
    const match = OWNER_NAME.exec(name);
    if (match === null) continue;
    const owner = read(files, directory, name, Number(match[1]), Number(match[2]));
    if (owner === undefined) continue;
    if (isAlive(files, owner, self)) living.push(owner);
    else removeFile(files, join(directory, name));
  }
  return living;
}

function isAlive(files: FileSystem, owner: Owner, self: OwnerIdentity): boolean {
  if (owner.place === self.place && self.startTicks !== 0) {
    return startTicksOf(files, owner.pid) === owner.startTicks;
  }
  // of another container, or another machine: there is nobody to ask
  return Date.now() - owner.renewedMs < LAPSE_MS;
}

function read(
  files: FileSystem,
  directory: string,
  name: string,
  pid: number,
  startTicks: number,
): Owner | undefined {
  const path = join(directory, name);
  try {
    const renewedMs = files.statSync(path).mtimeMs;
    const said = parse(files.readFileSync(path, 'utf8'));
    return { name, pid, startTicks, place: said.place, sinceMs: said.sinceMs ?? renewedMs, renewedMs };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** An owner that is just registering has said nothing yet: then its place is unknown, and it counts as alive. */
function parse(text: string): { place: string; sinceMs: number | undefined } {
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said === 'object' && said !== null && 'place' in said && 'sinceMs' in said) {
      return { place: String(said.place), sinceMs: Number(said.sinceMs) };
    }
  } catch {
    // half written, or nothing at all
  }
  return { place: '', sinceMs: undefined };
}

/** Start time of a process, `/proc/<pid>/stat` field 22 (proc_pid_stat(5)); `undefined` where there is none. */
function startTicksOf(files: FileSystem, pid: number): number | undefined {
  try {
    const stat = files.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the second field is the program's name in parentheses and may hold anything
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    return state === 'Z' || state === 'X' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

/** Which kernel, since which boot, and which process namespace; the host's name where the kernel does not say. */
function placeOf(files: FileSystem): string {
  try {
    const boot = files.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${files.readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
