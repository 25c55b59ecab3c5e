/** A packet ring that the main thread has opened for one worker. Plain data: it crosses to that worker's thread. */
export interface RingHandle {
  /** File descriptor of the packet socket. */
  readonly descriptor: number;
  /** Where the ring lies in the memory of the process, for all its threads. */
  readonly address: bigint;
  /** Bytes of each block. */
  readonly blockBytes: number;
  /** Blocks of the ring; together at most 1 GiB. */
  readonly blocks: number;
  /** The network interface it reads. */
  readonly interfaceName: string;
  /** A block with a packet is the reader's after so long at the latest. */
  readonly retireMs: number;
  /** Where the worker reads on, see `RingCursor`: outlives its thread. */
  readonly state: SharedArrayBuffer;
  /** The word by which the worker is called, one for all its rings; see `Slumber`. */
  readonly wake: SharedArrayBuffer;
}
