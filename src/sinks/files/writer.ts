import type { CaptureFile, Job, Track } from './capture-file.ts';
import type { Chunk } from './chunk-pool.ts';
import type { Destination } from './destination.ts';

/** What the writer tells its sink. */
export interface WriterEvents {
  /** A chunk is in its file, or will never be: `file.broken` says so. The chunk's memory is free after this. */
  settled(file: CaptureFile, chunk: Chunk): void;
  /** The file cannot be written any more. */
  failed(file: CaptureFile, error: unknown): void;
  /** All chunks of a file are settled and it has ended; what it still needs is done here. */
  finish(file: CaptureFile): Promise<void>;
}

/** Where thousands of files end at one moment, so many chunks are written before the next file is finished. */
const WRITES_BETWEEN_ENDS = 8;

/**
 * Writes chunks to their files, a few at a time and each track in order.
 *
 * A track has one write under way at most: were the second of two writes to arrive first, a process that is
 * killed would leave a hole. A file that has ended is finished when there is little else to do: the next file of its
 * track does not wait for it.
 */
export class Writer {
  readonly #destination: Destination;
  readonly #events: WriterEvents;
  readonly #atATime: number;
  #ready: Track[] = [];
  /** Files all of whose chunks are settled. */
  #ended: CaptureFile[] = [];
  #writesSinceEnd = 0;
  #under = 0;
  #waiting: (() => void)[] = [];

  /** @param atATime writes under way at a time; each holds one of libuv's four threads */
  constructor(destination: Destination, events: WriterEvents, atATime: number) {
    this.#destination = destination;
    this.#events = events;
    this.#atATime = atATime;
  }

  /** Whether nothing is written or waits to be. */
  get idle(): boolean {
    return this.#under === 0 && this.#ready.length === 0 && this.#ended.length === 0;
  }

  add(track: Track, job: Job): void {
    track.jobs.push(job);
    if (track.busy || track.jobs.length > 1) return;
    this.#ready.push(track);
    this.#start();
  }

  /** Settles when a job is done, at once if there is none. */
  progress(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async whenIdle(): Promise<void> {
    while (!this.idle) await this.progress();
  }

  #start(): void {
    while (this.#under < this.#atATime) {
      const finishing = this.#ready.length === 0 || this.#writesSinceEnd >= WRITES_BETWEEN_ENDS;
      const file = finishing ? this.#ended.shift() : undefined;
      if (file !== undefined) {
        this.#writesSinceEnd = 0;
        void this.#run(() => this.#events.finish(file));
        continue;
      }
      const track = this.#ready.shift();
      const job = track?.jobs.shift();
      if (track === undefined || job === undefined) return;
      const { chunk } = job;
      if (chunk === undefined) {
        this.#ended.push(job.file);
        if (track.jobs.length > 0) this.#ready.push(track);
        continue;
      }
      this.#writesSinceEnd++;
      track.busy = true;
      void this.#run(async () => {
        await this.#write(job.file, chunk);
        track.busy = false;
        if (track.jobs.length > 0) this.#ready.push(track);
      });
    }
  }

  async #run(work: () => Promise<void>): Promise<void> {
    this.#under++;
    await work();
    this.#under--;
    this.#start();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async #write(file: CaptureFile, chunk: Chunk): Promise<void> {
    if (file.broken === undefined) {
      try {
        file.out ??= await this.#destination.create(file.track.stem, file.startSeconds);
        await file.out.append(chunk.bytes, chunk.used);
      } catch (error) {
        this.#events.failed(file, error);
      }
    }
    this.#events.settled(file, chunk);
  }
}
