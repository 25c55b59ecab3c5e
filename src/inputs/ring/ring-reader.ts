import { PacketBatch } from '../../packet/batch.ts';
import { assert } from '../../wire/assert.ts';
import { headerOf, walkPackets } from './packet-walk.ts';
import { RingCursor } from './ring-cursor.ts';
import type { RingHandle } from './ring-handle.ts';
import { RingMemory } from './ring-memory.ts';

/** Most packets a batch. */
export const BATCH_PACKETS = 2048;

/** A batch that lies in a block. */
export interface BlockBatch {
  readonly batch: PacketBatch;
  /** Which block, as long as the batch is on its way. */
  block: number;
}

const NONE = -1;

/**
 * Reads one ring, block after block, each in batches that point into it; a block goes back to the kernel when it was
 * read to its end and all its batches are back. Blocks may go back in any order: the kernel waits for the next one.
 *
 * What was handed on is known to the ring's state, not to the reader alone: another reader goes on where this one was.
 */
export class RingReader {
  readonly #batchPackets: number;
  readonly #memory: RingMemory;
  readonly #cursor: RingCursor;
  readonly #free: BlockBatch[] = [];
  /** Batches on their way, by block. */
  readonly #out: Uint16Array;
  /** The block that was begun and is not read to its end. */
  #begun = NONE;
  /** Header of the next packet in it. */
  #header = 0;
  #wasFull = false;

  /** Returns to the kernel what an earlier reader of the same ring held: nobody else will. */
  constructor(handle: RingHandle, bytes: Buffer, batchPackets: number = BATCH_PACKETS) {
    this.#batchPackets = batchPackets;
    this.#memory = new RingMemory(handle, bytes);
    this.#cursor = new RingCursor(handle.state);
    this.#out = new Uint16Array(handle.blocks);
    for (let block = 0; block < handle.blocks; block++) {
      if (this.#memory.isOurs(block) && this.#isBehind(block)) this.#memory.giveBack(block);
    }
  }

  /**
   * Says whether a packet can be read.
   *
   * @throws AssertionFailure where the kernel's numbers of blocks are not in order
   */
  get isReady(): boolean {
    const { position } = this.#cursor;
    // a block of the round before that is still on its way is ours too
    if (!this.#memory.isOurs(position) || this.#isBehind(position)) return false;
    assert(
      this.#memory.sequence(position) === this.#cursor.sequence,
      'blocks come in the order of their numbers',
    );
    return true;
  }

  /** Says whether a block is read in part: then the rest of it is ready. */
  get isInBlock(): boolean {
    return this.#begun !== NONE;
  }

  /** Says whether the kernel handed the last block over because it was full: then more may come soon. */
  get wasFull(): boolean {
    return this.#wasFull;
  }

  /** Says whether the kernel seems to have put a packet into the next block, which is not ready. */
  get isFilling(): boolean {
    return this.#memory.packets(this.#cursor.position) > 0;
  }

  /**
   * Reads packets of the next block; from then on they count as handed on. Only when it is ready.
   *
   * @returns `undefined` where the rest of the block holds none
   * @throws AssertionFailure where the block is not as the kernel makes them
   */
  take(): BlockBatch | undefined {
    const { position: block, sequence, offset } = this.#cursor;
    const packets = this.#memory.packets(block);
    assert(packets <= this.#memory.packetsMax && offset <= packets, 'a block holds as many packets as fit');
    if (this.#begun === NONE) this.#begin(block, offset);
    const count = Math.min(packets - offset, this.#batchPackets);
    const isRest = offset + count === packets;
    const taken = count === 0 ? undefined : this.#fill(block, count, isRest);
    if (!isRest) {
      this.#cursor.moveTo(sequence, block, offset + count);
      return taken;
    }
    this.#begun = NONE;
    this.#cursor.moveTo((sequence + 1) | 0, (block + 1) % this.#memory.blocks, 0);
    if (this.#out[block] === 0) this.#memory.giveBack(block);
    return taken;
  }

  /** Takes a batch back that nobody reads any more. */
  give(taken: BlockBatch): void {
    const { block } = taken;
    const out = (this.#out[block] ?? 0) - 1;
    assert(out >= 0, 'a batch is given back once');
    this.#out[block] = out;
    this.#free.push(taken);
    if (out === 0 && block !== this.#begun) this.#memory.giveBack(block);
  }

  #begin(block: number, offset: number): void {
    this.#begun = block;
    this.#wasFull = !this.#memory.isTimedOut(block);
    this.#header = headerOf(this.#memory, block, offset);
  }

  #fill(block: number, count: number, isRest: boolean): BlockBatch {
    const taken = this.#free.pop() ?? {
      batch: new PacketBatch(this.#batchPackets, this.#memory.bytes),
      block,
    };
    taken.block = block;
    taken.batch.clear();
    this.#header = walkPackets(this.#memory, block, this.#header, count, isRest, taken.batch);
    this.#out[block] = (this.#out[block] ?? 0) + 1;
    return taken;
  }

  /** Says whether the block was read to its end: its number is before that of the next block, on a circle of 2^32. */
  #isBehind(block: number): boolean {
    return ((this.#memory.sequence(block) - this.#cursor.sequence) | 0) < 0;
  }
}
