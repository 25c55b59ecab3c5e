/**
 * A block is handed over at least every `retireMs`, however little it holds: with small blocks there are many, and a ring
 * lasts long while nobody reads it. Longer than the longest IP packet and its header; the kernel finds so much memory in
 * one piece more easily than more.
 */
const BLOCK_BYTES = 131_072;
/** With fewer, the kernel would have no block to fill while others are read. */
const BLOCKS_MIN = 8;

export interface RingSize {
  readonly blockBytes: number;
  readonly blocks: number;
}

/** How a ring of about `bytes` is divided. */
export function ringSize(bytes: number): RingSize {
  return { blockBytes: BLOCK_BYTES, blocks: Math.max(Math.floor(bytes / BLOCK_BYTES), BLOCKS_MIN) };
}
