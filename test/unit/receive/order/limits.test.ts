import { describe, expect, test } from 'vitest';
import { Mark } from '../../../../src/packet/mark.ts';
import { AnalysisTally, DISPLACEMENT_BUCKETS } from '../../../../src/receive/analysis-tally.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../../src/receive/lane-counters.ts';
import type { StreamJoin } from '../../../../src/receive/order/stream-table.ts';
import { Tally } from '../../../../src/receive/tally.ts';
import { ACK, begun, data, FIN, OrderBench, type OrderPacket, syn } from '../../../support/order-bench.ts';

describe('time', () => {
  test('a packet waits as long as it may from its own arrival, and what came before it in the sequence goes first', () => {
    const bench = begun().take(data(120, 10, { timeUs: 1000 }), data(110, 5, { timeUs: 9000 }));
    expect(bench.release(20_999).numbers).toEqual([0]);
    expect(bench.release(21_000).numbers).toEqual([0, 2, 1]);
    expect(bench.count('gaps')).toBe(2);
  });

  test('what waits for a younger gap stays', () => {
    const bench = begun().take(data(110, 10, { timeUs: 1000 }), data(140, 10, { timeUs: 9000 }));
    expect(bench.release(21_000).numbers).toEqual([0, 1]);
    expect(bench.release(28_999).numbers).toEqual([0, 1]);
    expect(bench.release(29_000).numbers).toEqual([0, 1, 2]);
  });

  test('a packet of any kind tells the time', () => {
    const bench = begun().take(data(110), { protocol: 17, timeUs: 20_000 });
    expect(bench.numbers).toEqual([0, 1, 2]);
  });

  test('the time of packets runs backwards: nothing is held longer', () => {
    const bench = begun().take(data(110, 10, { timeUs: 50_000 }), data(130, 10, { timeUs: 45_000 }));
    expect(bench.release(69_999).numbers).toEqual([0]);
    expect(bench.release(70_000).numbers).toEqual([0, 1, 2]);
    expect(bench.left.map(({ timeUs }) => timeUs)).toEqual([0, 50_000, 45_000]);
  });

  test('a clock that was put far ahead and back again', () => {
    const bench = begun().take(data(110, 10, { timeUs: 1000 }));
    bench.take({ protocol: 17, timeUs: 1e15 });
    expect(bench.numbers).toEqual([0, 1, 2]);
    bench.take(data(130, 10, { timeUs: 2000 })).release(21_999);
    expect(bench.numbers).toEqual([0, 1, 2]);
    expect(bench.release(22_000).numbers).toEqual([0, 1, 2, 3]);
  });

  test('without time to hold nothing is held', () => {
    const bench = begun({ holdUs: 0 }).take(data(120), data(110), data(100));
    expect(bench.numbers).toEqual([0, 1, 2, 3]);
  });

  test('the end lets everything go, each stream in order', () => {
    const bench = begun().take(syn(499, { stream: 2 }), data(120), data(520, 10, { stream: 2 }), data(110));
    expect(bench.flush().numbers).toEqual([0, 1, 4, 2, 3]);
    expect([bench.count('gaps'), bench.count('releasedEarly'), bench.resequencer.heldPackets]).toEqual([
      2, 0, 0,
    ]);
  });
});

describe('limits', () => {
  test('of a stream: its first gap is given up, and no other', () => {
    const bench = begun({ holdPackets: 3 }).take(data(110), data(130), data(150), data(160));
    expect(bench.numbers).toEqual([0, 1]);
    expect([bench.count('gaps'), bench.count('releasedEarly'), bench.resequencer.heldPackets]).toEqual([
      1, 1, 3,
    ]);
    bench.take(data(120), data(140));
    expect(bench.numbers).toEqual([0, 1, 5, 2, 6, 3, 4]);
  });

  test('of the memory: the oldest leave, of whatever stream', () => {
    const bench = begun({ holdBytes: 300 }).take(
      syn(499, { stream: 2 }),
      data(110),
      data(520, 10, { stream: 2 }),
    );
    expect(bench.numbers).toEqual([0, 1]);
    bench.take(data(130));
    expect(bench.numbers).toEqual([0, 1, 2]);
    expect([bench.count('releasedEarly'), bench.count('heldPackets')]).toEqual([1, 2]);
  });

  test('of the memory: what leaves may be what a packet would have waited for', () => {
    const bench = begun({ holdBytes: 200 }).take(data(110), data(120));
    expect(bench.numbers).toEqual([0, 1, 2]);
    expect([bench.count('gaps'), bench.count('releasedEarly')]).toEqual([1, 1]);
  });

  test('a packet longer than the memory ends the waiting of its stream', () => {
    const bench = begun({ holdBytes: 200 }).take(
      data(110),
      data(130, 10, { kept: 300 }),
      data(150),
      data(140),
    );
    expect(bench.numbers).toEqual([0, 1, 2, 4, 3]);
    expect([bench.count('gaps'), bench.count('releasedEarly')]).toEqual([2, 2]);
  });

  test('the same as the first of its stream', () => {
    const bench = new OrderBench({ holdBytes: 200 }).take(
      data(130, 10, { kept: 300, flags: FIN }),
      data(141),
    );
    expect(bench.numbers).toEqual([0, 1]);
  });

  test('of the table: the stream that was silent longest goes, with what is held of it', () => {
    const bench = new OrderBench({ streams: 8 });
    for (let stream = 0; stream < 8; stream++) bench.take(syn(99, { stream, timeUs: stream * 1e6 }));
    bench.take(
      data(110, 10, { stream: 0, timeUs: 8e6 }),
      data(110, 10, { stream: 1 }),
      data(120, 10, { stream: 1 }),
    );
    bench.take(syn(99, { stream: 8, timeUs: 8.001e6 }));
    expect([bench.count('streamsEvicted'), bench.count('releasedEarly')]).toEqual([1, 0]);
    // 2 made room; of those that were heard of in the same second, one that holds nothing goes
    for (const stream of [3, 4, 5, 6, 7]) bench.take(data(100, 10, { stream }));
    bench.take(syn(99, { stream: 9 }));
    expect([bench.count('streamsEvicted'), bench.count('releasedEarly')]).toEqual([2, 0]);
    expect(bench.take(data(100, 10, { stream: 0 })).numbers.slice(-2)).toEqual([18, 8]);
    // now everybody holds something
    for (const stream of [0, 1, 3, 4, 5, 6, 7, 8, 9]) bench.take(data(200, 10, { stream }));
    expect([bench.count('streamsEvicted'), bench.count('releasedEarly')]).toEqual([4, 1]);
    bench.flush();
    expect(bench.numbers.toSorted((a, b) => a - b)).toEqual([...bench.taken.keys()]);
  });

  test('of the table: streams that are over, or were silent for a minute, are not missed', () => {
    const bench = new OrderBench({ streams: 8 });
    for (let stream = 0; stream < 8; stream++) bench.take(syn(99, { stream }));
    bench.take(data(100, 0, { stream: 3, flags: FIN | ACK, timeUs: 50e6 }), syn(99, { stream: 8 }));
    expect(bench.count('streamsEvicted')).toBe(0);
    bench.take(syn(99, { stream: 9, timeUs: 59e6 }));
    expect(bench.count('streamsEvicted')).toBe(1);
    bench.take(syn(99, { stream: 10, timeUs: 60e6 }));
    expect(bench.count('streamsEvicted')).toBe(1);
    expect(bench.numbers).toEqual([...bench.taken.keys()]);
  });
});

test('of the table: what is held of a stream that is over leaves before its row is given away', () => {
  const bench = new OrderBench({ streams: 8 });
  bench.take(syn(99), data(100, 0, { flags: FIN | ACK }), data(150));
  for (let stream = 2; stream < 10; stream++) bench.take(syn(99, { stream }));
  expect(bench.numbers).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9, 2, 10]);
  expect([bench.count('streamsEvicted'), bench.count('releasedEarly')]).toEqual([1, 1]);
});

describe('streams are kept apart', () => {
  const apart: readonly (readonly [string, OrderPacket])[] = [
    ['connection', { stream: 2 }],
    ['lane', { lane: 2 }],
    ['mirror source', { source: 2 }],
    ['tunnel inside', { nestedId: 0xffff_ffff }],
    ['IP version', { version: 6 }],
  ];
  test.each(apart)('by %s', (_, other) => {
    const bench = new OrderBench().take(syn(99), syn(0x5000_0000, other));
    bench.take(data(110), data(0x5000_0001, 10, other), data(0x5000_0015, 10, other), data(100));
    expect(bench.numbers).toEqual([0, 1, 3, 5, 2]);
    expect(bench.take(data(0x5000_000b, 10, other)).numbers).toEqual([0, 1, 3, 5, 2, 6, 4]);
  });

  test.each<readonly [StreamJoin, OrderPacket, boolean]>([
    ['none', { source: 2 }, false],
    ['none', { source: 2, version: 6 }, false],
    ['sources', { source: 2 }, true],
    ['sources', { source: 2, version: 6 }, true],
    ['sources', { source: 2, lane: 2 }, true],
    ['sources', { source: 2, lane: 2, vni: 2 }, false],
    ['vnis', { source: 2, lane: 2, vni: 2 }, true],
    ['vnis', { source: 2, lane: 2, vni: 2, version: 6 }, true],
    ['vnis', { source: 2, stream: 2 }, false],
    ['vnis', { source: 2, nestedId: 7 }, false],
  ])('or one, with join %s: %o: %s', (join, other, isOne) => {
    const { version = 4 } = other;
    const bench = new OrderBench({ join });
    bench.take(syn(99, { version }), data(110, 10, { version }), data(100, 10, other));
    expect(bench.numbers).toEqual(isOne ? [0, 2, 1] : [0]);
    expect(bench.flush().count('gaps')).toBe(isOne ? 0 : 1);
  });

  test('by any word of IPv6 addresses', () => {
    const bench = new OrderBench();
    for (let stream = 0; stream < 20; stream++) bench.take(syn(stream * 1000, { stream, version: 6 }));
    for (let stream = 0; stream < 20; stream++)
      bench.take(data(stream * 1000 + 1, 10, { stream, version: 6 }));
    expect(bench.numbers).toEqual([...bench.taken.keys()]);
  });
});

describe('what has no place leaves at once', () => {
  test.each<readonly [string, OrderPacket]>([
    ['UDP', { protocol: 17 }],
    ['ports unknown', { ports: 2 }],
    ['a fragment', { fragment: 1 }],
    ['cut before its flags', { kept: 13 }],
    ['a header that is too short', { headerWords: 4 }],
    ['a header that is longer than the packet', { headerWords: 15, len: -44 }],
  ])('%s', (_, packet) => {
    const bench = begun().take(data(110), data(120, 10, packet));
    expect(bench.numbers).toEqual([0, 2]);
  });

  test('cut behind its flags it has one', () => {
    const bench = begun().take(data(110, 10, { kept: 14 }), data(100, 10, { kept: 14 }));
    expect(bench.numbers).toEqual([0, 2, 1]);
  });
});

test('a held packet leaves with all that it came with', () => {
  const bench = begun().take(
    data(110, 700, { timeUs: 1234, marks: Mark.duplicate, verdict: 5, lane: 1 }),
    data(100, 10, { timeUs: 5678 }),
  );
  const { frame, ...rest } = bench.left[2]!;
  expect(rest).toMatchObject({ number: 1, timeUs: 1234, marks: Mark.duplicate, verdict: 5, lane: 1 });
  expect(frame).toEqual(bench.taken[1]);
  expect(rest.wireLen).toBeGreaterThan(700);
});

test('displacement: before how many packets of its stream one was put', () => {
  const bench = begun({ holdPackets: 200 });
  let seq = 100;
  for (const behind of [1, 2, 3, 4, 5, 8, 9, 64, 65, 150]) {
    for (let i = 1; i <= behind; i++) bench.take(data(seq + 10 * i));
    bench.take(data(seq));
    seq += 10 * (behind + 1);
  }
  const buckets = bench.tally.slice(
    AnalysisTally.displacement,
    AnalysisTally.displacement + DISPLACEMENT_BUCKETS,
  );
  expect([...buckets]).toEqual([1, 1, 2, 2, 1, 0, 1, 2]);
  expect(bench.count('reordered')).toBe(10);
  expect(bench.laneCounters[LANE_COUNTERS_LENGTH + LaneCounter.reordered]).toBe(10);
});

test('a worker that takes the place of another holds nothing yet', () => {
  const bench = new OrderBench();
  bench.tally[AnalysisTally.heldPackets] = 7;
  expect(new OrderBench().resequencer.heldPackets).toBe(0);
});

test('without a ledger a packet that is held is delivered all the same', () => {
  const bench = begun({ withLedger: false }).take(data(110));
  expect([bench.resequencer.heldPackets, bench.ledger[Tally.held], bench.ledger[Tally.delivered]]).toEqual([
    1, 0, 2,
  ]);
});
