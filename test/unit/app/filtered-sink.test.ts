import { expect, test } from 'vitest';
import { FilteredSink } from '../../../src/app/filtered-sink.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';
import { Outlet } from '../../../src/pipeline/outlet.ts';
import { numbered } from '../../support/batches.ts';
import { NotingSink } from '../../support/noting-sink.ts';
import { droppedOf, newCounters } from '../../support/sink-context.ts';

/** Takes the last packets of each batch, so many of them. */
function takeLast(packets: number): (batch: PacketBatch) => PacketBatch {
  return (batch) => {
    const first = Math.max(0, batch.deliveredCount - packets);
    const view = new PacketBatch(batch.capacity, batch.bytes, batch);
    view.follow(batch);
    view.delivered.set(batch.delivered.subarray(first, batch.deliveredCount));
    view.deliveredCount = batch.deliveredCount - first;
    return view;
  };
}

function makeSink(filter: (batch: PacketBatch) => PacketBatch, { refuses = false } = {}) {
  const counters = newCounters([]);
  const inner = new NotingSink(counters, { refuses });
  const sink = new FilteredSink(inner, filter, counters);
  const limits = { batches: 1, bytes: 1 };
  const outlet = new Outlet(sink, counters, { policy: 'drop', limits, now: () => 0 });
  return { inner, sink, counters, outlet };
}

test('packets that the filter leaves out count as filtered', async () => {
  const { inner, counters, outlet } = makeSink(takeLast(2));
  await outlet.push(numbered(5), 1);
  await outlet.push(numbered(5, 1), 1);
  expect(inner.calls).toEqual(['write 3 4', 'write 4 5']);
  const { delivered, written, filtered, pending } = counters;
  expect({ delivered, written, filtered, pending }).toEqual({
    delivered: 10,
    written: 4,
    filtered: 6,
    pending: 0,
  });
});

test('a batch of which nothing is taken is not written', async () => {
  const { inner, counters, outlet } = makeSink(takeLast(0));
  await outlet.push(numbered(4), 1);
  expect(inner.calls).toEqual([]);
  expect([counters.filtered, counters.pending]).toEqual([4, 0]);
});

test('a batch of which all is taken is written as it is', async () => {
  const { inner, counters, outlet } = makeSink((batch) => batch);
  await outlet.push(numbered(3), 1);
  expect(inner.calls).toEqual(['write 0 1 2']);
  expect([counters.filtered, counters.pending]).toEqual([0, 0]);
});

test('a batch that is refused is dropped as a whole', async () => {
  const { counters, outlet } = makeSink(takeLast(1), { refuses: true });
  await outlet.push(numbered(4), 1);
  expect(droppedOf(counters)).toEqual({ writeFailed: 4 });
  expect([counters.filtered, counters.pending]).toEqual([0, 0]);
});

test('what is missed, and all else, is the inner sink’s', async () => {
  const { inner, sink, outlet } = makeSink(takeLast(1));
  await sink.open();
  const first = outlet.push(numbered(4), 1);
  expect(outlet.push(numbered(4), 1)).toBeUndefined();
  await first;
  await sink.flush();
  await sink.close();
  expect(inner.calls).toEqual(['open', 'write 3', 'missed 0 1 2 3', 'flush', 'close']);
});
