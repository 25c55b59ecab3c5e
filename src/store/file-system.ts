import * as fs from 'node:fs';
import { dirname } from 'node:path';

/**
 * What the store does with files, all of it on the calling thread: its jobs run on threads of their own, and the four
 * threads of libuv's pool are left to the workers that write packets. A test hands in one that fails.
 */
export type FileSystem = Pick<
  typeof fs,
  | 'closeSync'
  | 'existsSync'
  | 'fdatasyncSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readFileSync'
  | 'readSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'renameSync'
  | 'statSync'
  | 'statfsSync'
  | 'unlinkSync'
  | 'utimesSync'
  | 'writeFileSync'
  | 'writeSync'
>;

/** The file system of this machine. */
export const nodeFileSystem: FileSystem = fs;

/** Permissions of what the store makes; the process's umask takes away from them. */
export const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;

/** `ENOENT` and its like, from an error of the system's; empty for any other, also for one of SQLite's. */
export function errnoOf(error: unknown): string {
  const system = error instanceof Error && 'syscall' in error && 'code' in error;
  return system && typeof error.code === 'string' ? error.code : '';
}

/** Whether something failed for want of room: the file system's or the user's quota. */
export function isDiskFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

/**
 * Makes a folder and those above it that are missing. Node's own `recursive` never ends where the system says ENOENT of
 * a folder whose parent is there, as below `/proc`.
 */
export function makeFolder(files: FileSystem, folder: string): void {
  if (files.existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(files, above);
  try {
    files.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    // another process may have made it meanwhile
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Names in a folder; empty where there is no such folder. */
export function namesIn(files: FileSystem, folder: string): string[] {
  try {
    return files.readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Removes a file; says whether it was there. */
export function removeFile(files: FileSystem, path: string): boolean {
  try {
    files.unlinkSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Writes all of `bytes` at `position` of an open file. */
export function writeAll(files: FileSystem, descriptor: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    at += files.writeSync(descriptor, bytes, at, bytes.length - at, position + at);
  }
}

/** Makes the names in a folder durable. A file system that cannot do that for a folder does it some other way. */
export function syncFolder(files: FileSystem, folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = files.openSync(folder, 'r');
    files.fsyncSync(descriptor);
  } catch {
    // tmpfs, network file systems: nothing to be done about it
  } finally {
    if (descriptor !== undefined) files.closeSync(descriptor);
  }
}
