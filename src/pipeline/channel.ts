import { assert } from '../wire/assert.ts';
import { type Block, blockOf } from '../wire/block.ts';

/**
 * A bounded way from one thread to another, in memory that both share: a ring of blocks of one size. One thread writes
 * entries into the open block and publishes it; another takes published blocks in their order and gives each back when
 * it is done with it. What is in it outlives either thread: who takes a thread's place goes on where that one was.
 */
export interface ChannelMemory {
  /** `State` words, then one word a block: `BlockState` or the words below. */
  readonly state: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  readonly blocks: number;
  readonly blockBytes: number;
  /** Most entries that wait. */
  readonly maxRecords: number;
}

/** Words of the state, then three a block. */
const State = {
  /** Blocks that were published, as a number that grows and wraps; its lowest bits say which is the next. */
  published: 0,
  /** Blocks that the reader has taken, likewise. */
  taken: 1,
  /** Entries that were published, and those of blocks that were given back; they wrap. */
  recordsIn: 2,
  recordsOut: 3,
  /** Bytes likewise, in units of 4. */
  wordsIn: 4,
  wordsOut: 5,
  /** 1: nothing is written any more. */
  closed: 6,
  /** Why there is no room, where it is not for want of memory: what the reader says. */
  reason: 7,
  length: 8,
} as const;
const Of = { used: 0, records: 1, free: 2, length: 3 } as const;
/** What the reader says of a ring that fills: it cannot put blocks elsewhere either. */
export const FullReason = { queue: 0, spool: 1 } as const;
export type FullReason = (typeof FullReason)[keyof typeof FullReason];

/** Values of `Of.free`. */
const FREE = 0;
const TAKEN = 1;

export const CHANNEL_BLOCK_BYTES = 262_144;

/** @param bytes of all blocks together: as many as a power of two of them has, at least two */
export function allocateChannel(bytes: number, maxRecords: number): ChannelMemory {
  // a power of two: numbers of blocks may wrap
  const blocks = 2 ** Math.max(1, Math.floor(Math.log2(bytes / CHANNEL_BLOCK_BYTES)));
  return {
    state: new SharedArrayBuffer(4 * (State.length + blocks * Of.length)),
    bytes: new SharedArrayBuffer(blocks * CHANNEL_BLOCK_BYTES),
    blocks,
    blockBytes: CHANNEL_BLOCK_BYTES,
    maxRecords,
  };
}

/** The end that writes. Nothing is allocated but where a block begins. */
export class ChannelWriter {
  readonly #memory: ChannelMemory;
  readonly #state: Int32Array;
  readonly #blocks: readonly Block[];
  /** Number of the open block, as `State.published` counts them. */
  #open: number;

  constructor(memory: ChannelMemory) {
    this.#memory = memory;
    this.#state = new Int32Array(memory.state);
    this.#blocks = blocksOf(memory);
    this.#open = Atomics.load(this.#state, State.published);
  }

  /** The open block, to write entries into. */
  get block(): Block {
    const block = this.#blocks[this.#open & (this.#memory.blocks - 1)];
    assert(block !== undefined, 'A ring has a power of two of blocks.');
    return block;
  }

  /** Bytes written into the open block. */
  get used(): number {
    return this.#isFree ? (this.#state[this.#at(Of.used)] ?? 0) : 0;
  }

  /** Entries that wait, the open block's included. */
  get records(): number {
    const state = this.#state;
    const out = Atomics.load(state, State.recordsOut);
    const published = (Atomics.load(state, State.recordsIn) - out) >>> 0;
    return published + (this.#isFree ? (state[this.#at(Of.records)] ?? 0) : 0);
  }

  /**
   * Says where in the open block an entry of so many bytes may be written; -1 when there is no room for it in all of
   * the ring, or too many entries wait.
   */
  reserve(bytes: number): number {
    const memory = this.#memory;
    if (!this.#isFree || this.records >= memory.maxRecords) return -1;
    const at = this.used;
    if (at + bytes <= memory.blockBytes) return at;
    if (bytes > memory.blockBytes) return -1;
    this.publish();
    return this.#isFree ? 0 : -1;
  }

  /** The bytes of the open block up to `end` hold whole entries, `records` of them more than before. */
  commit(end: number, records: number): void {
    Atomics.add(this.#state, this.#at(Of.records), records);
    // last: what is behind it is not there for who goes on after this thread
    Atomics.store(this.#state, this.#at(Of.used), end);
  }

  /** Hands the open block over, if there is something in it. */
  publish(): void {
    const state = this.#state;
    const used = this.used;
    if (used === 0) return;
    Atomics.add(state, State.recordsIn, state[this.#at(Of.records)] ?? 0);
    Atomics.add(state, State.wordsIn, used >>> 2);
    Atomics.store(state, this.#at(Of.free), TAKEN);
    this.#open = (this.#open + 1) | 0;
    Atomics.store(state, State.published, this.#open);
    Atomics.notify(state, State.published);
  }

  /** The reader has taken all that was published: it could begin with what there is. */
  get isAwaited(): boolean {
    return Atomics.load(this.#state, State.taken) === this.#open;
  }

  get fullReason(): FullReason {
    return Atomics.load(this.#state, State.reason) as FullReason;
  }

  /** Publishes what there is, and says that nothing more comes. */
  close(): void {
    this.publish();
    Atomics.store(this.#state, State.closed, 1);
    Atomics.notify(this.#state, State.published);
  }

  /** The open block is not still with the reader from the last time round. */
  get #isFree(): boolean {
    return Atomics.load(this.#state, this.#at(Of.free)) === FREE;
  }

  #at(field: number): number {
    return State.length + (this.#open & (this.#memory.blocks - 1)) * Of.length + field;
  }
}

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
      blocks += Atomics.load(state, State.length + index * Of.length + Of.free);
    }
    const { blocks: all, blockBytes, maxRecords } = this.#memory;
    return Math.max(blocks / all, this.bytes / (all * blockBytes), records / maxRecords);
  }

  /** Bytes that were published and not given back. */
  get bytes(): number {
    return ((Atomics.load(this.#state, State.wordsIn) - Atomics.load(this.#state, State.wordsOut)) >>> 0) * 4;
  }

  /** The next block; undefined while there is none. */
  next(): ChannelBlock | undefined {
    if (this.waiting <= 0) return undefined;
    const index = this.#next & (this.#memory.blocks - 1);
    const at = State.length + index * Of.length;
    const used = this.#state[at + Of.used] ?? 0;
    this.#next = (this.#next + 1) | 0;
    Atomics.store(this.#state, State.taken, this.#next);
    const bytes = Buffer.from(this.#memory.bytes, index * this.#memory.blockBytes, used);
    return { index, bytes, records: this.#state[at + Of.records] ?? 0 };
  }

  /** The block's memory may be written again. */
  giveBack({ index, bytes, records }: ChannelBlock): void {
    const state = this.#state;
    const at = State.length + index * Of.length;
    state[at + Of.used] = 0;
    state[at + Of.records] = 0;
    Atomics.add(state, State.recordsOut, records);
    Atomics.add(state, State.wordsOut, bytes.length >>> 2);
    Atomics.store(state, at + Of.free, FREE);
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
      const at = State.length + (number & (blocks - 1)) * Of.length;
      if (Atomics.load(this.#state, at + Of.free) === TAKEN) first = number;
    }
    return first;
  }
}

function blocksOf({ bytes, blocks, blockBytes }: ChannelMemory): Block[] {
  return Array.from({ length: blocks }, (_, index) =>
    blockOf(Buffer.from(bytes, index * blockBytes, blockBytes)),
  );
}
