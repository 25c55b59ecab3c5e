import { BlockWord, type ChannelMemory, FREE, type FullReason, State, TAKEN } from './channel-memory.ts';

/** One block that was published. */
export interface ChannelBlock {
  /** Where it is in the ring; to give it back with. */
  readonly index: number;
  /** Its entries: shared memory, unchanged until it is given back. */
  readonly bytes: Buffer;
  readonly records: number;
}

/** The end that reads. */
export class ChannelReader {
  readonly #memory: ChannelMemory;
  readonly #state: Int32Array;
  #next: number;

  /** Begins with the first block that nobody has given back. */
  constructor(memory: ChannelMemory) {
    this.#memory = memory;
    this.#state = new Int32Array(memory.state);
    this.#next = this.#firstTaken();
    Atomics.store(this.#state, State.taken, this.#next);
  }

  /** Nothing more will come. */
  get isClosed(): boolean {
    return Atomics.load(this.#state, State.closed) === 1;
  }

  /** Nothing more will come, and all that came was taken. */
  get ended(): boolean {
    return this.isClosed && this.waiting === 0;
  }

  /** Blocks that were published and not yet taken. */
  get waiting(): number {
    return (Atomics.load(this.#state, State.published) - this.#next) | 0;
  }

  /** Part of the ring that is in use, 0 to 1: published and not given back. */
  get filled(): number {
    const state = this.#state;
    const records = (Atomics.load(state, State.recordsIn) - Atomics.load(state, State.recordsOut)) >>> 0;
    let blocks = 0;
    for (let index = 0; index < this.#memory.blocks; index++) {
      blocks += Atomics.load(state, State.length + index * BlockWord.length + BlockWord.free);
    }
    const { blocks: all, blockBytes, maxRecords } = this.#memory;
    return Math.max(blocks / all, this.bytes / (all * blockBytes), records / maxRecords);
  }

  /** Bytes that were published and not given back. */
  get bytes(): number {
    return ((Atomics.load(this.#state, State.wordsIn) - Atomics.load(this.#state, State.wordsOut)) >>> 0) * 4;
  }

  /** Entries of all blocks that were ever given back, by this reader or one before it; modulo 2^32. */
  get recordsGivenBack(): number {
    return Atomics.load(this.#state, State.recordsOut) >>> 0;
  }

  /** The next block; undefined while there is none. */
  next(): ChannelBlock | undefined {
    if (this.waiting <= 0) return undefined;
    const index = this.#next & (this.#memory.blocks - 1);
    const at = State.length + index * BlockWord.length;
    const used = this.#state[at + BlockWord.used] ?? 0;
    this.#next = (this.#next + 1) | 0;
    Atomics.store(this.#state, State.taken, this.#next);
    const bytes = Buffer.from(this.#memory.bytes, index * this.#memory.blockBytes, used);
    return { index, bytes, records: this.#state[at + BlockWord.records] ?? 0 };
  }

  /** The block's memory may be written again. */
  giveBack({ index, bytes, records }: ChannelBlock): void {
    const state = this.#state;
    const at = State.length + index * BlockWord.length;
    state[at + BlockWord.used] = 0;
    state[at + BlockWord.records] = 0;
    Atomics.add(state, State.recordsOut, records);
    Atomics.add(state, State.wordsOut, bytes.length >>> 2);
    Atomics.store(state, at + BlockWord.free, FREE);
  }

  /** Says why the writer will find no room once the ring is full. */
  setFullReason(reason: FullReason): void {
    Atomics.store(this.#state, State.reason, reason);
  }

  /** Settles when a block has been published or the channel was closed, or after so long. */
  async wait(timeoutMs: number): Promise<void> {
    const seen = Atomics.load(this.#state, State.published);
    if (seen !== this.#next || Atomics.load(this.#state, State.closed) === 1) return;
    await Atomics.waitAsync(this.#state, State.published, seen, timeoutMs).value;
  }

  #firstTaken(): number {
    const published = Atomics.load(this.#state, State.published);
    let first = published;
    const { blocks } = this.#memory;
    for (let back = 1; back <= blocks; back++) {
      const number = (published - back) | 0;
      const at = State.length + (number & (blocks - 1)) * BlockWord.length;
      if (Atomics.load(this.#state, at + BlockWord.free) === TAKEN) first = number;
    }
    return first;
  }
}
