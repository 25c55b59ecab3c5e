import { MirrorError } from '../../observe/error.ts';
import { type DatagramReader, MESSAGES } from './datagram-reader.ts';
import type { SocketHandle } from './socket-handle.ts';

/** What cannot end by itself: the descriptor is not a socket that can be read. */
const FATAL: ReadonlySet<unknown> = new Set(['EBADF', 'ENOTSOCK', 'EFAULT', 'EINVAL', 'ENOSYS', 'EPERM']);
/** A socket that could not be read once in this time is given up; an interface may be down for a moment. */
const FAILING_MAX_MS = 5000;

/** One socket of a worker, and how reading from it goes. */
export class ReadSocket {
  /** Says whether the last call filled all there was room for: there may be more. */
  hasMore = false;
  readonly #socket: SocketHandle;
  readonly #state: Uint32Array;
  /** Since when every call has failed; `undefined`: the last one did not. */
  #failingSinceMs: number | undefined;

  constructor(socket: SocketHandle) {
    this.#socket = socket;
    this.#state = new Uint32Array(socket.state);
  }

  /**
   * Reads until it is empty, or `calls` were made.
   *
   * @param now milliseconds since the epoch
   * @returns datagrams
   * @throws MirrorError `SYSTEM_CALL_FAILED` where it cannot be read any more
   */
  read(reader: DatagramReader, calls: number, now: () => number): number {
    let read = 0;
    for (let call = 0; call < calls; call++) {
      const count = this.#readOnce(reader, now);
      read += count;
      this.hasMore = count === MESSAGES;
      if (!this.hasMore) break;
    }
    return read;
  }

  /** An error that the kernel kept for the socket is told once, in place of datagrams: the next call brings these. */
  #readOnce(reader: DatagramReader, now: () => number): number {
    try {
      const count = reader.read(this.#socket, this.#state);
      this.#failingSinceMs = undefined;
      return count;
    } catch (error) {
      if (!(error instanceof MirrorError) || FATAL.has(error.context['errno'])) throw error;
      this.#failingSinceMs ??= now();
      if (now() - this.#failingSinceMs > FAILING_MAX_MS) throw error;
      return 0;
    }
  }
}
