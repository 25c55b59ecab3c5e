import type { FrameReader } from '../../../packet/frame-reader.ts';
import type { PartitionBatch } from '../client.ts';

export interface EncoderOptions {
  /** Name of this host, as the header `observer` has it. */
  readonly observer: string;
  /** Most bytes of a `PartitionBatch` as Kafka writes it, before compression. */
  readonly batchBytes: number;
  readonly frames: FrameReader;
  /** Base64 of SHA-1. */
  readonly sha1Base64: (bytes: Uint8Array) => string;
}

export interface Encoded {
  /** Those of one partition in their order. */
  readonly batches: readonly PartitionBatch[];
  /** Entries that no record was made of, by `recordDropReasons`. What could not be read of a damaged block is not among them. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** Turns blocks of entries (format/packet-block.ts) into records. One instance serves one courier. */
export interface RecordEncoder {
  /** Topics that entries of these blocks go to, with `{vni}` filled in. Blocks are read, and free again. */
  topics(blocks: readonly Buffer[]): ReadonlySet<string>;

  /**
   * Makes the records. They may be views of the blocks, which therefore stay as they are until the batches are settled, unless they
   * are shared memory: of that a copy is made, so that no library meets it.
   *
   * Order of entries is kept per partition. A batch is at most `batchBytes`, or one record.
   *
   * @param partitions of each of these topics; entries for others are dropped as `noTopic`
   */
  encode(blocks: readonly Buffer[], partitions: ReadonlyMap<string, number>): Encoded;
}

export const recordDropReasons = [
  /** Of a VNI that came after `TOPICS_MAX` others, where topics carry the VNI. */
  'tooManyTopics',
  /** The topic is not there. */
  'noTopic',
  /** An entry that tells of a lane that its block does not, or that is of another kind than its block is for. */
  'damaged',
  /** A flow record that could not be written in the format that was asked for. */
  'notEncoded',
] as const;
export type RecordDropReason = (typeof recordDropReasons)[number];
