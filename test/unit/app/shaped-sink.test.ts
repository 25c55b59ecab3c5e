import { expect, test } from 'vitest';
import { ShapedSink } from '../../../src/app/shaped-sink.ts';
import type { PacketBatch } from '../../../src/packet/batch.ts';
import { Mark } from '../../../src/packet/mark.ts';
import { Outlet } from '../../../src/pipeline/outlet.ts';
import type { Sink } from '../../../src/pipeline/sink.ts';
import type { SinkCounters } from '../../../src/pipeline/sink-counters.ts';
import { Shaper } from '../../../src/receive/shape.ts';
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

function makeSink({ refuses = false } = {}) {
  const counters = newCounters([]);
  const inner = new Noting(counters, refuses);
  const shaper = new Shaper({ repair: 'none', duplicates: 'drop', lanes: new TestLanes() });
  const sink = new ShapedSink(inner, shaper, counters);
  const limits = { batches: 1, bytes: 1 };
  const outlet = new Outlet(sink, counters, { policy: 'drop', limits, now: () => 0 });
  return { inner, sink, counters, outlet };
}

/** Four packets, of which the second and the fourth are duplicates, or all of them. */
function packetsWith({ all = false } = {}): PacketBatch {
  const packets = numbered(4);
  for (const [i, slot] of packets.delivered.entries()) {
    packets.marks[slot] = all || i % 2 === 1 ? Mark.duplicate : Mark.none;
  }
  return packets;
}

test('duplicates are left out and counted as filtered', async () => {
  const { inner, counters, outlet } = makeSink();
  await outlet.push(packetsWith(), 1);
  expect(inner.calls).toEqual(['write 0 2']);
  const { delivered, written, filtered, pending } = counters;
  expect({ delivered, written, filtered, pending }).toEqual({
    delivered: 4,
    written: 2,
    filtered: 2,
    pending: 0,
  });
});

test('a batch of duplicates alone is not written', async () => {
  const { inner, counters, outlet } = makeSink();
  await outlet.push(packetsWith({ all: true }), 1);
  expect(inner.calls).toEqual([]);
  expect([counters.filtered, counters.pending]).toEqual([4, 0]);
});

test('a batch that is refused is dropped as a whole', async () => {
  const { counters, outlet } = makeSink({ refuses: true });
  await outlet.push(packetsWith(), 1);
  expect(droppedOf(counters)).toEqual({ writeFailed: 4 });
  expect([counters.filtered, counters.pending]).toEqual([0, 0]);
});

test('what is missed, and all else, is the inner sink’s', async () => {
  const { inner, sink, outlet } = makeSink();
  await sink.open();
  const first = outlet.push(packetsWith(), 1);
  expect(outlet.push(packetsWith(), 1)).toBeUndefined();
  await first;
  await sink.flush();
  await sink.close();
  expect(inner.calls).toEqual(['open', 'write 0 2', 'missed 0 1 2 3', 'flush', 'close']);
});
