import type { PlacedPacket } from '../../packet/placed-packet.ts';
import type { Block } from '../../wire/block.ts';
import type { StreamJoin } from './stream-table.ts';

/** Where packets leave in their order: what is given has to be copied or written before the call returns. */
export interface OrderedOutput {
  /** `packet` is the caller's again when this returns, like the bytes. */
  put(bytes: Block, packet: PlacedPacket): void;
}

export interface ResequencerOptions {
  /** Longest time that a packet is held, µs of the packets' own time; 0: none is. */
  readonly holdUs: number;
  /** Most packets of one stream that are held, at least 1. */
  readonly holdPackets: number;
  /** Memory for the packets that are held, at least 80. */
  readonly holdBytes: number;
  /** Most streams that are known at one time, a power of two, at least 8: 229 bytes each. */
  readonly streams: number;
  /**
   * Where copies of a packet are known as such, and only the first of them goes on: packets of all sources of a connection
   * together, for what came first from one of them is missing in the streams of the others.
   */
  readonly join: StreamJoin;
  /** This worker's row of `AnalysisTally`. */
  readonly tally: Float64Array;
  /** This worker's rows of `LaneCounter`. */
  readonly laneCounters: Float64Array;
  /** Where every sink takes packets in order: the packet ledger, in which one that is held is not yet delivered. */
  readonly ledger: Float64Array | undefined;
  readonly output: OrderedOutput;
}
