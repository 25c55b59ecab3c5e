import { closeSync } from 'node:fs';
import { Piscina } from 'piscina';
import { CHUNK_STATE_LENGTH, type ChunkedFile, openChunked } from '../../inputs/capture-chunk.ts';
import { MirrorError } from '../../observe/error.ts';
import type { Report } from '../../observe/report.ts';
import { LaneDirectory } from '../../receive/lanes.ts';
import { Tally } from '../../receive/tally.ts';
import { nodeDisk } from '../../sinks/files/disk.ts';
import { pcapEncoding, pcapngEncoding } from '../../sinks/files/encoding.ts';
import { filesDropReasons } from '../../sinks/files/drop-reasons.ts';
import { makeDirectory } from '../../sinks/files/one-file-a-lane.ts';
import { allocateSharedFiles } from '../../sinks/files/shared-file-table.ts';
import { SharedFiles, type SharedOutput } from '../../sinks/files/shared-files.ts';
import { assert } from '../../wire/assert.ts';
import { FileList } from '../file-list.ts';
import { allocateMemory, type SharedMemory, sinkCountersOf, tallyOf } from '../shared-memory.ts';
import { threadEnvironment } from '../thread-environment.ts';
import { unpackError } from '../worker-messages.ts';
import { workerUrl } from '../worker-url.ts';
import { decapReport } from './decap-report.ts';
import { CAPTURES, type DecapOptions, type DecapOutcome, type DecapRun, STDOUT } from './options.ts';
import type { DecapProgress } from './progress.ts';
import { allocateTurns, Turns } from './turns.ts';
import type { DecapWorkerStart, Task, TaskResult } from './task.ts';

/** How the work is cut up. */
export interface DecapSize {
  readonly workers: number;
  /** At least 1. */
  readonly chunkBytes: number;
}

/**
 * Takes capture files all the way to files by lane on several threads. Large files are cut into chunks; what must
 * come in order does so by `Turns`, so that the result is that of one thread.
 */
export class SeveralWorkersDecap implements DecapRun {
  readonly #options: DecapOptions;
  readonly #size: DecapSize;
  readonly #memory: SharedMemory;
  readonly #lanes: LaneDirectory;
  readonly #files = new FileList();
  readonly #turns: Turns;
  readonly #output: SharedOutput;
  readonly #start: DecapWorkerStart;
  readonly #shared: SharedFiles;
  readonly #errors: { readonly index: number; readonly error: unknown }[] = [];
  /** Link types that are not read, by the file's index. */
  readonly #unread = new Map<number, number>();
  readonly #running = new Set<Promise<void>>();
  #units = 0;
  #failure: Error | undefined;
  // for the progress: the file that was handed out last, and how many of its chunks were taken
  #fileIndex = 0;
  #file: ChunkedFile | undefined;
  #taken: Int32Array = new Int32Array(1);

  /** @param stdout where `--out -` goes */
  constructor(options: DecapOptions, size: DecapSize, stdout: number = STDOUT) {
    const { config, out, format, force } = options;
    this.#options = options;
    this.#size = size;
    assert(out !== undefined, "Flows alone are one thread's work.");
    const plan = { name: CAPTURES, kind: 'files', takes: 'packets', dropReasons: filesDropReasons } as const;
    this.#memory = allocateMemory(1, config.admission.maxLanes, [plan]);
    this.#lanes = new LaneDirectory(this.#memory.lanes);
    const turns = allocateTurns();
    this.#turns = new Turns(turns);
    this.#output =
      out === '-'
        ? { kind: 'stream', descriptor: stdout }
        : { kind: 'folder', directory: out, format, force };
    const files = allocateSharedFiles(this.#lanes.slots);
    const work = { memory: this.#memory, files, output: this.#output, config };
    const chunkState = new SharedArrayBuffer(CHUNK_STATE_LENGTH * Float64Array.BYTES_PER_ELEMENT);
    this.#start = { work, turns, chunkState, chunkBytes: size.chunkBytes };
    const encoding = out !== '-' && format === 'pcap' ? pcapEncoding : pcapngEncoding;
    this.#shared = new SharedFiles(files, this.#output, encoding);
  }

  async run(): Promise<DecapOutcome> {
    try {
      if (this.#output.kind === 'folder') await makeDirectory(nodeDisk, this.#output.directory);
      await this.#processAll();
      this.#finish();
    } catch (error) {
      this.#fail(error);
    }
    const errors = this.#errors.toSorted((a, b) => a.index - b.index).map(({ error }) => error);
    const unread = this.#options.files.flatMap((path, index) => {
      const linkType = this.#unread.get(index);
      return linkType === undefined ? [] : [{ path, linkType }];
    });
    return { unread, errors, failure: this.#failure };
  }

  stop(): Promise<void> {
    this.#turns.stop();
    return Promise.resolve();
  }

  progress(): DecapProgress {
    const { files } = this.#options;
    const taken = this.#file === undefined ? 0 : (this.#taken[0] ?? 0);
    return {
      path: files[this.#fileIndex] ?? '',
      file: this.#fileIndex + 1,
      files: files.length,
      bytesRead: taken * this.#size.chunkBytes,
      totalBytes: this.#file?.totalBytes,
      packets: tallyOf(this.#memory, 0)[Tally.received] ?? 0,
    };
  }

  report(): Report {
    return decapReport(this.#options, this.#memory, this.#lanes, this.#files);
  }

  async #processAll(): Promise<void> {
    const { workers } = this.#size;
    const pool = new Piscina<Task, TaskResult>({
      filename: workerUrl('decap/decap-worker').href,
      name: 'runTask',
      minThreads: workers,
      maxThreads: workers,
      workerData: this.#start,
      env: threadEnvironment(),
      recordTiming: false,
      // files that a thread opens are closed by this one, after all threads
      trackUnmanagedFds: false,
    });
    try {
      for (const [index, path] of this.#options.files.entries()) {
        if (this.#turns.stopped || this.#failure !== undefined) break;
        const file = openChunked(path);
        this.#fileIndex = index;
        this.#file = file;
        if (file === undefined) await this.#begin(pool, index, { kind: 'whole', path, unit: this.#units++ });
        else await this.#beginChunks(pool, index, file);
      }
      while (this.#running.size > 0) await Promise.race(this.#running);
    } finally {
      await pool.destroy();
    }
  }

  /** Hands a file to as many threads as can have a share in it. */
  async #beginChunks(pool: Piscina<Task, TaskResult>, index: number, file: ChunkedFile): Promise<void> {
    const chunks = Math.ceil(file.totalBytes / this.#size.chunkBytes);
    const taken = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const task = { kind: 'chunks', file, firstUnit: this.#units, taken } as const;
    this.#units += chunks;
    this.#taken = new Int32Array(taken);
    let open = Math.min(chunks, this.#size.workers);
    const done = (): void => {
      open--;
      if (open === 0) closeSync(file.descriptor);
    };
    for (let share = open; share > 0; share--) await this.#begin(pool, index, task, done);
  }

  /**
   * Hands out a task. Never more than there are threads: what waits for its turn must not keep a thread from what it
   * waits for.
   */
  async #begin(
    pool: Piscina<Task, TaskResult>,
    index: number,
    task: Task,
    done: () => void = () => {},
  ): Promise<void> {
    while (this.#running.size >= this.#size.workers) await Promise.race(this.#running);
    const running = pool
      .run(task)
      .then((result) => this.#take(index, result))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running.delete(running);
        done();
      });
    this.#running.add(running);
  }

  #take(index: number, { delivered, written, unreadLinkType, error, failure }: TaskResult): void {
    const counters = sinkCountersOf(this.#memory, 0, 0);
    counters.addDelivered(delivered);
    counters.addWritten(written);
    if (unreadLinkType !== undefined) this.#unread.set(index, unreadLinkType);
    if (error !== undefined) this.#errors.push({ index, error: unpackError(error) });
    if (failure !== undefined) this.#fail(unpackError(failure));
  }

  #finish(): void {
    if (this.#failure !== undefined) return this.#abandon(this.#failure);
    try {
      for (const file of this.#shared.finish(this.#lanes)) this.#files.add(file);
    } catch (error) {
      this.#fail(error);
    }
  }

  #abandon(failure: Error): void {
    const counters = sinkCountersOf(this.#memory, 0, 0);
    const code = failure instanceof MirrorError ? failure.code : undefined;
    counters.addDropped(code === 'DISK_FULL' ? 'diskFull' : 'writeFailed', counters.pending);
    const removed = code === 'OUTPUT_EXISTS';
    if (removed) counters.unwrite('writeFailed', counters.written);
    this.#shared.abandon(this.#lanes, removed);
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#turns.fail();
  }
}
