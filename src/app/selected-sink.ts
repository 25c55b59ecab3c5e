import type { LaneReader } from '../packet/lane.ts';
import type { PacketBatch } from '../packet/batch.ts';
import type { SinkCounters } from '../pipeline/sink-counters.ts';
import type { Sink } from '../pipeline/sink.ts';
import { selectionOf } from '../receive/select/selection.ts';
import type { SelectionTexts } from '../receive/select/selection-texts.ts';
import { Selector } from '../receive/select/selector.ts';

/**
 * A sink that is given the packets it asked for. Those that are left out count as filtered.
 *
 * The selector's view is the inner sink's until its promise settles; a sink is never given another before.
 */
class SelectedSink implements Sink {
  readonly #inner: Sink;
  readonly #selector: Selector;
  readonly #counters: SinkCounters;

  constructor(inner: Sink, selector: Selector, counters: SinkCounters) {
    this.#inner = inner;
    this.#selector = selector;
    this.#counters = counters;
  }

  open(): Promise<void> {
    return this.#inner.open();
  }

  async write(batch: PacketBatch): Promise<void> {
    const selected = this.#selector.select(batch);
    const { leftOut } = this.#selector;
    if (selected.deliveredCount > 0) await this.#inner.write(selected);
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

/** Puts a selection before a sink. */
export type SelectSink = (
  sink: Sink,
  texts: SelectionTexts,
  lanes: LaneReader,
  counters: SinkCounters,
) => Sink;

/** The sink itself where it takes all packets. */
export const selectSink: SelectSink = (sink, texts, lanes, counters) => {
  const selection = selectionOf(texts);
  if (selection === undefined) return sink;
  return new SelectedSink(sink, new Selector(selection, lanes), counters);
};
