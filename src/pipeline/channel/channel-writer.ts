import { assert } from '../../wire/assert.ts';
import { type Block, blockOf } from '../../wire/block.ts';
import type { ChannelMemory, FullReason } from './channel-memory.ts';
import * as channelMemory from './channel-memory.ts';

// for speed: see "Constants" in src/README.md
const { BlockWord, FREE, State, TAKEN } = channelMemory;

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
    return this.#isFree ? (this.#state[this.#at(BlockWord.used)] ?? 0) : 0;
  }

  /** Entries that wait, the open block's included. */
  get records(): number {
    const state = this.#state;
    const out = Atomics.load(state, State.recordsOut);
    const published = (Atomics.load(state, State.recordsIn) - out) >>> 0;
    return published + (this.#isFree ? (state[this.#at(BlockWord.records)] ?? 0) : 0);
  }

  /** There is no room for a single entry more. */
  get isFull(): boolean {
    return !this.#isFree || this.records >= this.#memory.maxRecords;
  }

  /**
   * Says where in the open block an entry of so many bytes may be written; -1 when there is no room for it in all of
   * the ring, or too many entries wait.
   */
  reserve(bytes: number): number {
    const memory = this.#memory;
    if (this.isFull) return -1;
    const at = this.used;
    if (at + bytes <= memory.blockBytes) return at;
    if (bytes > memory.blockBytes) return -1;
    this.publish();
    return this.#isFree ? 0 : -1;
  }

  /** The bytes of the open block up to `end` hold whole entries, `records` of them more than before. */
  commit(end: number, records: number): void {
    Atomics.add(this.#state, this.#at(BlockWord.records), records);
    // last: what is behind it is not there for who goes on after this thread
    Atomics.store(this.#state, this.#at(BlockWord.used), end);
  }

  /** Hands the open block over, if there is something in it. */
  publish(): void {
    const state = this.#state;
    const used = this.used;
    if (used === 0) return;
    Atomics.add(state, State.recordsIn, state[this.#at(BlockWord.records)] ?? 0);
    Atomics.add(state, State.wordsIn, used >>> 2);
    Atomics.store(state, this.#at(BlockWord.free), TAKEN);
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
    return Atomics.load(this.#state, this.#at(BlockWord.free)) === FREE;
  }

  #at(field: number): number {
    return State.length + (this.#open & (this.#memory.blocks - 1)) * BlockWord.length + field;
  }
}

function blocksOf({ bytes, blocks, blockBytes }: ChannelMemory): Block[] {
  return Array.from({ length: blocks }, (_, index) =>
    blockOf(Buffer.from(bytes, index * blockBytes, blockBytes)),
  );
}
