import type { SinkCounters } from '../pipeline/sink-counters.ts';
import type { Sink } from '../pipeline/sink.ts';
import { type ShapeOptions, Shaper } from '../receive/shape.ts';
import { FilteredSink } from './filtered-sink.ts';

/**
 * Gives a sink its packets in the shape it asked for: checksums completed, duplicates left out. The sink itself where it
 * takes packets as they come.
 */
export function shapeSink(sink: Sink, options: ShapeOptions, counters: SinkCounters): Sink {
  if (options.repair === 'none' && options.duplicates === 'keep') return sink;
  const shaper = new Shaper(options);
  return new FilteredSink(sink, (batch) => shaper.shape(batch), counters);
}
