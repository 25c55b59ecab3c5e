import type { PacketBatch } from '../packet/batch.ts';
import type { SinkCounters } from '../pipeline/sink-counters.ts';
import type { Sink } from '../pipeline/sink.ts';
import { type ShapeOptions, Shaper } from '../receive/shape.ts';

/**
 * A sink that is given its packets in the shape it asked for. Duplicates that are left out count as filtered.
 *
 * The shaper's batch is the inner sink's until its promise settles; a sink is never given another before.
 */
export class ShapedSink implements Sink {
  readonly #inner: Sink;
  readonly #shaper: Shaper;
  readonly #counters: SinkCounters;

  constructor(inner: Sink, shaper: Shaper, counters: SinkCounters) {
    this.#inner = inner;
    this.#shaper = shaper;
    this.#counters = counters;
  }

  open(): Promise<void> {
    return this.#inner.open();
  }

  async write(batch: PacketBatch): Promise<void> {
    const shaped = this.#shaper.shape(batch);
    const { leftOut } = this.#shaper;
    if (shaped.deliveredCount > 0) await this.#inner.write(shaped);
    // not before: a batch that was refused counts as dropped as a whole
    if (leftOut > 0) this.#counters.addFiltered(leftOut);
  }

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

/** The sink itself where it takes packets as they come. */
export function shapeSink(sink: Sink, options: ShapeOptions, counters: SinkCounters): Sink {
  if (options.repair === 'none' && options.duplicates === 'keep') return sink;
  return new ShapedSink(sink, new Shaper(options), counters);
}
