import type { PacketBatch } from '../../packet/batch.ts';
import type { Sink, SinkContext } from '../../pipeline/sink.ts';
import { type Chunk, ChunkPool } from '../files/chunk-pool.ts';
import { encodingOf } from '../files/encoding.ts';
import { errnoOf } from '../files/disk.ts';
import { PipeLine } from './pipe-line.ts';
import { type PipeSource, unwritable } from './pipe-end.ts';
import { SectionWriter } from './section-writer.ts';

/** How often a pipe without a reader is tried again, and one that rests is looked at. */
const TICK_MS = 100;
/** How long a reader may take nothing before a flush or a stop no longer waits for it. */
const PATIENCE_MS = 2000;
/** A packet is written as soon as the pipe has taken those before it; while it is busy, chunks grow to this size. */
const CHUNK_BYTES = 65_536;

export interface PipeSinkOptions {
  /** For messages: `-` or the path. */
  readonly path: string;
  readonly source: PipeSource;
  readonly queueBytes: number;
  /** 0: time is only looked at when a batch comes. */
  readonly tickMs?: number;
  readonly patienceMs?: number;
}

/**
 * One pcapng of all lanes for a program that reads it as it grows. Each reader gets a section of its own, from the packets
 * that come once it is there. Nothing here waits for a reader: what has no room is dropped, and counted.
 */
export class PipeSink implements Sink {
  readonly #context: SinkContext;
  readonly #options: PipeSinkOptions;
  readonly #pool: ChunkPool;
  readonly #section: SectionWriter;
  #opened = false;
  #closing = false;
  #line: PipeLine | undefined;
  #filling: Chunk | undefined;
  #opening: Promise<void> | undefined;
  #triedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: SinkContext, options: PipeSinkOptions) {
    this.#context = context;
    this.#options = options;
    this.#pool = new ChunkPool(options.queueBytes);
    this.#section = new SectionWriter(context.lanes, encodingOf('pcapng', context.ordered ?? false));
  }

  async open(): Promise<void> {
    if (this.#opened) throw new Error('This sink was opened before.');
    this.#opened = true;
    const { source, path, tickMs = TICK_MS } = this.#options;
    await source.prepare();
    try {
      await this.#meetReader();
    } catch (cause) {
      throw unwritable(path, errnoOf(cause), errnoOf(cause), cause);
    }
    if (this.#line === undefined)
      this.#alone('Nobody reads the pipe yet: packets are dropped until somebody does.');
    if (tickMs > 0) this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  async write(batch: PacketBatch): Promise<void> {
    if (batch.deliveredCount === 0) return;
    if (this.#line === undefined) await this.#tryAgain();
    const done = this.#line === undefined ? 0 : this.#encode(batch);
    if (this.#line?.isIdle === true) this.#submit();
    if (done === batch.deliveredCount) return;
    const reason = this.#line === undefined ? 'noReader' : 'queueFull';
    const { counters, now } = this.#context;
    counters.addDropped(reason, batch.deliveredCount - done);
    counters.failing(reason, now());
  }

  async flush(): Promise<void> {
    this.#submit();
    await this.#line?.whenIdle(this.#options.patienceMs ?? PATIENCE_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#opening;
    await this.flush();
    this.#closing = true;
    await this.#line?.close();
    this.#line = undefined;
  }

  /** @returns how many of the batch's packets have a place: fewer than all where the memory is taken */
  #encode(batch: PacketBatch): number {
    const section = this.#section;
    const { counters } = this.#context;
    section.nextBatch();
    for (let i = 0; i < batch.deliveredCount; i++) {
      const slot = batch.delivered[i] ?? 0;
      const bytes = section.bytesFor(batch, slot);
      let chunk = this.#filling;
      if (chunk === undefined || chunk.used + bytes > chunk.bytes.length) {
        this.#submit();
        chunk = this.#filling = this.#pool.take(CHUNK_BYTES, bytes);
        if (chunk === undefined) return i;
      }
      const before = chunk.used;
      section.add(chunk, batch, slot);
      counters.addPendingBytes(chunk.used - before);
    }
    return batch.deliveredCount;
  }

  #submit(): void {
    const chunk = this.#filling;
    if (chunk === undefined || this.#line === undefined) return;
    this.#filling = undefined;
    this.#line.push(chunk);
  }

  #tick(): void {
    if (this.#line === undefined) void this.#tryAgain();
    else {
      if (this.#line.isIdle) this.#submit();
      this.#line.look();
    }
  }

  async #tryAgain(): Promise<void> {
    const nowMs = this.#context.now();
    if (this.#closing || nowMs - this.#triedMs < TICK_MS) return;
    this.#opening ??= this.#meetReader()
      .catch(() => undefined)
      .finally(() => {
        this.#opening = undefined;
      });
    await this.#opening;
  }

  /** A reader that is there is shown at once what it has to do with: a section, packets follow. */
  async #meetReader(): Promise<void> {
    this.#triedMs = this.#context.now();
    const end = await this.#options.source.open();
    if (end === undefined) return;
    const chunk = this.#pool.take(CHUNK_BYTES, this.#section.headerBytes);
    if (chunk === undefined) return end.close();
    const line = new PipeLine(end, this.#pool, {
      written: (packets, bytes) => this.#written(packets, bytes),
      lost: (packets, bytes, error) => this.#lost(packets, bytes, error),
    });
    const { counters, log, name } = this.#context;
    if (counters.failingSinceMs !== 0)
      log.info({ sink: name, path: this.#options.path }, 'The pipe has a reader.');
    this.#section.begin(chunk);
    counters.addPendingBytes(chunk.used);
    counters.accepting();
    this.#line = line;
    line.push(chunk);
  }

  #written(packets: number, bytes: number): void {
    const { counters } = this.#context;
    counters.addWritten(packets);
    counters.addPendingBytes(-bytes);
    if (bytes > 0) counters.accepting();
    if (this.#line?.isIdle === true) this.#submit();
  }

  /** What one reader did not take is nothing for the next, who has not seen its interfaces. */
  #lost(packets: number, bytes: number, error: unknown): void {
    const { counters } = this.#context;
    const chunk = this.#filling;
    this.#filling = undefined;
    if (chunk !== undefined) this.#pool.release(chunk);
    counters.addPendingBytes(-bytes - (chunk?.used ?? 0));
    counters.addDropped(this.#closing ? 'notRead' : 'noReader', packets + (chunk?.packets ?? 0));
    this.#line = undefined;
    if (this.#closing) return;
    const isGone = error instanceof Error && (errnoOf(error) === 'EPIPE' || errnoOf(error) === '');
    this.#alone(
      isGone
        ? 'Nobody reads the pipe any more: packets are dropped until somebody does.'
        : 'The pipe cannot be written: packets are dropped until it can.',
      errnoOf(error),
    );
  }

  #alone(message: string, error = ''): void {
    const { counters, now, log, name } = this.#context;
    counters.failing('noReader', now());
    log.warn({ sink: name, path: this.#options.path, ...(error !== '' && { error }) }, message);
  }
}
