import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadNative } from '../../native/library.ts';
import { MirrorError } from '../../observe/error.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { Deliver, Input } from '../../pipeline/input.ts';
import { BatchPool } from '../batch-pool.ts';
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
  #deliver: Deliver | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #inFlight = 0;
  #closing = false;
  /** Nothing more comes: the last batch is on its way or back. */
  #closed = false;
  #failure: MirrorError | undefined;
  #finished: () => void = () => {};
  #failed: (error: MirrorError) => void = () => {};

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
    this.#reader = new DatagramReader({ pool: this.#pool, now, emit: (batch) => this.#emit(batch) });
  }

  run(deliver: Deliver): Promise<void> {
    this.#deliver = deliver;
    const ended = new Promise<void>((resolve, reject) => {
      this.#finished = resolve;
      this.#failed = reject;
    });
    if (this.#closing) this.#settle();
    else this.#immediate = setImmediate(this.#turn);
    return ended;
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    const { now } = this.#options;
    const endMs = now() + LAST_READ_MS;
    while (this.#deliver !== undefined && now() < endMs && this.#readAll() > 0) await nextTurn();
    this.#end();
  }

  /** One look after every socket, and the date of the next. */
  readonly #turn = (): void => {
    const read = this.#readAll();
    if (this.#failure !== undefined) {
      this.#end();
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

  #emit(batch: PacketBatch): void {
    if (this.#deliver === undefined) return;
    this.#inFlight++;
    void this.#deliver(batch).then(() => {
      this.#pool.give(batch);
      this.#inFlight--;
      this.#settle();
    });
  }

  /** No batch is made any more. */
  #end(): void {
    this.#closed = true;
    this.#settle();
  }

  /** Ends `run` once all that was read has been given back. */
  #settle(): void {
    if (!this.#closed || this.#inFlight > 0) return;
    if (this.#failure === undefined) this.#finished();
    else this.#failed(this.#failure);
  }
}
