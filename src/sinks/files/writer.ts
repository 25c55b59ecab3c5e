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

/**
 * Writes chunks to their files, a few at a time and each track in order.
 *
 * A track has one write under way at most: were the second of two writes to arrive first, a process that is
 * killed would leave a hole.
 */
export class Writer {
  readonly #destination: Destination;
  readonly #events: WriterEvents;
  readonly #atATime: number;
  #ready: Track[] = [];
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
    return this.#under === 0 && this.#ready.length === 0;
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
      const track = this.#ready.shift();
      const job = track?.jobs.shift();
      if (track === undefined || job === undefined) return;
      track.busy = true;
      this.#under++;
      void this.#run(track, job);
    }
  }

  async #run(track: Track, job: Job): Promise<void> {
    if (job.chunk === undefined) await this.#events.finish(job.file);
    else await this.#write(job.file, job.chunk);
    track.busy = false;
    this.#under--;
    if (track.jobs.length > 0) this.#ready.push(track);
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
