import { expect, test } from 'vitest';
import { shapeSink } from '../../../src/app/shaped-sink.ts';
import { Mark } from '../../../src/packet/mark.ts';
import type { ShapeOptions } from '../../../src/receive/shape.ts';
import { numbered, TestLanes } from '../../support/batches.ts';
import { NotingSink } from '../../support/noting-sink.ts';
import { newCounters } from '../../support/sink-context.ts';

function makeSink(options: Pick<ShapeOptions, 'repair' | 'duplicates'>) {
  const counters = newCounters([]);
  const inner = new NotingSink(counters);
  const sink = shapeSink(inner, { ...options, lanes: new TestLanes() }, counters);
  return { inner, sink, counters };
}

/** Four packets, of which those in the given places are duplicates. */
function packetsWith(duplicates: readonly number[]) {
  const packets = numbered(4);
  for (const [i, slot] of packets.delivered.entries()) {
    packets.marks[slot] = duplicates.includes(i) ? Mark.duplicate : Mark.none;
  }
  return packets;
}

test('duplicates are left out and counted as filtered', async () => {
  const { inner, sink, counters } = makeSink({ repair: 'none', duplicates: 'drop' });
  await sink.write(packetsWith([1, 3]));
  expect(inner.calls).toEqual(['write 0 2']);
  expect([counters.written, counters.filtered]).toEqual([2, 2]);
});

test('a batch of duplicates alone is not written', async () => {
  const { inner, sink, counters } = makeSink({ repair: 'none', duplicates: 'drop' });
  await sink.write(packetsWith([0, 1, 2, 3]));
  expect(inner.calls).toEqual([]);
  expect(counters.filtered).toBe(4);
});

test('a sink whose checksums are to be completed keeps duplicates', async () => {
  const { inner, sink, counters } = makeSink({ repair: 'partial', duplicates: 'keep' });
  await sink.write(packetsWith([1]));
  expect(inner.calls).toEqual(['write 0 1 2 3']);
  expect(counters.filtered).toBe(0);
});

test('a sink that takes packets as they come stands alone', () => {
  const { inner, sink } = makeSink({ repair: 'none', duplicates: 'keep' });
  expect(sink).toBe(inner);
});
