import { array, assert, integer, property, record, uniqueArray, string } from 'fast-check';
import { expect, test } from 'vitest';
import {
  allocateMemory,
  analysisTallyOf,
  courierCountersOf,
  readSinkCounters,
  readTally,
  type SharedMemory,
  sinkCountersOf,
  tallyOf,
} from '../../../src/app/shared-memory.ts';
import { LANE_COUNTERS_LENGTH } from '../../../src/receive/lane-counters.ts';
import { LaneDirectory } from '../../../src/receive/lanes.ts';
import { count, Tally } from '../../../src/receive/tally.ts';
import { AssertionFailure } from '../../../src/wire/assert.ts';

const names = uniqueArray(string({ minLength: 1, maxLength: 5 }), { maxLength: 4 });
const plans = array(record({ dropReasons: names, counters: names }), { maxLength: 4 }).map((made) =>
  made.map(({ dropReasons, counters }, index) => ({
    name: `s${index}`,
    kind: 'files',
    takes: 'packets' as const,
    dropReasons,
    counters,
  })),
);

/** Every row there is, each as a way to fill it with a number and to see what it holds. */
function rows(memory: SharedMemory): { fill: (value: number) => void; holds: () => number[] }[] {
  const lanes = new LaneDirectory(memory.lanes);
  const all: { fill: (value: number) => void; holds: () => number[] }[] = [];
  const add = (row: Float64Array): void => {
    all.push({ fill: (value) => row.fill(value), holds: () => [...new Set(row)] });
  };
  for (let worker = 0; worker < memory.workers; worker++) {
    add(tallyOf(memory, worker));
    add(analysisTallyOf(memory, worker));
    for (let slot = 0; slot < lanes.slots; slot++) {
      add(lanes.counters(worker).subarray(slot * LANE_COUNTERS_LENGTH, (slot + 1) * LANE_COUNTERS_LENGTH));
    }
    for (const index of memory.sinkPlans.keys()) {
      const sink = sinkCountersOf(memory, worker, index);
      all.push({
        fill: (value) => {
          const read = (): number[] => [
            sink.delivered,
            sink.written,
            sink.filtered,
            sink.pendingBytes,
            ...sink.reasons.map((_, reason) => sink.dropped(reason)),
          ];
          const [delivered = 0, written = 0, filtered = 0, pendingBytes = 0, ...dropped] = read();
          sink.addDelivered(value - delivered);
          sink.addWritten(value - written);
          sink.addFiltered(value - filtered);
          sink.addPendingBytes(value - pendingBytes);
          for (const [reason, name] of sink.reasons.entries())
            sink.addDropped(name, value - (dropped[reason] ?? 0));
          for (const name of sink.names) sink.set(name, value);
          sink.accepting();
          sink.failing(sink.reasons.at(-1) ?? '', value);
        },
        holds: () => [
          ...new Set([
            sink.delivered,
            sink.written,
            sink.filtered,
            sink.pendingBytes,
            sink.failingSinceMs,
            ...sink.reasons.map((_, reason) => sink.dropped(reason)),
            ...sink.names.map((name) => sink.further(name)),
          ]),
        ],
      });
    }
  }
  return all;
}

test('no row overlaps another, whatever workers, lanes and sinks there are', () => {
  assert(
    property(
      integer({ min: 1, max: 5 }),
      integer({ min: 1, max: 6 }),
      plans,
      (workers, maxLanes, sinkPlans) => {
        const all = rows(allocateMemory(workers, maxLanes, sinkPlans));
        for (const [index, row] of all.entries()) row.fill(index + 1);
        expect(all.map((row) => row.holds())).toEqual(all.map((_, index) => [index + 1]));
      },
    ),
  );
});

test('a sink that is not there is a mistake of the caller', () => {
  const memory = allocateMemory(1, 1, []);
  expect(() => sinkCountersOf(memory, 0, 0)).toThrow(AssertionFailure);
  expect(() => readSinkCounters(memory, 0, 0)).toThrow(AssertionFailure);
});

test('what is read is a copy', () => {
  const memory = allocateMemory(2, 1, [{ name: 'a', kind: 'files', takes: 'packets', dropReasons: [] }]);
  count(tallyOf(memory, 1), Tally.received, 10);
  count(tallyOf(memory, 1), Tally.delivered, 10);
  sinkCountersOf(memory, 1, 0).addDelivered(3);
  const [tally, sink] = [readTally(memory, 1), readSinkCounters(memory, 1, 0)];
  tallyOf(memory, 1).fill(9);
  sinkCountersOf(memory, 1, 0).addDelivered(3);
  expect([tally[Tally.received], tally[Tally.delivered], sink.delivered]).toEqual([1, 1, 3]);
});

test('what a worker has in hand is told as received once it is in a bucket', () => {
  const memory = allocateMemory(1, 1, []);
  const tally = tallyOf(memory, 0);
  count(tally, Tally.received, 10);
  count(tally, Tally.notTunnel, 10);
  tally[Tally.received]! += 1000;
  count(tally, Tally.delivered, 30);
  count(tally, Tally.fault, 5);
  const read = readTally(memory, 0);
  expect([read[Tally.received], read[Tally.received + 1]]).toEqual([3, 45]);
  expect(tally[Tally.received]).toBe(1001);
});

test('a sink with a courier has a channel and a second row for each worker', () => {
  const before = { name: 'a', kind: 'files', takes: 'packets', dropReasons: [] } as const;
  const bus = {
    name: 'bus',
    kind: 'kafka',
    takes: 'packets',
    dropReasons: ['noTopic'],
    counters: ['batches'],
    channel: { bytes: 2 ** 20, records: 10 },
  } as const;
  const memory = allocateMemory(2, 1, [before, bus, { ...before, name: 'c' }]);
  expect(memory.channels.map((row) => row.map((channel) => channel?.maxRecords))).toEqual([
    [undefined, 10, undefined],
    [undefined, 10, undefined],
  ]);
  for (const worker of [0, 1]) {
    const worked = sinkCountersOf(memory, worker, 1);
    const courier = courierCountersOf(memory, worker, 1);
    worked.addDelivered(10 + worker);
    worked.addWritten(9);
    worked.addDropped('queueFull', 1);
    worked.addPendingBytes(5);
    courier.addDelivered(2);
    courier.addWritten(6);
    courier.addDropped('noTopic', 1);
    courier.addPendingBytes(7);
    courier.add('batches', 3);
    for (const other of [0, 2]) sinkCountersOf(memory, worker, other).addDelivered(100);
  }
  const [first, second] = [0, 1].map((worker) => readSinkCounters(memory, worker, 1));
  expect([
    first!.delivered,
    first!.written,
    first!.droppedTotal,
    first!.pending,
    first!.pendingBytes,
  ]).toEqual([12, 6, 2, 4, 12]);
  expect([second!.delivered, second!.pending, second!.further('batches')]).toEqual([13, 5, 3]);
  expect(readSinkCounters(memory, 1, 2).delivered).toBe(100);
  expect(() => courierCountersOf(memory, 0, 0)).toThrow(AssertionFailure);
});

test('either of two threads may say that a sink fails', () => {
  const plan = { name: 'bus', kind: 'kafka', takes: 'packets', dropReasons: ['noTopic'] } as const;
  const memory = allocateMemory(1, 1, [{ ...plan, channel: { bytes: 1, records: 1 } }]);
  const worked = sinkCountersOf(memory, 0, 0);
  const courier = courierCountersOf(memory, 0, 0);
  const failing = (): (string | undefined)[] => [readSinkCounters(memory, 0, 0).failingReason];
  worked.failing('queueFull', 5);
  expect(failing()).toEqual(['queueFull']);
  courier.failing('noTopic', 6);
  expect(failing()).toEqual(['noTopic']);
  courier.accepting();
  worked.accepting();
  expect(failing()).toEqual([undefined]);
});

test('a sink that settled more than it was given is read all the same', () => {
  const memory = allocateMemory(1, 1, [{ name: 'a', kind: 'files', takes: 'packets', dropReasons: [] }]);
  sinkCountersOf(memory, 0, 0).addWritten(1);
  expect(readSinkCounters(memory, 0, 0).pending).toBe(-1);
});
