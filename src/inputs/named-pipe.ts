import { constants, open, stat, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const openFile = promisify(open);
const statFile = promisify(stat) as (path: string) => Promise<Stats>;

/**
 * Opens a named pipe without waiting for who writes to it: the stream waits. A thread that waits in `open` can be ended
 * by nothing, and the process would wait for it when it is told to stop.
 *
 * @returns undefined for whatever else the path leads to, or nothing: who opens it as a file says what is wrong
 */
export async function openNamedPipe(path: string): Promise<Readable | undefined> {
  try {
    if (!(await statFile(path)).isFIFO()) return undefined;
    const fd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: true, writable: false });
  } catch {
    return undefined;
  }
}
