import type { PacketBatch } from '../packet/batch.ts';
import type { SinkCounters } from './sink-counters.ts';
import type { Sink } from './sink.ts';

/** Most batches and bytes that wait for one sink, the batch that it is writing included. */
export interface QueueLimits {
  readonly batches: number;
  /** Frame bytes. A single batch is always taken, however large. */
  readonly bytes: number;
}

export interface OutletOptions {
  /**
   * What happens while the queue is full. `drop`: a batch is given back at once and counted as `queueFull`; a slow
   * sink never holds up receiving. `wait`: it is queued all the same, and whoever pushes waits until it is given
   * back; at most as many batches wait as there are.
   */
  readonly policy: 'drop' | 'wait';
  readonly limits: QueueLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of each batch that the sink refused. */
  readonly onError?: (error: unknown) => void;
}

interface Waiting {
  readonly batch: PacketBatch;
  readonly bytes: number;
  readonly done: () => void;
}

/** A bounded queue before one sink: hands it one batch after the other, and counts what it does not take. */
export class Outlet {
  readonly sink: Sink;
  readonly counters: SinkCounters;
  readonly #options: OutletOptions;
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #running = false;
  /** This outlet, not the sink itself, has marked the sink as failing. */
  #marked = false;
  #idle: (() => void)[] = [];

  constructor(sink: Sink, counters: SinkCounters, options: OutletOptions) {
    this.sink = sink;
    this.counters = counters;
    this.#options = options;
  }

  /** Frame bytes of the batches that wait, the one that is being written included. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Queues a batch for the sink.
   *
   * @param bytes bytes of the frames it delivers
   * @returns settles when the batch may be used again, and never rejects; undefined if that is so at once
   */
  push(batch: PacketBatch, bytes: number): Promise<void> | undefined {
    const packets = batch.deliveredCount;
    if (packets === 0) return undefined;
    this.counters.addDelivered(packets);
    if (this.#options.policy === 'drop' && this.#isFull(bytes)) {
      this.counters.addDropped('queueFull', packets);
      this.#mark('queueFull');
      this.sink.missed?.(batch);
      return undefined;
    }
    return new Promise((done) => {
      this.#queue.push({ batch, bytes, done });
      this.#queuedBytes += bytes;
      this.counters.addPendingBytes(bytes);
      if (!this.#running) void this.#run();
    });
  }

  /** Settles when the sink has given back all that was pushed. */
  drain(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #isFull(bytes: number): boolean {
    const { limits } = this.#options;
    if (this.#queue.length === 0) return false;
    return this.#queue.length >= limits.batches || this.#queuedBytes + bytes > limits.bytes;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      await this.#write(next);
      this.#queue.shift();
      this.#queuedBytes -= next.bytes;
      next.done();
    }
    this.#running = false;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  async #write({ batch, bytes }: Waiting): Promise<void> {
    const packets = batch.deliveredCount;
    try {
      await this.sink.write(batch);
      if (this.#marked) this.counters.accepting();
      this.#marked = false;
    } catch (error) {
      this.counters.addDropped('writeFailed', packets);
      this.#mark('writeFailed');
      this.#options.onError?.(error);
    } finally {
      this.counters.addPendingBytes(-bytes);
    }
  }

  #mark(reason: string): void {
    this.counters.failing(reason, this.#options.now());
    this.#marked = true;
  }
}
