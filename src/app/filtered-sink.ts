import type { PacketBatch } from '../packet/batch.ts';
import type { SinkCounters } from '../pipeline/sink-counters.ts';
import type { Sink } from '../pipeline/sink.ts';

/**
 * What of a batch goes to the sink behind: the batch itself, or one that whoever filters owns. That one is the sink's until
 * its promise settles; it is never given another before.
 */
export type BatchFilter = (batch: PacketBatch) => PacketBatch;

/** A sink that is given what a filter takes. Packets that are left out count as filtered. */
export class FilteredSink implements Sink {
  readonly #inner: Sink;
  readonly #filter: BatchFilter;
  readonly #counters: SinkCounters;

  constructor(inner: Sink, filter: BatchFilter, counters: SinkCounters) {
    this.#inner = inner;
    this.#filter = filter;
    this.#counters = counters;
  }

  open(): Promise<void> {
    return this.#inner.open();
  }

  async write(batch: PacketBatch): Promise<void> {
    const taken = this.#filter(batch);
    const leftOut = batch.deliveredCount - taken.deliveredCount;
    if (taken.deliveredCount > 0) await this.#inner.write(taken);
    // not before: a batch that was refused counts as dropped as a whole
    if (leftOut > 0) this.#counters.addFiltered(leftOut);
  }

  /** All of it: what of a batch was wanted, nobody has looked. */
  missed(batch: PacketBatch): void {
    this.#inner.missed?.(batch);
  }

  flush(): Promise<void> {
    return this.#inner.flush();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
