import type { MirrorError } from '../../observe/error.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import type { Sink, SinkContext } from '../../pipeline/sink.ts';
import type { CaptureFile, RotationLimits } from './capture-file.ts';
import { type Chunk, ChunkPool } from './chunk-pool.ts';
import type { Destination, OutFile } from './destination.ts';
import { isDiskFull } from './disk.ts';
import { DiskWatch } from './disk-watch.ts';
import type { Encoding } from './encoding.ts';
import { countLost, describe } from './file-accounts.ts';
import { Filler } from './filler.ts';
import { operatorError } from './operator-error.ts';
import type { SpaceKeeper } from './space-keeper.ts';
import { Writer } from './writer.ts';

export { filesDropReasons } from './drop-reasons.ts';

const MEMORY_BYTES = 32 * 1024 * 1024;
/** Two of libuv's four threads: the others serve the rest of the process. */
const WRITES_AT_A_TIME = 2;
const TICK_MS = 250;
/** A chunk that is not full is written when it is this old. */
const CHUNK_AGE_MS = 1000;

const WORDS = {
  unwritable: 'A capture file cannot be written; packets are dropped until it can.',
  full: 'The disk with captures is full: packets are dropped until there is room again.',
  unknown: 'The free space of the disk with captures is unknown.',
  recovered: 'Capture files are written again.',
};

/** What makes one files sink differ from another. */
export interface FilesSinkOptions {
  readonly destination: Destination;
  readonly encoding: Encoding;
  readonly split: 'lane' | 'none';
  readonly limits: RotationLimits;
  /** `drop`: a full or failing disk costs packets, which are counted; `fail`: it ends the work with an error. */
  readonly onFailure: 'drop' | 'fail';
  /** Keeps disk space free; left out where nothing may be deleted. */
  readonly space?: SpaceKeeper;
  /** Told of each file that is finished and has a name. */
  readonly onFile?: (file: FinishedFile) => void;
  /** Most memory for packets that wait to be written. */
  readonly memoryBytes?: number;
  readonly writesAtATime?: number;
  /** How often time is looked at, milliseconds; 0: only when `tick` is called. */
  readonly tickMs?: number;
}

/**
 * Writes packets to capture files.
 *
 * `write` encodes a batch into memory and settles; it waits only while all memory is taken by what the disk has
 * not yet accepted. A packet counts as written once the disk has taken the block that holds it.
 */
export class FilesSink implements Sink {
  readonly #context: SinkContext;
  readonly #options: FilesSinkOptions;
  readonly #pool: ChunkPool;
  readonly #writer: Writer;
  readonly #filler: Filler;
  #opened = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #watch: DiskWatch;
  #failure: MirrorError | undefined;

  constructor(context: SinkContext, options: FilesSinkOptions) {
    this.#context = context;
    this.#options = options;
    this.#pool = new ChunkPool(options.memoryBytes ?? MEMORY_BYTES);
    const events = {
      settled: (file: CaptureFile, chunk: Chunk) => this.#settled(file, chunk),
      failed: (file: CaptureFile, error: unknown) => this.#failed(file, error),
      finish: (file: CaptureFile) => this.#finish(file),
    };
    this.#writer = new Writer(options.destination, events, options.writesAtATime ?? WRITES_AT_A_TIME);
    this.#watch = new DiskWatch({ ...context, space: options.space, words: WORDS });
    this.#filler = new Filler({ ...context, ...options, pool: this.#pool, writer: this.#writer });
  }

  async open(): Promise<void> {
    if (this.#opened) throw new Error('This sink was opened before.');
    this.#opened = true;
    await this.#options.destination.open();
    const { tickMs = TICK_MS } = this.#options;
    if (tickMs > 0) this.#timer = setInterval(() => this.tick(), tickMs).unref();
  }

  async write(batch: PacketBatch): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (let next = 0; next < batch.deliveredCount; ) {
      const { stopped } = this.#watch;
      if (stopped !== undefined) return this.#drop(batch, next, stopped);
      next = this.#filler.fill(batch, next);
      if (next < batch.deliveredCount) await this.#writer.progress();
    }
  }

  missed(batch: PacketBatch): void {
    this.#filler.miss(batch, 0);
  }

  async flush(): Promise<void> {
    this.#filler.submitSince(Infinity);
    await this.#writer.whenIdle();
    for (const file of this.#filler.growing()) {
      if (!file.unsynced || file.out === undefined) continue;
      file.unsynced = false;
      await file.out.sync().catch((error: unknown) => this.#failed(file, error));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    // all packets first, then all names: when the last write fails, no file pretends to be complete
    this.#filler.submitSince(Infinity);
    await this.#writer.whenIdle();
    this.#filler.endAll();
    await this.#writer.whenIdle();
    await this.#watch.settle();
    await this.#options.destination.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Does what is due by the clock. A timer calls this; tests do so themselves. */
  tick(): void {
    const nowMs = this.#context.now();
    this.#filler.submitSince(nowMs - CHUNK_AGE_MS);
    if (this.#watch.tick(nowMs)) this.#filler.endOver(nowMs);
  }

  /** Settles when what `tick` set going is done. */
  async settle(): Promise<void> {
    await this.#writer.whenIdle();
    await this.#watch.settle();
  }

  #drop(batch: PacketBatch, from: number, reason: string): void {
    const { counters, now } = this.#context;
    counters.addDropped(reason, batch.deliveredCount - from);
    counters.failing(reason, now());
    this.#filler.miss(batch, from);
  }

  #settled(file: CaptureFile, chunk: Chunk): void {
    const { counters } = this.#context;
    if (file.broken === undefined) {
      counters.addWritten(chunk.packets);
      file.bytesWritten += chunk.used;
      file.packetsWritten += chunk.packets;
      file.interfacesWritten = chunk.interfaces;
      file.unsynced = true;
      this.#watch.wrote(chunk.used);
    } else {
      counters.addDropped(file.broken, chunk.packets);
      countLost(file, chunk);
    }
    counters.addPendingBytes(-chunk.used);
    this.#pool.release(chunk);
  }

  #failed(file: CaptureFile, error: unknown): void {
    const path = file.out?.path ?? file.track.stem;
    if (this.#options.onFailure === 'fail') return this.#fail(file, path, error);
    file.broken = this.#watch.failed(path, error);
    file.track.retryMs = this.#watch.retryMs;
    this.#filler.end(file);
  }

  #fail(file: CaptureFile, path: string, error: unknown): void {
    const { counters, now } = this.#context;
    const reason = isDiskFull(error) ? 'diskFull' : 'writeFailed';
    file.broken = reason;
    counters.failing(reason, now());
    this.#failure ??= operatorError(path, error);
    this.#watch.stopped = reason;
  }

  async #finish(file: CaptureFile): Promise<void> {
    const { out } = file;
    if (out === undefined || this.#failure !== undefined) return this.#abandon(file);
    try {
      if (file.packetsWritten === 0) return await out.discard();
      await this.#addStatistics(file, out);
      if (this.#failure !== undefined) return;
      await out.finish();
    } catch (error) {
      this.#failed(file, error);
      return;
    }
    if (out.path !== '') this.#options.onFile?.(describe(file, out.path));
  }

  /** On a full disk the file is whole without its statistics. */
  async #addStatistics(file: CaptureFile, out: OutFile): Promise<void> {
    const end = this.#options.encoding.end(file.interfaces.slice(0, file.interfacesWritten));
    if (end.length === 0) return;
    try {
      await out.append(end, end.length);
      file.bytesWritten += end.length;
    } catch (error) {
      if (file.broken === undefined) this.#failed(file, error);
    }
  }

  /** Leaves a file as it is, unless its like was there before: then the user begins anew, and it is in the way. */
  async #abandon(file: CaptureFile): Promise<void> {
    if (this.#failure?.code !== 'OUTPUT_EXISTS' || file.out === undefined) return;
    await file.out.discard().catch(() => undefined);
    this.#context.counters.unwrite('writeFailed', file.packetsWritten);
  }
}
