import type { PacketBatch } from '../packet/batch.ts';
import { MAX_INTERFACES } from './limits.ts';

/** File formats that mirrortap reads. */
export type CaptureFormat = 'pcap' | 'pcapng';

/** Where and why a decoder stopped. */
export interface CaptureProblem {
  /**
   * `cut`: the stream ends inside a record. `damaged`: a record contradicts itself. `unsupported`: a record that
   * may be right, but that mirrortap does not read.
   */
  readonly kind: 'cut' | 'damaged' | 'unsupported';
  /** Byte offset, from the beginning of the (decompressed) stream, of the first byte of the record. */
  readonly offset: number;
  /** What is wrong, as a sentence. */
  readonly message: string;
  /** The number that was found there. */
  readonly found: number;
  /** What it should have been, in words. */
  readonly expected: string;
}

/**
 * Reads one capture stream, a window at a time, in constant memory. Packets are not copied: the slots of the
 * batch point into its block.
 *
 * The caller keeps bytes of the stream in `batch.bytes[at .. end)`, calls `decode`, and goes on from the
 * offset that it returns with the bytes that are left, moved anywhere, and more of the stream behind them.
 * A decoder throws nothing, and allocates nothing for a packet.
 */
export interface CaptureDecoder {
  readonly format: CaptureFormat;
  /** Set once the decoder has stopped for good; everything before it was handed out. */
  readonly problem: CaptureProblem | undefined;
  /** Byte offset in the stream of the next byte that `decode` wants. */
  readonly offset: number;
  /**
   * Bytes from `offset` on that a window must hold for `decode` to get on, as far as known; at most
   * `MAX_RECORD_BYTES`.
   */
  readonly neededBytes: number;

  /**
   * Appends packets to `batch` until it is full, the window holds no further whole record, or there is a problem.
   *
   * @param at  where in `batch.bytes` the next byte of the stream lies
   * @param end one past the last byte of the window
   * @returns offset one past the last byte that is done with; the bytes of the packets must stay where they are
   *          for as long as the batch is in use
   */
  decode(batch: PacketBatch, at: number, end: number): number;

  /**
   * Says that the stream has ended: sets `problem` where it ended inside a record.
   *
   * @param leftoverBytes bytes of the window that `decode` has left
   */
  finish(leftoverBytes: number): void;

  /**
   * Writes down all that the decoder knows between two windows, so that another one of the same format can go on at
   * `offset`. Nothing may be wrong yet: a decoder with a `problem` has no next window.
   *
   * @param state `DECODER_STATE_LENGTH` numbers; shared memory where another thread goes on
   */
  save(state: Float64Array): void;

  /** Goes on where the decoder that wrote `state` stood. */
  restore(state: Float64Array): void;
}

/** Numbers of a decoder's state that are no interface's. */
export const DECODER_HEAD_LENGTH = 8;
/** Numbers of one interface in a decoder's state. */
export const INTERFACE_STATE_LENGTH = 4;
/** Numbers that the state of a decoder takes at most. */
export const DECODER_STATE_LENGTH: number = DECODER_HEAD_LENGTH + INTERFACE_STATE_LENGTH * MAX_INTERFACES;

/** The problem of a stream that ends too early. */
export function cutProblem(offset: number, what: string, found: number, needed: number): CaptureProblem {
  return {
    kind: 'cut',
    offset,
    message: `The capture ends inside ${what}.`,
    found,
    expected: `${needed} bytes`,
  };
}
