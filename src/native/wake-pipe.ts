import { constants } from 'node:fs';
import { Socket } from 'node:net';
import { socketType } from './constants.ts';
import { systemCallFailed } from './failure.ts';
import { rdKafka } from './rdkafka.ts';

/** Wakes this thread's event loop from a thread of C, which writes into a pipe. */
export class WakePipe {
  /** The end that C writes to; it never blocks there. */
  readonly writeDescriptor: number;
  readonly #socket: Socket;

  /**
   * @param woken called in the event loop once or more often after each write
   * @throws MirrorError `SYSTEM_CALL_FAILED`
   */
  constructor(woken: () => void) {
    const { pipe2, errno } = rdKafka();
    const descriptors = Buffer.alloc(8);
    // O_CLOEXEC has the number of SOCK_CLOEXEC, by fcntl.h and sys/socket.h
    if (pipe2(descriptors, constants.O_NONBLOCK | socketType.SOCK_CLOEXEC) < 0) {
      throw systemCallFailed('pipe2', errno());
    }
    this.writeDescriptor = descriptors.readInt32LE(4);
    this.#socket = new Socket({ fd: descriptors.readInt32LE(0), readable: true, writable: false });
    this.#socket.on('data', woken);
    this.#socket.on('error', () => this.#socket.destroy());
  }

  /** Stops listening. `writeDescriptor` stays open: who gave it away closes it once nobody writes there. */
  stop(): void {
    this.#socket.destroy();
  }
}
