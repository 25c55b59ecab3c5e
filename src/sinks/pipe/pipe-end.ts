import * as fs from 'node:fs';
import { stat } from 'node:fs/promises';
import { isatty } from 'node:tty';
import { makeFifo } from '../../native/fifo.ts';
import { loadNative } from '../../native/library.ts';
import { pollIn } from '../../native/poll.ts';
import { MirrorError } from '../../observe/error.ts';
import { errnoOf, FILE_MODE, nodeDisk } from '../files/disk.ts';

/** The end of a pipe that is written to. */
export interface PipeEnd {
  /**
   * Takes as many bytes as there is room for, 0 where there is none. Rejects with Node's error: EPIPE where nobody reads
   * any more.
   */
  write(bytes: Buffer, at: number, length: number): Promise<number>;
  /** False where it is certain that nobody has the other end open. */
  hasReader(): boolean;
  close(): Promise<void>;
}

/** Where ends come from, one reader after the other. A test hands in its own. */
export interface PipeSource {
  /** Sees to it that the pipe is there. Rejects with MirrorError OUTPUT_UNWRITABLE. */
  prepare(): Promise<void>;
  /** An end, undefined while nobody has the other one open. Rejects where it cannot be opened at all. */
  open(): Promise<PipeEnd | undefined>;
}

const STDOUT = 1;
/** Opening the path anew gives standard output a mode of its own: not to wait changes nothing for who shares it. */
const STDOUT_PATH = '/proc/self/fd/1';
const NOT_WAITING = fs.constants.O_WRONLY | fs.constants.O_NONBLOCK;

/** @param path `-`: standard output */
export function pipeSource(path: string): PipeSource {
  return path === '-' ? standardOutput() : { prepare: () => prepareFifo(path), open: () => openPipe(path) };
}

/** Standard output is reopened where it is a pipe, so that a slow reader holds no thread; anything else is written as it is. */
function standardOutput(): PipeSource {
  const own = new StandardOutput();
  const isPipe = fs.fstatSync(STDOUT).isFIFO();
  return {
    prepare: async () => {
      if (!isatty(STDOUT)) return;
      const why = 'packets are not for a terminal: send it to a file or a program';
      throw unwritable('-', why, 'ENOTSUP');
    },
    open: async () => {
      if (own.isBroken) return undefined;
      if (!isPipe) return own;
      // whose pipe it is may not let this user open it: then it is written as it is
      return openPipe(STDOUT_PATH).catch(() => own);
    },
  };
}

/** What standard output was opened as. Where a write failed half-way nothing can follow that still is a pcapng. */
class StandardOutput implements PipeEnd {
  isBroken = false;

  async write(bytes: Buffer, at: number, length: number): Promise<number> {
    try {
      return await writeSome(STDOUT, bytes, at, length);
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
  }

  hasReader(): boolean {
    return true;
  }

  async close(): Promise<void> {}
}

async function prepareFifo(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw unwritable(path, errnoOf(error), errnoOf(error), error);
  });
  if (found?.isFIFO() === true) return;
  if (found !== undefined) throw unwritable(path, 'it is there, and is no named pipe', 'EEXIST');
  const reason = await loadNative();
  if (reason !== undefined) {
    throw unwritable(path, `it is missing and cannot be made here: run "mkfifo ${path}"`, 'ENOENT');
  }
  try {
    makeFifo(path, FILE_MODE);
  } catch (cause) {
    throw unwritable(path, cause instanceof Error ? cause.message : String(cause), errnoOf(cause), cause);
  }
}

async function openPipe(path: string): Promise<PipeEnd | undefined> {
  const descriptor = await openForWriting(path);
  if (descriptor === undefined) return undefined;
  const canLook = (await loadNative()) === undefined;
  return {
    write: (bytes, at, length) => writeSome(descriptor, bytes, at, length),
    // the end that is written to has nothing to read: it is ready only when nobody reads the other one
    hasReader: () => !canLook || pollIn([descriptor], 0) === 0,
    close: () => nodeDisk.close(descriptor),
  };
}

/** Undefined where a pipe has no reader. */
function openForWriting(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    fs.open(path, NOT_WAITING, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else if (error.code === 'ENXIO') resolve(undefined);
      else reject(error);
    });
  });
}

async function writeSome(descriptor: number, bytes: Buffer, at: number, length: number): Promise<number> {
  try {
    return await nodeDisk.write(descriptor, bytes, at, length, null);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return 0;
    throw error;
  }
}

/** What is wrong with a pipe, for who configured it. */
export function unwritable(path: string, why: string, error: string, cause?: unknown): MirrorError {
  const name = path === '-' ? 'Standard output' : `The named pipe ${path}`;
  return new MirrorError('OUTPUT_UNWRITABLE', `${name} cannot be used: ${why}.`, { path, error }, { cause });
}
