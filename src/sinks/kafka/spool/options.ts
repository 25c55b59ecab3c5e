export interface SpoolOptions {
  /** Made where it is missing. One spool at a time has it for itself. */
  readonly directory: string;
  /** Most bytes that its files take of the disk. */
  readonly maxBytes: number;
  /** What has waited longer is dropped by `expire`; 0: nothing is. */
  readonly maxSeconds: number;
  /** A segment is full at so many bytes, and at an eighth of `maxBytes` in any case. */
  readonly segmentBytes: number;
  readonly fsync: 'interval' | 'always' | 'never';
  readonly fsyncMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A block that was read from the spool. */
export interface SpoolEntry {
  readonly bytes: Buffer;
  readonly records: number;
  /** When it was appended: milliseconds since the epoch. */
  readonly timeMs: number;
}

/** What was found when a spool was opened. */
export interface SpoolRecovery {
  /** What waits in it: not acknowledged. */
  readonly records: number;
  readonly bytes: number;
  /** Bytes at the ends of segments that were no whole blocks, and were cut off. */
  readonly cutBytes: number;
  /** Blocks that were appended and are not there any more. Others may be found damaged when they are read: `lost`. */
  readonly damaged: number;
  /** Room for the spool: what is free on the disk, and what the spool has of it already. */
  readonly freeBytes: number;
}
