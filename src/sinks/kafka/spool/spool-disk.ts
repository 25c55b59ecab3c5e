import * as fs from 'node:fs';
import { type Disk, errnoOf, nodeDisk } from '../../files/disk.ts';

/** What a spool needs of a file system, all of it off the calling thread. A test hands in one that fails. */
export interface SpoolDisk extends Omit<Disk, 'exists' | 'rename'> {
  /** Writes buffers one after the other at `position`; returns how many bytes. */
  writeMany(file: number, buffers: readonly Uint8Array[], position: number): Promise<number>;
  /** Reads up to `length` bytes at `position`; returns how many. */
  read(file: number, target: Buffer, at: number, length: number, position: number): Promise<number>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
}

/** The file system of this machine. */
export const nodeSpoolDisk: SpoolDisk = {
  ...nodeDisk,
  writeMany: (file, buffers, position) =>
    new Promise((resolve, reject) => {
      fs.writev(file, buffers, position, (error, count) => (error === null ? resolve(count) : reject(error)));
    }),
  read: (file, target, at, length, position) =>
    new Promise((resolve, reject) => {
      fs.read(file, target, at, length, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
    }),
  syncFolder: async (path) => {
    const folder = await fs.promises.open(path, 'r');
    try {
      await folder.sync();
    } catch (error) {
      // tmpfs and network file systems do it some other way
      if (errnoOf(error) !== 'EINVAL' && errnoOf(error) !== 'ENOTSUP') throw error;
    } finally {
      await folder.close();
    }
  },
};

const PAGE_BYTES = 4096;

/**
 * Reads `length` bytes at `position`, fewer only where the file ends. What the disk cannot read comes as zero bytes, which are
 * then found damaged: one bad place does not keep what stands behind it from being read.
 */
export async function readThrough(
  disk: SpoolDisk,
  file: number,
  target: Buffer,
  length: number,
  position: number,
): Promise<number> {
  try {
    return await readFully(disk, file, target, 0, length, position);
  } catch (error) {
    if (errnoOf(error) !== 'EIO') throw error;
  }
  for (let at = 0; at < length; ) {
    const wanted = Math.min(PAGE_BYTES - ((position + at) % PAGE_BYTES), length - at);
    let got = wanted;
    try {
      got = await readFully(disk, file, target, at, wanted, position + at);
    } catch (error) {
      if (errnoOf(error) !== 'EIO') throw error;
      target.fill(0, at, at + wanted);
    }
    at += got;
    if (got < wanted) return at;
  }
  return length;
}

async function readFully(
  disk: SpoolDisk,
  file: number,
  target: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const count = await disk.read(file, target, at + done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/**
 * Writes all buffers at `position`, in one call where the disk takes them in one.
 *
 * @param bytes length of all of them
 */
export async function writeThrough(
  disk: SpoolDisk,
  file: number,
  buffers: readonly Uint8Array[],
  bytes: number,
  position: number,
): Promise<void> {
  let done = await disk.writeMany(file, buffers, position);
  if (done === bytes) return;
  // ended early: at a signal, or where a disk is full; the next call says which
  const rest = Buffer.concat(buffers);
  while (done < bytes) done += await disk.write(file, rest, done, bytes - done, position + done);
}
