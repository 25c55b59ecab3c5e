/**
 * A bounded way from one thread to another, in memory that both share: a ring of blocks of one size. One thread writes
 * entries into the open block and publishes it (`ChannelWriter`); another takes published blocks in their order and gives
 * each back when it is done with it (`ChannelReader`). What is in it outlives either thread: who takes a thread's place goes
 * on where that one was.
 */
export interface ChannelMemory {
  /** 32-bit words: those of `State`, then those of `BlockWord` for each block. */
  readonly state: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  readonly blocks: number;
  readonly blockBytes: number;
  /** Most entries that wait. */
  readonly maxRecords: number;
}

/** Words of the ring. */
export const State = {
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
/** Words of a block, behind those of the ring: bytes that are written, entries in them, and whose turn it is. */
export const BlockWord = { used: 0, records: 1, free: 2, length: 3 } as const;
/** Values of `BlockWord.free`: the writer's, or published and not given back. */
export const FREE = 0;
export const TAKEN = 1;

/** What the reader says of a ring that fills: it cannot put blocks elsewhere either. */
export const FullReason = { queue: 0, spool: 1 } as const;
export type FullReason = (typeof FullReason)[keyof typeof FullReason];

export const CHANNEL_BLOCK_BYTES = 262_144;

/** @param bytes of all blocks together: as many as a power of two of them has, at least two */
export function allocateChannel(bytes: number, maxRecords: number): ChannelMemory {
  // a power of two: numbers of blocks may wrap
  const blocks = 2 ** Math.max(1, Math.floor(Math.log2(bytes / CHANNEL_BLOCK_BYTES)));
  return {
    state: new SharedArrayBuffer(4 * (State.length + blocks * BlockWord.length)),
    bytes: new SharedArrayBuffer(blocks * CHANNEL_BLOCK_BYTES),
    blocks,
    blockBytes: CHANNEL_BLOCK_BYTES,
    maxRecords,
  };
}
