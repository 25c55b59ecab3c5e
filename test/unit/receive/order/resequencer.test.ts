import { describe, expect, test } from 'vitest';
import { Mark } from '../../../../src/packet/mark.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../../src/receive/lane-counters.ts';
import {
  ACK,
  begun,
  data,
  empty,
  FIN,
  OrderBench,
  type OrderPacket,
  RST,
  syn,
} from '../../../support/order-bench.ts';

const lateNumbers = (bench: OrderBench): number[] =>
  bench.left.filter(({ marks }) => (marks & Mark.late) !== 0).map(({ number }) => number);

interface Case {
  readonly name: string;
  /** After a SYN of number 0; 100 is expected next. */
  readonly packets: readonly OrderPacket[];
  /** What has left after them, and what in all once their time is over. */
  readonly left: readonly number[];
  readonly all: readonly number[];
  readonly late?: readonly number[];
  readonly reordered?: number;
  readonly gaps?: number;
}

const cases: readonly Case[] = [
  { name: 'in order', packets: [data(100), data(110), data(120)], left: [0, 1, 2, 3], all: [0, 1, 2, 3] },
  {
    name: 'two change places',
    packets: [data(110), data(100), data(120)],
    left: [0, 2, 1, 3],
    all: [0, 2, 1, 3],
    reordered: 1,
  },
  {
    name: 'the first comes last',
    packets: [data(110), data(120), data(130), data(100)],
    left: [0, 4, 1, 2, 3],
    all: [0, 4, 1, 2, 3],
    reordered: 1,
  },
  {
    name: 'all the other way round',
    packets: [data(130), data(120), data(110), data(100)],
    left: [0, 4, 3, 2, 1],
    all: [0, 4, 3, 2, 1],
    reordered: 3,
  },
  {
    name: 'a gap that nobody fills',
    packets: [data(110), data(120)],
    left: [0],
    all: [0, 1, 2],
    gaps: 1,
  },
  {
    name: 'two gaps, of which the second is filled',
    packets: [data(110), data(130), data(120)],
    left: [0],
    all: [0, 1, 3, 2],
    reordered: 1,
    gaps: 1,
  },
  {
    name: 'sent again after it was seen',
    packets: [data(100), data(110), data(100), data(100, 20)],
    left: [0, 1, 2, 3, 4],
    all: [0, 1, 2, 3, 4],
  },
  {
    name: 'sent again while something is missing',
    packets: [data(100), data(120), data(100), data(110)],
    left: [0, 1, 3, 4, 2],
    all: [0, 1, 3, 4, 2],
    reordered: 1,
  },
  {
    name: 'a copy of what is held',
    packets: [data(110), data(110), data(100)],
    left: [0, 3, 1, 2],
    all: [0, 3, 1, 2],
    reordered: 1,
  },
  {
    name: 'sent again in other pieces: old bytes and new ones',
    packets: [data(100), data(120), data(105, 15)],
    left: [0, 1, 3, 2],
    all: [0, 1, 3, 2],
  },
  {
    name: 'held pieces that overlap',
    packets: [data(105, 15), data(110, 5), data(118, 12), data(100, 6), data(130)],
    left: [0, 4, 1, 2, 3, 5],
    all: [0, 4, 1, 2, 3, 5],
    reordered: 1,
  },
  {
    name: 'keep-alives of no byte and of one',
    packets: [data(100), empty(109), data(109, 1), data(110)],
    left: [0, 1, 2, 3, 4],
    all: [0, 1, 2, 3, 4],
  },
  {
    name: 'a probe of a closed window, then its byte again with those behind it',
    packets: [data(100), data(110, 1), data(110, 10), data(120)],
    left: [0, 1, 2, 3, 4],
    all: [0, 1, 2, 3, 4],
  },
  {
    name: 'acknowledgements without data take their place',
    packets: [empty(110), data(110), data(100), empty(120)],
    left: [0, 3, 1, 2, 4],
    all: [0, 3, 1, 2, 4],
    reordered: 1,
  },
  {
    name: 'an acknowledgement that data of the same number overtook',
    packets: [data(110), empty(110), data(100)],
    left: [0, 3, 2, 1],
    all: [0, 3, 2, 1],
    reordered: 2,
  },
  {
    name: 'a FIN counts one',
    packets: [empty(111, { flags: ACK }), data(100, 10, { flags: FIN | ACK })],
    left: [0, 2, 1],
    all: [0, 2, 1],
    reordered: 1,
  },
  {
    name: 'a FIN before its data',
    packets: [data(110, 0, { flags: FIN | ACK }), data(100), empty(111)],
    left: [0, 2, 1, 3],
    all: [0, 2, 1, 3],
    reordered: 1,
  },
  {
    name: 'a reset before the data it follows',
    packets: [empty(110, { flags: RST | ACK }), data(100)],
    left: [0, 2, 1],
    all: [0, 2, 1],
    reordered: 1,
  },
  {
    name: 'a reset out of nowhere',
    packets: [data(110), empty(0x4000_0000, { flags: RST }), data(100)],
    left: [0, 2, 3, 1],
    all: [0, 2, 3, 1],
    reordered: 1,
  },
  {
    name: 'a SYN sent again, with data held',
    packets: [data(110), syn(99), data(100)],
    left: [0, 2, 3, 1],
    all: [0, 2, 3, 1],
    reordered: 1,
  },
  {
    name: 'another connection of the same ports',
    packets: [data(100), data(120), syn(0x7000_0000), data(0x7000_000b), data(0x7000_0001)],
    left: [0, 1, 2, 3, 5, 4],
    all: [0, 1, 2, 3, 5, 4],
    reordered: 1,
    gaps: 1,
  },
  {
    name: 'another connection, its data before its SYN, numbers not far from the old ones',
    packets: [data(100, 10, { flags: FIN }), data(50_001), data(50_011), syn(50_000), data(50_021)],
    left: [0, 1, 4, 2, 3, 5],
    all: [0, 1, 4, 2, 3, 5],
    reordered: 1,
  },
  {
    name: 'another connection, its data before its SYN, far from the old numbers',
    packets: [data(100, 10, { flags: FIN }), data(0x7000_0001), syn(0x7000_0000)],
    left: [0, 1, 3, 2],
    all: [0, 1, 3, 2],
    reordered: 1,
  },
  {
    name: 'far ahead, as after a silence: neither held nor a gap',
    packets: [data(120), data(0x3000_0000), data(0x3000_000a), data(0x3000_001e), data(0x3000_0014)],
    left: [0, 1, 2, 3, 5, 4],
    all: [0, 1, 2, 3, 5, 4],
    reordered: 1,
    gaps: 1,
  },
  {
    name: 'far behind, too',
    packets: [data(0xb000_0000), data(0xb000_000a), data(0xb000_001e), data(0xb000_0014)],
    left: [0, 1, 2, 4, 3],
    all: [0, 1, 2, 4, 3],
    reordered: 1,
  },
];

describe('one stream', () => {
  test.each(cases)('$name', ({ packets, left, all, late = [], reordered = 0, gaps = 0 }) => {
    // where the numbers of the stream begin must not matter: nor where they run over
    for (const offset of [0, 0xffff_ff00 - 99, 0xffff_ffff - 109, 0x7fff_ffff - 104]) {
      for (const version of [4, 6] as const) {
        const moved = [syn(99), ...packets].map((one) => ({ ...one, seq: one.seq! + offset, version }));
        const bench = new OrderBench().take(...moved);
        expect(bench.numbers).toEqual(left);
        expect(bench.count('heldPackets')).toBe(packets.length + 1 - left.length);
        bench.release(20_000);
        expect(bench.numbers).toEqual(all);
        expect(lateNumbers(bench)).toEqual(late);
        expect([bench.count('reordered'), bench.count('gaps'), bench.count('late')]).toEqual([
          reordered,
          gaps,
          late.length,
        ]);
        expect(bench.count('releasedEarly')).toBe(0);
      }
    }
  });
});

describe('late', () => {
  const waited = (): OrderBench => begun().take(data(110), data(130)).release(20_000);

  test('what comes for a place that was given up is late, once; what is sent again is not', () => {
    const bench = waited().take(data(100), data(100), data(110), empty(125), data(120));
    expect(bench.numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(lateNumbers(bench)).toEqual([3, 7]);
    expect(bench.count('late')).toBe(2);
    expect(bench.laneCounters[LANE_COUNTERS_LENGTH + LaneCounter.late]).toBe(2);
    expect(bench.laneCounters[LANE_COUNTERS_LENGTH + LaneCounter.gaps]).toBe(2);
  });

  test('in pieces: each piece is late once', () => {
    const bench = waited().take(data(104, 2), data(104, 2), data(100, 4), data(106, 4), data(100, 10));
    expect(lateNumbers(bench)).toEqual([3, 5, 6]);
  });

  test('bytes that were missing and new ones', () => {
    const bench = waited().take(data(120, 30), data(150));
    expect(bench.numbers).toEqual([0, 1, 2, 3, 4]);
    expect(lateNumbers(bench)).toEqual([3]);
  });

  test('after ten seconds nothing is late', () => {
    const bench = waited().take(data(100, 10, { timeUs: 12e6 }));
    expect(lateNumbers(bench)).toEqual([]);
  });

  test('another connection has nothing to do with places of the one before', () => {
    for (const start of [300, 0x7000_0000]) {
      expect(lateNumbers(waited().take(syn(start), data(100)))).toEqual([]);
    }
  });

  test('marks that a packet had stay', () => {
    const bench = waited().take(
      data(100, 10, { marks: Mark.ingress }),
      data(140, 10, { marks: Mark.egress }),
    );
    expect(bench.left.slice(-2).map(({ marks }) => marks)).toEqual([Mark.ingress | Mark.late, Mark.egress]);
  });
});

describe('the beginning of a stream', () => {
  test('a SYN behind its data leaves first', () => {
    const bench = new OrderBench().take(empty(100), data(100), data(110), syn(99), data(120));
    expect(bench.numbers).toEqual([3, 0, 1, 2, 4]);
    expect([bench.count('reordered'), bench.count('gaps')]).toEqual([1, 0]);
  });

  test('a SYN with data', () => {
    expect(new OrderBench().take(syn(99, { len: 5 }), data(115), data(105)).numbers).toEqual([0, 2, 1]);
  });

  test('without a SYN the first packets wait once, and are put in order', () => {
    const bench = new OrderBench().take(data(120), data(110), data(140), data(100), data(130));
    expect(bench.numbers).toEqual([]);
    expect(bench.release(20_000).numbers).toEqual([3, 1, 0, 4, 2]);
    bench.take(data(150), data(170), data(160));
    expect(bench.numbers).toEqual([3, 1, 0, 4, 2, 5, 7, 6]);
    expect([bench.count('gaps'), bench.count('late')]).toEqual([0, 0]);
  });

  test('a SYN after its data has left is late, once', () => {
    const bench = new OrderBench().take(data(100)).release(20_000).take(syn(99), syn(99), data(110));
    expect(bench.numbers).toEqual([0, 1, 2, 3]);
    expect(lateNumbers(bench)).toEqual([1]);
  });

  test('numbers that do not belong together are not put together', () => {
    const bench = new OrderBench().take(data(100), data(90), data(0x7000_0000));
    expect(bench.numbers).toEqual([1, 0]);
    expect(bench.release(20_000).numbers).toEqual([1, 0, 2]);
  });

  test('a packet of an older connection leaves before the SYN', () => {
    const bench = new OrderBench().take(data(0x7000_0001 - 300, 10), data(0x7000_0001), syn(0x7000_0000));
    expect(bench.numbers).toEqual([0, 2, 1]);
  });

  test('a reset of a stream that nobody knows leaves at once, and is not remembered', () => {
    const bench = new OrderBench().take(empty(100, { flags: RST }), data(50));
    expect(bench.numbers).toEqual([0]);
  });
});
