import type { PacketBatch } from '../packet/batch.ts';

/**
 * Takes one filled batch on its way. The batch is the input's again once the promise settles; it never
 * rejects. A capture file waits for it before it reuses the batch, a live input takes another batch meanwhile.
 */
export type Deliver = (batch: PacketBatch) => Promise<void>;

/** Where packets enter: a UDP socket, a capture file. One instance serves one worker. */
export interface Input {
  /** Opens sockets or files. Called once, before `run`. Rejects with a `MirrorError`. */
  open(): Promise<void>;

  /**
   * Delivers batches until the input ends or `close` is called, and settles when the last batch has been
   * given back. Rejects with a `MirrorError` after all that could be read was delivered.
   */
  run(deliver: Deliver): Promise<void>;

  /** Stops taking packets in; what was taken is still delivered, then `run` settles. May be called twice. */
  close(): Promise<void>;
}
