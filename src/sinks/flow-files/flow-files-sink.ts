import { encodeFlow, FLOW_JSON_MAX_BYTES } from '../../format/flow-json.ts';
import type { MirrorError } from '../../observe/error.ts';
import type { FlowRecord } from '../../packet/flow-record.ts';
import type { FlowSink, FlowSinkContext } from '../../pipeline/flow-sink.ts';
import { CaptureFile, type RotationLimits, Track } from '../files/capture-file.ts';
import { type Chunk, ChunkPool } from '../files/chunk-pool.ts';
import type { Destination } from '../files/destination.ts';
import { isDiskFull } from '../files/disk.ts';
import { DiskWatch } from '../files/disk-watch.ts';
import { operatorError } from '../files/operator-error.ts';
import type { SpaceKeeper } from '../files/space-keeper.ts';
import { Writer } from '../files/writer.ts';

const MEMORY_BYTES = 16 * 1024 * 1024;
/** One of libuv's four threads. */
const WRITES_AT_A_TIME = 1;
const TICK_MS = 250;
/** A chunk that is not full is written when it is this old. */
const CHUNK_AGE_MS = 1000;

const WORDS = {
  unwritable: 'A file of flow records cannot be written; records are dropped until it can.',
  full: 'The disk with flow records is full: records are dropped until there is room again.',
  unknown: 'The free space of the disk with flow records is unknown.',
  recovered: 'Files of flow records are written again.',
};

/** What the sink has done besides writing: old files deleted, those of dead workers finished. */
export interface Housekeeping {
  /** Called once, before the first record. */
  begin(): Promise<void>;
  /** Called every second or so. */
  tick(nowMs: number): void;
  /** Settles when what was set going is done. */
  settle(): Promise<void>;
  /** A file was finished. */
  finished(): void;
  /** Called once, after the last record; settles when nothing is under way any more. */
  end(): Promise<void>;
}

/** What makes one sink of flow records differ from another. */
export interface FlowFilesOptions {
  readonly destination: Destination;
  readonly limits: RotationLimits;
  /** `drop`: a full or failing disk costs records, which are counted; `fail`: it ends the work with an error. */
  readonly onFailure: 'drop' | 'fail';
  readonly space?: SpaceKeeper;
  readonly housekeeping?: Housekeeping;
  /** Memory for records that wait to be written: most of it with `drop`; with `fail`, what `ready` waits for. */
  readonly memoryBytes?: number;
  /** How often time is looked at, milliseconds; 0: only when `tick` is called. */
  readonly tickMs?: number;
}

/**
 * Writes flow records to files, one JSON object a line.
 *
 * `record` encodes into memory at once; files are written in the background. A record counts as written once the disk has
 * taken the chunk that holds it. Where memory is full a record is dropped as `queueFull`; only with `onFailure: fail`,
 * which loses nothing, it is taken all the same: what comes between two calls of `ready` is what memory must hold then.
 */
export class FlowFilesSink implements FlowSink {
  readonly #context: FlowSinkContext;
  readonly #options: FlowFilesOptions;
  readonly #memoryBytes: number;
  readonly #pool: ChunkPool;
  readonly #writer: Writer;
  readonly #watch: DiskWatch;
  readonly #track: Track;
  #opened = false;
  #timer: NodeJS.Timeout | undefined;
  #queueFull = false;
  #failure: MirrorError | undefined;

  constructor(context: FlowSinkContext, options: FlowFilesOptions) {
    this.#context = context;
    this.#options = options;
    this.#memoryBytes = options.memoryBytes ?? MEMORY_BYTES;
    this.#pool = new ChunkPool(options.onFailure === 'fail' ? Infinity : this.#memoryBytes);
    this.#track = new Track('', this.#pool.largestBytes);
    const events = {
      settled: (file: CaptureFile, chunk: Chunk) => this.#settled(file, chunk),
      failed: (file: CaptureFile, error: unknown) => this.#failed(file, error),
      finish: (file: CaptureFile) => this.#finish(file),
    };
    this.#writer = new Writer(options.destination, events, WRITES_AT_A_TIME);
    this.#watch = new DiskWatch({ ...context, space: options.space, words: WORDS });
  }

  async open(): Promise<void> {
    if (this.#opened) throw new Error('This sink was opened before.');
    this.#opened = true;
    const { destination, onFailure, housekeeping, tickMs = TICK_MS } = this.#options;
    await destination.open();
    await housekeeping?.begin();
    // what is in the way is better said before the work than after it
    if (onFailure === 'fail') await this.#create(this.#begin(this.#context.now()));
    if (tickMs > 0) this.#timer = setInterval(() => this.tick(), tickMs).unref();
  }

  record(record: FlowRecord): void {
    const nowMs = this.#context.now();
    const { stopped, retryMs } = this.#watch;
    if (stopped !== undefined) return this.#drop(stopped, nowMs);
    if (nowMs < retryMs) return this.#drop('writeFailed', nowMs);
    let file = this.#track.file ?? this.#begin(nowMs);
    let chunk = this.#room(file, nowMs);
    if (chunk === undefined) return this.#drop('queueFull', nowMs);
    const at = chunk.used;
    const end = encodeFlow(record, this.#context.observer, chunk.bytes, at);
    const bytes = end - at;
    if (file.isFull(bytes, Math.floor(nowMs / 1000))) {
      const full = chunk;
      this.#end(file);
      file = this.#begin(nowMs);
      chunk = this.#room(file, nowMs);
      if (chunk === undefined) return this.#drop('queueFull', nowMs);
      full.bytes.copy(chunk.bytes, 0, at, end);
    }
    chunk.used += bytes;
    chunk.packets++;
    this.#context.counters.addPendingBytes(bytes);
    if (this.#queueFull) this.#hasRoom();
  }

  async ready(): Promise<void> {
    while (this.#pool.takenBytes > this.#memoryBytes / 2 && !this.#writer.idle) await this.#writer.progress();
  }

  async flush(): Promise<void> {
    const { file } = this.#track;
    this.#submit();
    await this.#writer.whenIdle();
    if (file?.out !== undefined && file.unsynced && file.broken === undefined) {
      file.unsynced = false;
      await file.out.sync().catch((error: unknown) => this.#failed(file, error));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    // all records first, then the name: when the last write fails, the file does not pretend to be complete
    this.#submit();
    await this.#writer.whenIdle();
    const { file } = this.#track;
    if (file !== undefined) this.#end(file);
    await this.#writer.whenIdle();
    await this.#watch.settle();
    await this.#options.housekeeping?.end();
    await this.#options.destination.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Does what is due by the clock. A timer calls this; tests do so themselves. */
  tick(): void {
    const nowMs = this.#context.now();
    const { file } = this.#track;
    if (file?.chunk !== undefined && file.chunkSinceMs <= nowMs - CHUNK_AGE_MS) this.#submit();
    if (!this.#watch.tick(nowMs)) return;
    if (file?.isOver(nowMs) === true) this.#end(file);
    this.#options.housekeeping?.tick(nowMs);
  }

  /** Settles when what `tick` set going is done. */
  async settle(): Promise<void> {
    await this.#writer.whenIdle();
    await this.#watch.settle();
    await this.#options.housekeeping?.settle();
  }

  #drop(reason: string, nowMs: number): void {
    const { counters } = this.#context;
    counters.addDropped(reason, 1);
    counters.failing(reason, nowMs);
    if (reason === 'queueFull') this.#queueFull = true;
  }

  /** A record was taken after some that were not. */
  #hasRoom(): void {
    this.#queueFull = false;
    this.#context.counters.accepting();
  }

  #begin(nowMs: number): CaptureFile {
    const file = new CaptureFile(this.#track, this.#options.limits, Math.floor(nowMs / 1000), nowMs);
    this.#track.file = file;
    return file;
  }

  async #create(file: CaptureFile): Promise<void> {
    try {
      file.out = await this.#options.destination.create('', file.startSeconds);
    } catch (error) {
      throw operatorError('', error, 'FLOWS_WRITE_FAILED');
    }
  }

  /** A chunk of the file with room for any record. */
  #room(file: CaptureFile, nowMs: number): Chunk | undefined {
    const { chunk } = file;
    if (chunk !== undefined && chunk.used + FLOW_JSON_MAX_BYTES <= chunk.bytes.length) return chunk;
    this.#submit();
    const next = this.#pool.take(this.#pool.largestBytes, this.#pool.largestBytes);
    if (next !== undefined) file.fill(next, nowMs);
    return next;
  }

  /** Hands over what the file that is being filled has in memory. */
  #submit(): void {
    const { file } = this.#track;
    const chunk = file?.takeChunk();
    if (file === undefined || chunk === undefined) return;
    if (chunk.packets > 0) this.#writer.add(this.#track, { file, chunk });
    else this.#pool.release(chunk);
  }

  /** No record is added to the file any more: it is finished once all of it is written. */
  #end(file: CaptureFile): void {
    if (file.ended) return;
    file.ended = true;
    if (this.#track.file === file) {
      this.#submit();
      this.#track.file = undefined;
    }
    this.#writer.add(this.#track, { file, chunk: undefined });
  }

  #settled(file: CaptureFile, chunk: Chunk): void {
    const { counters } = this.#context;
    if (file.broken === undefined) {
      counters.addWritten(chunk.packets);
      file.packetsWritten += chunk.packets;
      file.bytesWritten += chunk.used;
      file.unsynced = true;
      this.#watch.wrote(chunk.used);
    } else counters.addDropped(file.broken, chunk.packets);
    counters.addPendingBytes(-chunk.used);
    this.#pool.release(chunk);
  }

  #failed(file: CaptureFile, error: unknown): void {
    const path = file.out?.path ?? '';
    if (this.#options.onFailure === 'drop') {
      file.broken = this.#watch.failed(path, error);
      this.#end(file);
      return;
    }
    const { counters, now } = this.#context;
    const reason = isDiskFull(error) ? 'diskFull' : 'writeFailed';
    file.broken = reason;
    counters.failing(reason, now());
    this.#failure ??= operatorError(path, error, 'FLOWS_WRITE_FAILED');
    this.#watch.stopped = reason;
  }

  async #finish(file: CaptureFile): Promise<void> {
    const { out } = file;
    if (out === undefined || this.#failure !== undefined) return;
    try {
      if (file.packetsWritten === 0 && this.#options.onFailure === 'drop') return await out.discard();
      await out.finish();
    } catch (error) {
      this.#failed(file, error);
      return;
    }
    const { path } = out;
    if (path !== '') this.#context.onFile?.({ event: 'finished', path, bytes: file.bytesWritten });
    this.#options.housekeeping?.finished();
  }
}
