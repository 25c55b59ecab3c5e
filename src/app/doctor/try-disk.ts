import { randomBytes } from 'node:crypto';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../../config/settings.ts';
import type { DiskFact } from './facts.ts';

/** What is written at most, and for how long; the last piece may take longer. */
const TEST_BYTES = 67_108_864;
const TEST_MS = 3000;
const CHUNK_BYTES = 1_048_576;
/** The disk is made to keep what it has after so many chunks. */
const SYNC_CHUNKS = 8;
/** So many times what is written has to be free: the test itself must not fill the disk. */
const ROOM = 4;

/** What kinds of sinks keep in their folders. */
const KEEPS: Readonly<Record<string, DiskFact['keeps'] | undefined>> = {
  files: 'packets',
  'flow-files': 'records',
};

/** Tries the disk of every sink that writes files. The files it writes there are gone when this resolves. */
export async function tryDisks({ sinks }: Pick<Config, 'sinks'>): Promise<DiskFact[]> {
  const facts: DiskFact[] = [];
  for (const [sink, settings] of Object.entries(sinks)) {
    const { kind, enabled, directory, keepFreePercent } = settings;
    const keeps = KEEPS[kind];
    if (keeps === undefined || !enabled) continue;
    const asked = { sink, keeps, directory: String(directory), keepFreePercent: Number(keepFreePercent) };
    facts.push(await tryDisk(asked));
  }
  return facts;
}

async function tryDisk(
  asked: Pick<DiskFact, 'sink' | 'keeps' | 'directory' | 'keepFreePercent'>,
): Promise<DiskFact> {
  const { keeps, directory, keepFreePercent } = asked;
  const fact = { ...asked, freeBytes: 0, totalBytes: 0, bytesPerSecond: undefined };
  try {
    const folder = await nearestFolder(resolve(directory));
    const { bavail, blocks, bsize } = await statfs(folder);
    const [freeBytes, totalBytes] = [bavail * bsize, blocks * bsize];
    const isRoom = freeBytes - (totalBytes * keepFreePercent) / 100 > ROOM * TEST_BYTES;
    const bytesPerSecond = await writeTest(folder, isRoom && keeps === 'packets' ? TEST_BYTES : 0);
    return { ...fact, freeBytes, totalBytes, refusal: undefined, bytesPerSecond };
  } catch (error) {
    return { ...fact, refusal: errorText(error) };
  }
}

/** The folder itself, or the one in which it would be made. */
async function nearestFolder(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory())
      throw Object.assign(new Error('It is no folder.'), { code: 'ENOTDIR' });
    return path;
  } catch (error) {
    if (errorText(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return nearestFolder(dirname(path));
  }
}

/**
 * Writes a file, makes the disk keep it, and removes it.
 *
 * @returns bytes a second; `undefined` where no bytes were wanted
 */
async function writeTest(folder: string, bytes: number): Promise<number | undefined> {
  const path = join(folder, `.mirrortap-doctor-${process.pid}`);
  const file = await open(path, 'wx', 0o600);
  try {
    if (bytes === 0) return undefined;
    // what cannot be compressed, and no zeros, which some file systems do not store
    const chunk = randomBytes(CHUNK_BYTES);
    const startMs = performance.now();
    let written = 0;
    while (written < bytes && performance.now() - startMs < TEST_MS) {
      for (let i = 0; i < SYNC_CHUNKS; i++) written += (await file.write(chunk)).bytesWritten;
      await file.datasync();
    }
    return (written / (performance.now() - startMs)) * 1000;
  } finally {
    await file.close();
    await rm(path);
  }
}

function errorText(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : String(error);
}
