import { PacketBatch } from '../packet/batch.ts';

/**
 * Batches of one size that are used again and again.
 *
 * It holds as many as were ever out at once; the bounded queues in front of the sinks bound that number.
 */
export class BatchPool {
  readonly #capacity: number;
  readonly #blockBytes: number;
  readonly #free: PacketBatch[] = [];

  /** @param capacity packets a batch, `blockBytes` bytes of block a batch */
  constructor(capacity: number, blockBytes: number) {
    this.#capacity = capacity;
    this.#blockBytes = blockBytes;
  }

  /** An empty batch. */
  take(): PacketBatch {
    const batch =
      this.#free.pop() ?? new PacketBatch(this.#capacity, Buffer.allocUnsafeSlow(this.#blockBytes));
    batch.clear();
    return batch;
  }

  /** Gives a batch back that nobody reads any more. */
  give(batch: PacketBatch): void {
    this.#free.push(batch);
  }
}
