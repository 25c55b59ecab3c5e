import type { Socket } from 'node:net';

import { KafkaError, type KafkaFailureReason } from '../client.ts';
import { explain } from './explain.ts';
import { FrameCheck } from './frame-check.ts';

/** A library's own timeout: longer than ours, for it is our clock that ends a request. */
export const LIBRARY_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The socket under a library's connection, so watched that nothing the other side sends can harm: what is no Kafka
 * frame ends the connection before a library sees it, and what a library throws on reading ends it too.
 *
 * A library is told of the end by an `error` event of the socket; who waits for an answer need not rely on it, since
 * `broken` rejects at once.
 */
export class GuardedLink {
  readonly address: string;
  readonly broken: Promise<never>;
  readonly #frames = new FrameCheck();
  readonly #sockets: Socket[] = [];
  #failure: KafkaError | undefined;
  #reject: (error: KafkaError) => void = () => undefined;

  constructor(address: string) {
    this.address = address;
    this.broken = new Promise<never>((_resolve, reject) => {
      this.#reject = reject;
    });
    this.broken.catch(() => undefined);
  }

  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Takes charge of a socket, before anything has arrived on it. */
  watch(socket: Socket): void {
    this.#sockets.push(socket);
    socket.on('error', (error) => this.cut(error));
    socket.on('close', () => this.cut(new Error('The broker closed the connection.')));
    const emit = socket.emit.bind(socket);
    socket.emit = (event: string | symbol, ...values: unknown[]): boolean =>
      event === 'data'
        ? this.#read(emit, values[0] as Buffer)
        : emit(event as 'data', ...(values as [Buffer]));
    if (this.#failure !== undefined) socket.destroy(this.#failure);
  }

  /** Resolves once the system has taken what was written, or the connection is broken. */
  async drained(): Promise<void> {
    for (const socket of this.#sockets) {
      if (!socket.writableNeedDrain) continue;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          socket.off('drain', done).off('close', done);
          resolve();
        };
        socket.on('drain', done).on('close', done);
      });
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  cut(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = explain(reason, this.address);
    this.#reject(this.#failure);
    for (const socket of this.#sockets) socket.destroy(this.#failure);
  }

  /** Ends the connection for an answer that no broker gives. */
  garbage(what: string): void {
    this.cut(this.#error('garbage', what));
  }

  #read(emit: (event: 'data', bytes: Buffer) => boolean, bytes: Buffer): boolean {
    if (this.#failure !== undefined) return true;
    const problem = this.#frames.look(bytes);
    if (problem !== undefined) {
      this.garbage(problem);
      return true;
    }
    try {
      return emit('data', bytes);
    } catch (error) {
      this.garbage(`The answer cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return true;
    }
  }

  #error(reason: KafkaFailureReason, message: string): KafkaError {
    return new KafkaError({ reason, message, broker: this.address });
  }
}
