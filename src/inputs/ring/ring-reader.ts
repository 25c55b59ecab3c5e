import { PacketBatch } from '../../packet/batch.ts';
import { assert } from '../../wire/assert.ts';
import { headerOf, walkPackets } from './packet-walk.ts';
import { RingCursor } from './ring-cursor.ts';
import type { RingHandle } from './ring-handle.ts';
import { RingMemory } from './ring-memory.ts';

/** Most packets a batch. */
export const BATCH_PACKETS = 2048;

/** Most blocks a batch: long packets would fill the ring before a batch of them was given back. */
const BATCH_BLOCKS = 8;

/** A batch that lies in one block, or in several that follow each other. */
export interface RingBatch {
  readonly batch: PacketBatch;
  /** The first of its blocks. */
  block: number;
  /** How many blocks; the last of the ring is followed by the first. */
  blocks: number;
}

const UNKNOWN = -1;

/**
 * Reads one ring, block after block, in batches that point into it; a block goes back to the kernel when it was read to
 * its end and all its batches are back. Blocks may go back in any order: the kernel waits for the next one.
 *
 * What was handed on is known to the ring's state, not to the reader alone: another reader goes on where this one was.
 */
export class RingReader {
  readonly #batchPackets: number;
  readonly #memory: RingMemory;
  readonly #cursor: RingCursor;
  readonly #free: RingBatch[] = [];
  /** Batches on their way, by block. */
  readonly #out: Uint16Array;
  /** Header of the next packet, in a block that was read in part. */
  #header = UNKNOWN;

  /** Returns to the kernel what an earlier reader of the same ring held: nobody else will. */
  constructor(handle: RingHandle, bytes: Buffer, batchPackets: number = BATCH_PACKETS) {
    this.#batchPackets = batchPackets;
    this.#memory = new RingMemory(handle, bytes);
    this.#cursor = new RingCursor(handle.state);
    this.#out = new Uint16Array(handle.blocks);
    for (let block = 0; block < handle.blocks; block++) {
      if (this.#memory.isOurs(block) && this.#isBehind(block, this.#cursor.sequence)) {
        this.#memory.giveBack(block);
      }
    }
  }

  /**
   * Says whether a packet can be read.
   *
   * @throws AssertionFailure where the kernel's numbers of blocks are not in order
   */
  get isReady(): boolean {
    return this.#isReadyAt(this.#cursor.position, this.#cursor.sequence);
  }

  /** Says whether the kernel seems to have put a packet into the next block, which is not ready. */
  get isFilling(): boolean {
    return this.#memory.packets(this.#cursor.position) > 0;
  }

  /**
   * Reads what is ready, as much as a batch holds; from then on it counts as handed on. A block that was not full ends the
   * batch: so a batch keeps no more of the ring than its packets need, and one block.
   *
   * @returns `undefined` where there is no packet
   * @throws AssertionFailure where a block is not as the kernel makes them
   */
  take(): RingBatch | undefined {
    let { position, sequence, offset } = this.#cursor;
    const taken = this.#empty(position);
    const { batch } = taken;
    let isEnd = false;
    while (!isEnd && batch.count < this.#batchPackets && this.#isReadyAt(position, sequence)) {
      isEnd = this.#memory.isTimedOut(position) || taken.blocks + 1 === BATCH_BLOCKS;
      this.#out[position] = (this.#out[position] ?? 0) + 1;
      taken.blocks++;
      offset = this.#read(position, offset, batch);
      if (offset > 0) break;
      position = (position + 1) % this.#memory.blocks;
      sequence = (sequence + 1) | 0;
    }
    if (taken.blocks > 0) this.#cursor.moveTo(sequence, position, offset);
    if (batch.count > 0) return taken;
    this.give(taken);
    return undefined;
  }

  /** Takes a batch back that nobody reads any more. */
  give(taken: RingBatch): void {
    const { position, offset } = this.#cursor;
    for (let i = 0; i < taken.blocks; i++) {
      const block = (taken.block + i) % this.#memory.blocks;
      const out = (this.#out[block] ?? 0) - 1;
      assert(out >= 0, 'a batch is given back once');
      this.#out[block] = out;
      const isBegun = offset > 0 && block === position;
      if (out === 0 && !isBegun) this.#memory.giveBack(block);
    }
    this.#free.push(taken);
  }

  /** Puts packets of a block into the batch, from the packet `offset` on; returns where to go on, 0: at its end. */
  #read(block: number, offset: number, batch: PacketBatch): number {
    const packets = this.#memory.packets(block);
    assert(packets <= this.#memory.packetsMax && offset <= packets, 'a block holds as many packets as fit');
    const count = Math.min(packets - offset, this.#batchPackets - batch.count);
    const isRest = offset + count === packets;
    const isKnown = offset > 0 && this.#header !== UNKNOWN;
    const header = isKnown ? this.#header : headerOf(this.#memory, block, offset);
    this.#header = walkPackets(this.#memory, block, header, count, isRest, batch);
    return isRest ? 0 : offset + count;
  }

  #empty(block: number): RingBatch {
    const taken = this.#free.pop() ?? {
      batch: new PacketBatch(this.#batchPackets, this.#memory.bytes),
      block,
      blocks: 0,
    };
    taken.block = block;
    taken.blocks = 0;
    taken.batch.clear();
    return taken;
  }

  #isReadyAt(block: number, sequence: number): boolean {
    // a block of the round before that is still on its way is ours too
    if (!this.#memory.isOurs(block) || this.#isBehind(block, sequence)) return false;
    assert(this.#memory.sequence(block) === sequence, 'blocks come in the order of their numbers');
    return true;
  }

  /** Says whether what the block holds comes before the block of number `sequence`, on a circle of 2^32. */
  #isBehind(block: number, sequence: number): boolean {
    return ((this.#memory.sequence(block) - sequence) | 0) < 0;
  }
}
