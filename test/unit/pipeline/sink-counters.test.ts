import { expect, test } from 'vitest';
import { commonDropReasons, SinkCounters } from '../../../src/pipeline/sink-counters.ts';
import { AssertionFailure } from '../../../src/wire/assert.ts';

const REASONS = ['diskFull'];
const COUNTERS = ['padded', 'waiting'];

function counters(): { row: Float64Array; counters: SinkCounters } {
  const row = new Float64Array(SinkCounters.length(REASONS, COUNTERS));
  return { row, counters: new SinkCounters(row, REASONS, COUNTERS) };
}

test('further counters are added to and set, and are none of the ledger', () => {
  const { counters: sink } = counters();
  sink.addDelivered(10);
  sink.add('padded', 3);
  sink.add('padded', 4);
  sink.set('waiting', 100);
  sink.set('waiting', 50);
  expect([sink.further('padded'), sink.further('waiting')]).toEqual([7, 50]);
  expect([sink.delivered, sink.written, sink.filtered, sink.droppedTotal, sink.pending]).toEqual([
    10, 0, 0, 0, 10,
  ]);
});

test('drop reasons and further counters share no place, and fill the row', () => {
  const { row, counters: sink } = counters();
  for (const [index, reason] of [...commonDropReasons, ...REASONS].entries())
    sink.addDropped(reason, index + 1);
  for (const [index, name] of COUNTERS.entries()) sink.set(name, 100 + index);
  expect(sink.reasons.map((_, index) => sink.dropped(index))).toEqual([1, 2, 3, 4]);
  expect(COUNTERS.map((name) => sink.further(name))).toEqual([100, 101]);
  expect(Array.from(row.slice(-2))).toEqual([100, 101]);
});

test('what a kind has not declared is our own mistake', () => {
  const { counters: sink } = counters();
  expect(() => sink.add('unknown', 1)).toThrow(AssertionFailure);
  expect(() => sink.set('unknown', 1)).toThrow(AssertionFailure);
  expect(() => sink.further('diskFull')).toThrow(AssertionFailure);
});
