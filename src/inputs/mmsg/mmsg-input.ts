import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadNative } from '../../native/library.ts';
import { MirrorError } from '../../observe/error.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { Deliver, Input } from '../../pipeline/input.ts';
import { BatchPool } from '../batch-pool.ts';
import { Deliveries } from '../deliveries.ts';
import { BATCH_BYTES, BATCH_PACKETS, DatagramReader } from './datagram-reader.ts';
import { LookInterval } from './look-interval.ts';
import { ReadSocket } from './read-socket.ts';
import type { SocketHandle } from './socket-handle.ts';

/** Most calls for one socket before the others have their turn. */
const CALLS_A_TURN = 4;
/** Closing reads what the kernel still holds, but no longer than this: the sender may never stop. */
const LAST_READ_MS = 1000;

export interface MmsgOptions {
  /** Sockets of one worker, open and bound; they stay open. */
  readonly sockets: readonly SocketHandle[];
  /** Milliseconds since the epoch with fractions: arrival where the kernel does not tell it. */
  readonly now: () => number;
}

/**
 * Receives datagrams with recvmmsg: many a system call, each with the kernel's time of arrival. Linux only.
 *
 * The sockets are the main thread's. Nobody waits in the kernel for them: the event loop looks after them at once while
 * there is more than a call brings, else when a timer says so, less often the longer nothing has come. All that a look
 * finds is delivered before the next one, so that a thread that dies holds nothing that was not delivered, and another
 * one goes on.
 *
 * `run` rejects with `SYSTEM_CALL_FAILED` where a socket cannot be read any more.
 */
export class MmsgInput implements Input {
  readonly #options: MmsgOptions;
  readonly #sockets: readonly ReadSocket[];
  readonly #interval: LookInterval;
  readonly #pool = new BatchPool(BATCH_PACKETS, BATCH_BYTES);
  #reader: DatagramReader | undefined;
  readonly #deliveries = new Deliveries();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #closing = false;
  #failure: MirrorError | undefined;

  constructor(options: MmsgOptions) {
    this.#options = options;
    this.#sockets = options.sockets.map((socket) => new ReadSocket(socket));
    this.#interval = new LookInterval(
      Math.min(...options.sockets.map(({ receiveBufferBytes }) => receiveBufferBytes)),
    );
  }

  async open(): Promise<void> {
    const missing = await loadNative();
    if (missing !== undefined) throw new MirrorError('NATIVE_UNAVAILABLE', missing, { mode: 'mmsg' });
    const { now } = this.#options;
    const emit = (batch: PacketBatch): void => {
      this.#deliveries.send(batch, () => this.#pool.give(batch));
    };
    this.#reader = new DatagramReader({ pool: this.#pool, now, emit });
  }

  run(deliver: Deliver): Promise<void> {
    const ended = this.#deliveries.begin(deliver);
    if (!this.#closing) this.#immediate = setImmediate(this.#turn);
    return ended;
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    const { now } = this.#options;
    const endMs = now() + LAST_READ_MS;
    while (this.#deliveries.hasBegun && now() < endMs && this.#readAll() > 0) await nextTurn();
    this.#deliveries.end(this.#failure);
  }

  /** One look after every socket, and the date of the next. */
  readonly #turn = (): void => {
    const read = this.#readAll();
    if (this.#failure !== undefined) {
      this.#deliveries.end(this.#failure);
      return;
    }
    if (this.#sockets.some((socket) => socket.hasMore)) this.#immediate = setImmediate(this.#turn);
    else this.#timer = setTimeout(this.#turn, this.#interval.next(read));
  };

  /** @returns datagrams that were read, all of them delivered; 0 after a failure too */
  #readAll(): number {
    const reader = this.#reader;
    if (reader === undefined || this.#failure !== undefined) return 0;
    let read = 0;
    try {
      for (const socket of this.#sockets) read += socket.read(reader, CALLS_A_TURN, this.#options.now);
    } catch (error) {
      if (!(error instanceof MirrorError)) throw error;
      this.#failure = error;
    }
    reader.flush();
    return read;
  }
}
