import { expect, test } from 'vitest';
import { selectSink } from '../../../src/app/selected-sink.ts';
import type { PacketBatch } from '../../../src/packet/batch.ts';
import { Outlet } from '../../../src/pipeline/outlet.ts';
import type { Sink } from '../../../src/pipeline/sink.ts';
import type { SinkCounters } from '../../../src/pipeline/sink-counters.ts';
import { everything } from '../../../src/receive/select/selection-texts.ts';
import { numbered, TestLanes } from '../../support/batches.ts';
import { droppedOf, newCounters } from '../../support/sink-context.ts';

/** Notes what it is asked, and numbers of the packets it is given; a whole batch is written at once. */
class Noting implements Sink {
  readonly calls: string[] = [];
  readonly #counters: SinkCounters;
  readonly #refuses: boolean;

  constructor(counters: SinkCounters, refuses: boolean) {
    this.#counters = counters;
    this.#refuses = refuses;
  }

  async open(): Promise<void> {
    this.calls.push('open');
  }

  async write(batch: PacketBatch): Promise<void> {
    this.calls.push(`write ${numbersOf(batch)}`);
    if (this.#refuses) throw new Error('refused');
    this.#counters.addWritten(batch.deliveredCount);
  }

  missed(batch: PacketBatch): void {
    this.calls.push(`missed ${numbersOf(batch)}`);
  }

  async flush(): Promise<void> {
    this.calls.push('flush');
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }
}

function numbersOf(batch: PacketBatch): string {
  const slots = [...batch.delivered.subarray(0, batch.deliveredCount)];
  return slots.map((slot) => batch.bytes.readUInt32BE(batch.frameAt[slot])).join(' ');
}

/** Takes frames whose number is at least `from`. */
function makeSink(from: number, { refuses = false } = {}) {
  const counters = newCounters([]);
  const inner = new Noting(counters, refuses);
  const filter = `ether[0:4] >= ${from}`;
  const sink = selectSink(inner, { ...everything, filter }, new TestLanes(), counters);
  const limits = { batches: 1, bytes: 1 };
  const outlet = new Outlet(sink, counters, { policy: 'drop', limits, now: () => 0 });
  return { inner, sink, counters, outlet };
}

test('packets that are not asked for are left out and counted as filtered', async () => {
  const { inner, counters, outlet } = makeSink(3);
  await outlet.push(numbered(5), 1);
  await outlet.push(numbered(5, 1), 1);
  expect(inner.calls).toEqual(['write 3 4', 'write 3 4 5']);
  const { delivered, written, filtered, pending } = counters;
  expect({ delivered, written, filtered, pending }).toEqual({
    delivered: 10,
    written: 5,
    filtered: 5,
    pending: 0,
  });
});

test('a batch of which nothing is asked for is not written', async () => {
  const { inner, counters, outlet } = makeSink(100);
  await outlet.push(numbered(4), 1);
  expect(inner.calls).toEqual([]);
  expect([counters.filtered, counters.pending]).toEqual([4, 0]);
});

test('a batch that is refused is dropped as a whole', async () => {
  const { counters, outlet } = makeSink(2, { refuses: true });
  await outlet.push(numbered(4), 1);
  expect(droppedOf(counters)).toEqual({ writeFailed: 4 });
  expect([counters.filtered, counters.pending]).toEqual([0, 0]);
});

test('what is missed, and all else, is the inner sink’s', async () => {
  const { inner, sink, outlet } = makeSink(3);
  await sink.open();
  const first = outlet.push(numbered(4), 1);
  expect(outlet.push(numbered(4), 1)).toBeUndefined();
  await first;
  await sink.flush();
  await sink.close();
  expect(inner.calls).toEqual(['open', 'write 3', 'missed 0 1 2 3', 'flush', 'close']);
});

test('a sink that asks for everything stands alone', () => {
  const counters = newCounters([]);
  const inner = new Noting(counters, false);
  expect(selectSink(inner, everything, new TestLanes(), counters)).toBe(inner);
});
