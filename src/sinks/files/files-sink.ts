import type { MirrorError } from '../../observe/error.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import type { Sink, SinkContext } from '../../pipeline/sink.ts';
import type { CaptureFile, RotationLimits } from './capture-file.ts';
import { type Chunk, ChunkPool } from './chunk-pool.ts';
import type { Destination, OutFile } from './destination.ts';
import { errnoOf, isDiskFull } from './disk.ts';
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
const CHECK_MS = 1000;
const CHECK_BYTES = 64 * 1024 * 1024;
const RETRY_MS = 1000;

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
  /** Why all packets are dropped now. */
  #stopped: string | undefined;
  /** Files could not be written since the last one that could. */
  #failing = false;
  #retryMs = 0;
  #failure: MirrorError | undefined;
  #checked: Promise<void> = Promise.resolve();
  #checking = false;
  #checkedMs = 0;
  #warned = false;
  #bytesSinceCheck = 0;

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
      if (this.#stopped !== undefined) return this.#drop(batch, next, this.#stopped);
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
    await this.#checked;
    await this.#options.destination.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Does what is due by the clock. A timer calls this; tests do so themselves. */
  tick(): void {
    const nowMs = this.#context.now();
    this.#filler.submitSince(nowMs - CHUNK_AGE_MS);
    if (nowMs - this.#checkedMs < CHECK_MS) return;
    this.#checkedMs = nowMs;
    this.#filler.endOver(nowMs);
    this.#check();
  }

  /** Settles when what `tick` set going is done. */
  async settle(): Promise<void> {
    await this.#writer.whenIdle();
    await this.#checked;
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
      this.#bytesSinceCheck += chunk.used;
      if (this.#failing && this.#stopped === undefined) this.#recovered();
      if (this.#bytesSinceCheck >= CHECK_BYTES) this.#check();
    } else {
      counters.addDropped(file.broken, chunk.packets);
      countLost(file, chunk);
    }
    counters.addPendingBytes(-chunk.used);
    this.#pool.release(chunk);
  }

  #failed(file: CaptureFile, error: unknown): void {
    const { counters, log, now } = this.#context;
    const full = isDiskFull(error);
    const reason = full ? 'diskFull' : 'writeFailed';
    file.broken = reason;
    counters.failing(reason, now());
    if (this.#options.onFailure === 'fail') {
      this.#failure ??= operatorError(file.out?.path ?? file.track.stem, error);
      this.#stopped = reason;
      return;
    }
    if (!this.#failing) {
      const fields = {
        sink: this.#context.name,
        file: file.out?.path ?? file.track.stem,
        error: errnoOf(error),
      };
      log.error(fields, 'A capture file cannot be written; packets are dropped until it can.');
    }
    this.#failing = true;
    this.#retryMs = now() + RETRY_MS;
    file.track.retryMs = this.#retryMs;
    if (full) this.#stopped = reason;
    this.#filler.end(file);
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
    if (this.#failure?.code === 'OUTPUT_EXISTS') await file.out?.discard().catch(() => undefined);
  }

  /** Looks whether there is room on the disk, and stops or resumes. */
  #check(): void {
    this.#bytesSinceCheck = 0;
    if (this.#checking || this.#options.onFailure === 'fail') return;
    this.#checking = true;
    this.#checked = this.#keepSpace().finally(() => {
      this.#checking = false;
    });
  }

  async #keepSpace(): Promise<void> {
    const { counters, log, name, now } = this.#context;
    const { space } = this.#options;
    if (space === undefined) return;
    const enough = await space.keep().catch((error: unknown) => this.#spaceUnknown(error));
    if (!enough && this.#stopped === undefined) {
      this.#stopped = 'diskFull';
      this.#failing = true;
      counters.failing('diskFull', now());
      log.error(
        { sink: name },
        'The disk with captures is full: packets are dropped until there is room again.',
      );
    } else if (enough && this.#failing && now() >= this.#retryMs && (await space.probe())) {
      this.#stopped = undefined;
      this.#recovered();
    }
  }

  /** Not to know is no reason to stop: a write that fails says so itself. */
  #spaceUnknown(error: unknown): true {
    const { log, name } = this.#context;
    const message = 'The free space of the disk with captures is unknown.';
    if (!this.#warned) log.warn({ sink: name, error: errnoOf(error) }, message);
    this.#warned = true;
    return true;
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#context.counters.accepting();
    this.#context.log.info({ sink: this.#context.name }, 'Capture files are written again.');
  }
}
