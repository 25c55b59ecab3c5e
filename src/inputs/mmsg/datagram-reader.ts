import { MessageVector, receiveMessages } from '../../native/messages.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import { LinkType } from '../../packet/link-type.ts';
import { copyBytes } from '../../wire/copy.ts';
import type { BatchPool } from '../batch-pool.ts';
import { SOCKET_ADDRESS_MAX_LEN } from '../socket-address.ts';
import { HEADER_MAX_LEN, writeSocketHeader } from '../socket-header.ts';
import { CONTROL_BYTES, ControlMessages } from './control-messages.ts';
import { type SocketHandle, SocketState } from './socket-handle.ts';

/** Datagrams that one system call takes at most. */
export const MESSAGES = 64;
/** No UDP datagram is longer; memory that none has touched is not there. */
const PAYLOAD_MAX = 65_535;
/** Between buffers: without it the first bytes of all would fall into the same few lines of the processor's caches. */
const BUFFER_GAP_BYTES = 577;
/** A batch has room for as many datagrams of this size, which no mirrored packet exceeds, as one call can bring. */
const PAYLOAD_USUAL_MAX = 9216;
const READ_BYTES = MESSAGES * (HEADER_MAX_LEN + PAYLOAD_USUAL_MAX);

export const BATCH_PACKETS = 1024;
export const BATCH_BYTES = 786_432;

export interface DatagramReaderOptions {
  /** Batches of `BATCH_PACKETS` and `BATCH_BYTES`. */
  readonly pool: BatchPool;
  /** Arrival where the kernel does not tell it: milliseconds since the epoch with fractions. */
  readonly now: () => number;
  /** Gets every batch that has a packet; the reader has done with it. */
  readonly emit: (batch: PacketBatch) => void;
}

/**
 * Reads the datagrams of sockets into batches, many with one system call. Each becomes an IP packet again, with the
 * time at which the kernel took it. Nothing is allocated for a packet. Serves all sockets of one thread.
 */
export class DatagramReader {
  readonly #options: DatagramReaderOptions;
  readonly #vector = new MessageVector(
    MESSAGES,
    PAYLOAD_MAX + BUFFER_GAP_BYTES,
    CONTROL_BYTES,
    SOCKET_ADDRESS_MAX_LEN,
  );
  readonly #control = new ControlMessages();
  #batch: PacketBatch;
  /** Bytes of the batch's block in use. */
  #fill = 0;

  constructor(options: DatagramReaderOptions) {
    this.#options = options;
    this.#batch = options.pool.take();
  }

  /**
   * Reads up to `MESSAGES` datagrams that have arrived, without waiting.
   *
   * @param state the words of `socket.state`
   * @returns how many; 0: there are none
   * @throws MirrorError `SYSTEM_CALL_FAILED`
   */
  read(socket: SocketHandle, state: Uint32Array): number {
    // what a call brings stays together: if the receiver fails over one batch, no datagram waits for the next
    const { count } = this.#batch;
    if (count + MESSAGES > BATCH_PACKETS || this.#fill + READ_BYTES > BATCH_BYTES) this.flush();
    const messages = receiveMessages(socket.descriptor, this.#vector);
    this.#control.drops = 0;
    for (let i = 0; i < messages; i++) this.#put(i, socket.port);
    if (this.#control.drops !== 0) Atomics.store(state, SocketState.drops, this.#control.drops);
    return messages;
  }

  /** Emits what was read. */
  flush(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    this.#batch = this.#options.pool.take();
    this.#fill = 0;
    this.#options.emit(batch);
  }

  #put(i: number, port: number): void {
    const vector = this.#vector;
    const length = vector.length(i);
    if (this.#fill + HEADER_MAX_LEN + length > BATCH_BYTES) this.flush();
    const batch = this.#batch;
    const slot = batch.count++;
    const at = this.#fill;
    const payloadAt = writeSocketHeader(batch.view, at, vector.view, vector.nameAt(i), port, length);
    const from = vector.bufferAt(i);
    const end = copyBytes(vector.bytes, from, from + length, batch.bytes, payloadAt);
    batch.at[slot] = at;
    batch.end[slot] = end;
    batch.wireLen[slot] = end - at;
    batch.linkType[slot] = LinkType.raw;
    this.#putTime(i, batch, slot);
    this.#fill = end;
  }

  #putTime(i: number, batch: PacketBatch, slot: number): void {
    const control = this.#control;
    control.read(this.#vector, i);
    if (control.hasTime) {
      batch.seconds[slot] = control.seconds;
      batch.nanoseconds[slot] = control.nanoseconds;
      return;
    }
    const nowMs = this.#options.now();
    const seconds = Math.floor(nowMs / 1000);
    batch.seconds[slot] = seconds;
    batch.nanoseconds[slot] = Math.floor((nowMs - seconds * 1000) * 1e6);
  }
}
