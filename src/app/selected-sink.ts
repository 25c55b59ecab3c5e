import type { LaneReader } from '../packet/lane.ts';
import type { SinkCounters } from '../pipeline/sink-counters.ts';
import type { Sink } from '../pipeline/sink.ts';
import { selectionOf } from '../receive/select/selection.ts';
import type { SelectionTexts } from '../receive/select/selection-texts.ts';
import { Selector } from '../receive/select/selector.ts';
import { FilteredSink } from './filtered-sink.ts';

/** Puts a selection before a sink, which is then given the packets it asked for. */
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
  const selector = new Selector(selection, lanes);
  return new FilteredSink(sink, (batch) => selector.select(batch), counters);
};
