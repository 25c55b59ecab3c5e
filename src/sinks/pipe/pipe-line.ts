import { packetsByInterface } from '../files/encoding.ts';
import type { Chunk, ChunkPool } from '../files/chunk-pool.ts';
import type { PipeEnd } from './pipe-end.ts';

/** Waits for a full pipe, milliseconds: the first, and the longest. Each doubles. */
const FULL_FIRST_MS = 1;
const FULL_LONGEST_MS = 20;

/** What became of the packets of chunks. */
export interface LineEvents {
  written(packets: number, bytes: number): void;
  /** The reader is gone, or the end broken, with these not taken. */
  lost(packets: number, bytes: number, error: unknown): void;
}

/** Brings chunks into one end of a pipe, in their order, for as long as somebody reads the other. */
export class PipeLine {
  readonly #end: PipeEnd;
  readonly #pool: ChunkPool;
  readonly #events: LineEvents;
  readonly #queue: Chunk[] = [];
  /** Bytes of the first chunk that the pipe has taken. */
  #taken = 0;
  #working: Promise<void> | undefined;
  #isOver = false;

  constructor(end: PipeEnd, pool: ChunkPool, events: LineEvents) {
    this.#end = end;
    this.#pool = pool;
    this.#events = events;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  push(chunk: Chunk): void {
    this.#queue.push(chunk);
    this.#working ??= this.#work();
  }

  /** Looks whether somebody still reads; only while nothing waits. */
  look(): void {
    if (this.isIdle && !this.#isOver && !this.#end.hasReader()) this.#lose(new Error('nobody reads'));
  }

  /** Settles when all is taken or lost, or after `ms` in which the reader took nothing. */
  async whenIdle(ms: number): Promise<void> {
    let taken = -1;
    let sinceMs = performance.now();
    while (!this.isIdle) {
      if (taken !== this.#taken) {
        taken = this.#taken;
        sinceMs = performance.now();
      } else if (performance.now() - sinceMs >= ms) return;
      await pause(FULL_FIRST_MS);
    }
  }

  /** Gives up what was not taken, and closes the end. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#working;
    this.#giveUp(undefined);
    await this.#end.close();
  }

  async #work(): Promise<void> {
    let waitMs = FULL_FIRST_MS;
    for (let chunk = this.#queue[0]; chunk !== undefined && !this.#isOver; chunk = this.#queue[0]) {
      try {
        const count = await this.#end.write(chunk.bytes, this.#taken, chunk.used - this.#taken);
        if (count === 0) {
          await pause(waitMs);
          waitMs = Math.min(waitMs * 2, FULL_LONGEST_MS);
          continue;
        }
        waitMs = FULL_FIRST_MS;
        this.#taken += count;
        if (this.#taken === chunk.used) this.#settle(chunk);
      } catch (error) {
        this.#lose(error);
      }
    }
    this.#working = undefined;
  }

  #settle(chunk: Chunk): void {
    this.#queue.shift();
    this.#taken = 0;
    this.#events.written(chunk.packets, chunk.used);
    this.#pool.release(chunk);
  }

  #lose(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#giveUp(error);
    void this.#end.close().catch(() => undefined);
  }

  /** What the pipe took of the first chunk counts as written, up to the last whole packet. */
  #giveUp(error: unknown): void {
    let packets = 0;
    let bytes = 0;
    for (const [index, chunk] of this.#queue.entries()) {
      const written = index === 0 ? wholePackets(chunk, this.#taken) : 0;
      if (written > 0) this.#events.written(written, 0);
      packets += chunk.packets - written;
      bytes += chunk.used;
      this.#pool.release(chunk);
    }
    this.#queue.length = 0;
    this.#events.lost(packets, bytes, error);
  }
}

/** Packets of the chunk that end at or before `taken`. */
function wholePackets({ bytes }: Chunk, taken: number): number {
  let end = 0;
  while (end + 8 <= taken && end + bytes.readUInt32LE(end + 4) <= taken) end += bytes.readUInt32LE(end + 4);
  return packetsByInterface(bytes, end).reduce((sum, count) => sum + count, 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
