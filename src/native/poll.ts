import { constants } from 'node:os';
import { pollEvent } from './constants.ts';
import { systemCallFailed } from './failure.ts';
import { pollfd } from './layout.ts';
import { systemCalls } from './library.ts';

const { EBADF, EINTR } = constants.errno;

/** As large as the longest list so far; a thread has a handful of descriptors. */
let table = Buffer.alloc(0);

/**
 * Waits until something can be read from one of the descriptors, or one has an error that reading will tell. It
 * blocks the thread, event loop included.
 *
 * @param timeoutMs 0: only looks; a whole number
 * @returns how many are ready; 0 when the time is over
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function pollIn(descriptors: readonly number[], timeoutMs: number): number {
  const { poll, errno } = systemCalls();
  const count = descriptors.length;
  if (table.length < count * pollfd.bytes) table = Buffer.alloc(count * pollfd.bytes);
  for (let i = 0; i < count; i++) {
    table.writeInt32LE(descriptors[i] ?? -1, i * pollfd.bytes + pollfd.at.fd);
    table.writeInt16LE(pollEvent.POLLIN, i * pollfd.bytes + pollfd.at.events);
    table.writeInt16LE(0, i * pollfd.bytes + pollfd.at.revents);
  }
  const endMs = performance.now() + timeoutMs;
  let leftMs = timeoutMs;
  for (;;) {
    const ready = poll(table, count, leftMs);
    if (ready > 0) refuseClosed(count);
    if (ready >= 0) return ready;
    const number = errno();
    if (number !== EINTR) throw systemCallFailed('poll', number);
    leftMs = Math.max(0, Math.ceil(endMs - performance.now()));
  }
}

/** A closed descriptor is always ready: who waits for it would never wait again. */
function refuseClosed(count: number): void {
  for (let i = 0; i < count; i++) {
    const events = table.readInt16LE(i * pollfd.bytes + pollfd.at.revents);
    if ((events & pollEvent.POLLNVAL) !== 0) throw systemCallFailed('poll', EBADF);
  }
}
