import { closeSync } from 'node:fs';
import { Piscina } from 'piscina';
import { CHUNK_STATE_LENGTH } from '../../inputs/capture-chunk.ts';
import { MirrorError } from '../../observe/error.ts';
import type { Report } from '../../observe/report.ts';
import { LaneDirectory } from '../../receive/lanes.ts';
import { Tally } from '../../receive/tally.ts';
import { nodeDisk } from '../../sinks/files/disk.ts';
import { pcapEncoding, pcapngEncoding } from '../../sinks/files/encoding.ts';
import { filesDropReasons } from '../../sinks/files/files-sink.ts';
import { makeDirectory } from '../../sinks/files/one-file-a-lane.ts';
import { allocateSharedFiles, SharedFiles, type SharedOutput } from '../../sinks/files/shared-files.ts';
import { buildReport } from '../build-report.ts';
import { FileList } from '../file-list.ts';
import { allocateMemory, type SharedMemory, sinkCountersOf, tallyOf } from '../shared-memory.ts';
import { threadEnvironment } from '../thread-environment.ts';
import { unpackError } from '../worker-messages.ts';
import { workerUrl } from '../worker-url.ts';
import { openChunked } from './input-plan.ts';
import { type DecapOptions, type DecapOutcome, type DecapRun, STDOUT } from './options.ts';
import type { DecapProgress } from './progress.ts';
import { allocateTurns, Turns } from './turns.ts';
import type { Unit, UnitResult, UnitWorkerStart } from './unit.ts';

const SINK_NAME = 'captures';

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
  readonly #start: UnitWorkerStart;
  readonly #shared: SharedFiles;
  readonly #errors: { readonly file: number; readonly error: unknown }[] = [];
  readonly #running = new Set<Promise<void>>();
  #units = 0;
  #failure: Error | undefined;
  /** The file of the last unit that was done, and how far it is. */
  #fileIndex = 0;
  #bytesDone = 0;
  #totalBytes: number | undefined;

  /** @param stdout where `--out -` goes */
  constructor(options: DecapOptions, size: DecapSize, stdout: number = STDOUT) {
    const { config, out, format, force } = options;
    this.#options = options;
    this.#size = size;
    const plan = { name: SINK_NAME, kind: 'files', dropReasons: filesDropReasons };
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
    const errors = this.#errors.toSorted((a, b) => a.file - b.file).map(({ error }) => error);
    return { errors, failure: this.#failure };
  }

  stop(): Promise<void> {
    this.#turns.stop();
    return Promise.resolve();
  }

  progress(): DecapProgress {
    const { files } = this.#options;
    return {
      path: files[this.#fileIndex] ?? '',
      file: this.#fileIndex + 1,
      files: files.length,
      bytesRead: this.#bytesDone,
      totalBytes: this.#totalBytes,
      packets: tallyOf(this.#memory, 0)[Tally.received] ?? 0,
    };
  }

  report(): Report {
    return buildReport(this.#memory, this.#lanes, {
      kernelDrops: 0,
      closedLanes: { count: 0, packets: 0, bytes: 0 },
      files: this.#files,
      behindGwlb: this.#options.config.behind === 'gwlb',
      running: false,
    });
  }

  async #processAll(): Promise<void> {
    const { workers } = this.#size;
    const pool = new Piscina<Unit, UnitResult>({
      filename: workerUrl('decap/unit-worker').href,
      name: 'runUnit',
      minThreads: workers,
      maxThreads: workers,
      workerData: this.#start,
      env: threadEnvironment(),
      recordTiming: false,
      // files that a thread opens are closed by this one, after all threads
      trackUnmanagedFds: false,
    });
    try {
      for (const [file, path] of this.#options.files.entries()) {
        if (this.#ended) break;
        await this.#processFile(pool, file, path);
      }
      while (this.#running.size > 0) await Promise.race(this.#running);
    } finally {
      await pool.destroy();
    }
  }

  get #ended(): boolean {
    return this.#turns.stopped || this.#failure !== undefined;
  }

  async #processFile(pool: Piscina<Unit, UnitResult>, file: number, path: string): Promise<void> {
    const opened = openChunked(path, this.#size.chunkBytes);
    if (opened === undefined) {
      await this.#begin(pool, file, { kind: 'file', unit: this.#units++, path });
      return;
    }
    const done: Promise<void>[] = [];
    for (const chunk of opened.chunks) {
      if (this.#ended) break;
      done.push((await this.#begin(pool, file, { kind: 'chunk', unit: this.#units++, chunk })).done);
    }
    void Promise.all(done).then(() => closeSync(opened.descriptor));
  }

  /** Hands out a unit, once not too many are; settles then. */
  async #begin(pool: Piscina<Unit, UnitResult>, file: number, unit: Unit): Promise<{ done: Promise<void> }> {
    // never more than threads: a unit that waits for its turn must not keep the thread from the one whose turn it is
    while (this.#running.size >= this.#size.workers) await Promise.race(this.#running);
    const done = pool
      .run(unit)
      .then((result) => this.#take(file, unit, result))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#running.delete(done));
    this.#running.add(done);
    return { done };
  }

  #take(file: number, unit: Unit, { delivered, written, error, failure }: UnitResult): void {
    const counters = sinkCountersOf(this.#memory, 0, 0);
    counters.addDelivered(delivered);
    counters.addWritten(written);
    if (error !== undefined) this.#errors.push({ file, error: unpackError(error) });
    if (failure !== undefined) this.#fail(unpackError(failure));
    this.#fileIndex = file;
    this.#totalBytes = unit.kind === 'chunk' ? unit.chunk.totalBytes : undefined;
    this.#bytesDone = unit.kind === 'chunk' ? unit.chunk.to : 0;
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
    this.#shared.abandon(this.#lanes, code === 'OUTPUT_EXISTS');
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#turns.fail();
  }
}
