import { assert } from '../../wire/assert.ts';
import type { RingHandle } from './ring-handle.ts';
import { blockDescriptor, BlockStatus, packetHeader } from './ring-layout.ts';

/** Offsets in 32-bit words. */
const STATUS = blockDescriptor.at['hdr.bh1.block_status'] / 4;
const PACKETS = blockDescriptor.at['hdr.bh1.num_pkts'] / 4;
const FIRST = blockDescriptor.at['hdr.bh1.offset_to_first_pkt'] / 4;
/** The low half of a 64-bit number. */
const SEQUENCE = blockDescriptor.at['hdr.bh1.seq_num'] / 4;

/** The blocks of a ring, and whose they are. */
export class RingMemory {
  /** The whole ring. */
  readonly bytes: Buffer;
  /** The same memory in 32-bit words. */
  readonly words: Uint32Array;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly #signed: Int32Array;

  /** @param bytes the memory of the ring, which begins at a multiple of 8 */
  constructor({ blocks, blockBytes }: Pick<RingHandle, 'blocks' | 'blockBytes'>, bytes: Buffer) {
    assert(bytes.length === blocks * blockBytes, 'the memory is that of the ring');
    this.bytes = bytes;
    this.blocks = blocks;
    this.blockBytes = blockBytes;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    this.#signed = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }

  /**
   * Says whether the kernel has handed the block over and nobody has returned it. All that the kernel wrote before is
   * seen by reads that come after.
   */
  isOurs(block: number): boolean {
    return (Atomics.load(this.#signed, this.#wordOf(block) + STATUS) & BlockStatus.user) !== 0;
  }

  /** Says whether the kernel handed the block over although it was not full. */
  isTimedOut(block: number): boolean {
    return ((this.words[this.#wordOf(block) + STATUS] ?? 0) & BlockStatus.timedOut) !== 0;
  }

  /** Hands the block to the kernel; all reads that come before are done. */
  giveBack(block: number): void {
    Atomics.store(this.#signed, this.#wordOf(block) + STATUS, BlockStatus.kernel);
  }

  /** The kernel's number of what the block holds, modulo 2^32 and signed: one more from block to block. */
  sequence(block: number): number {
    return this.#signed[this.#wordOf(block) + SEQUENCE] ?? 0;
  }

  /** Packets in the block; while the kernel fills it, as many as there were a moment ago. */
  packets(block: number): number {
    return this.words[this.#wordOf(block) + PACKETS] ?? 0;
  }

  /** Byte offset in the ring of the first packet's header. */
  firstHeader(block: number): number {
    return block * this.blockBytes + (this.words[this.#wordOf(block) + FIRST] ?? 0);
  }

  /** Most packets a block can hold. */
  get packetsMax(): number {
    return this.blockBytes / packetHeader.bytes;
  }

  #wordOf(block: number): number {
    return (block * this.blockBytes) / 4;
  }
}
