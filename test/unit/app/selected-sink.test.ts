import { expect, test } from 'vitest';
import { selectSink } from '../../../src/app/selected-sink.ts';
import { everything } from '../../../src/receive/select/selection-texts.ts';
import { numbered, TestLanes } from '../../support/batches.ts';
import { NotingSink } from '../../support/noting-sink.ts';
import { newCounters } from '../../support/sink-context.ts';

function makeSink(filter: string) {
  const counters = newCounters([]);
  const inner = new NotingSink(counters);
  const sink = selectSink(inner, { ...everything, filter }, new TestLanes(), counters);
  return { inner, sink, counters };
}

test('packets that are not asked for are left out and counted as filtered', async () => {
  const { inner, sink, counters } = makeSink('ether[0:4] >= 3');
  await sink.write(numbered(5));
  await sink.write(numbered(5, 1));
  expect(inner.calls).toEqual(['write 3 4', 'write 3 4 5']);
  expect([counters.written, counters.filtered]).toEqual([5, 5]);
});

test('a batch of which nothing is asked for is not written', async () => {
  const { inner, sink, counters } = makeSink('ether[0:4] >= 100');
  await sink.write(numbered(4));
  expect(inner.calls).toEqual([]);
  expect(counters.filtered).toBe(4);
});

test('a sink that asks for everything stands alone', () => {
  const { inner, sink } = makeSink('');
  expect(sink).toBe(inner);
});
