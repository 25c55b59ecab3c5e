const BLOCK_BYTES_MIN = 131_072;
const BLOCK_BYTES_MAX = 1_048_576;
/** As many as this, if blocks need not become too small for it. */
const BLOCKS_WANTED = 16;
/** With fewer, the kernel would have no block to fill while others are read. */
const BLOCKS_MIN = 4;

export interface RingSize {
  /** A power of two; more than the longest IP packet and its header. */
  readonly blockBytes: number;
  readonly blocks: number;
}

/** How a ring of about `bytes` is divided: many blocks rather than large ones. */
export function ringSize(bytes: number): RingSize {
  const even = 2 ** Math.floor(Math.log2(bytes / BLOCKS_WANTED));
  const blockBytes = Math.min(Math.max(even, BLOCK_BYTES_MIN), BLOCK_BYTES_MAX);
  return { blockBytes, blocks: Math.max(Math.floor(bytes / blockBytes), BLOCKS_MIN) };
}
