import { array, assert, boolean, constantFrom, integer, nat, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { Flag } from '../../../../src/wire/tcp.ts';
import { type Segment, TcpBench } from '../../../support/tcp-bench.ts';

/**
 * The tracker takes ordinary segments a shorter way, which must come to the same. A segment whose header is cut right before
 * its window always goes the long way, and else differs in nothing as long as no window is zero.
 */
const CUT_BEFORE_WINDOW = 14;

const LEN = 100;
/** Bytes to a multiple of `LEN`: segments that repeat each other to the byte, and nearly. */
const shift = oneof(
  { weight: 8, arbitrary: constantFrom(0) },
  { weight: 1, arbitrary: constantFrom(-1, 1, 50) },
);
const ordinary = record({
  from: constantFrom(0 as const, 1 as const),
  /** Where its data begins, and what it acknowledges, counted from what comes next. */
  back: constantFrom(0, 0, 0, 0, 1, 1, 2, 3, -1, -2),
  ackBack: constantFrom(0, 0, 0, 1, 2, -1),
  shift,
  ackShift: shift,
  len: constantFrom(0, 0, 1, LEN, LEN, LEN, LEN, 2 * LEN),
  flags: constantFrom(Flag.ack, Flag.ack, Flag.ack, Flag.ack | Flag.psh),
});
const extraordinary = record({
  from: constantFrom(0 as const, 1 as const),
  flags: constantFrom(
    Flag.syn,
    Flag.syn | Flag.ack,
    Flag.fin | Flag.ack,
    Flag.rst,
    Flag.rst | Flag.ack,
    0,
    Flag.psh,
  ),
  /** From what comes next. */
  far: constantFrom(0, 0, 0, 1, -1, 0x100_0001, 0x4000_0001, -0x4000_0001, 0x7fff_ffff),
  len: constantFrom(0, 0, LEN),
  fragment: boolean(),
});
const steps = array(oneof({ weight: 12, arbitrary: ordinary }, { weight: 1, arbitrary: extraordinary }), {
  minLength: 5,
  maxLength: 60,
});
/** Anywhere, and so that numbers turn over among the segments. */
const offsets = oneof(nat(0xffff_ffff), integer({ min: -2000, max: 0 }));

/** Segments of both sides, of which each remembers what it would send next. */
const streams = steps.map((list) => {
  const next: [number, number] = [1000, 1000];
  return list.map((step): Segment => {
    const { from, len, flags } = step;
    const other = from === 0 ? 1 : 0;
    if ('far' in step) {
      const { far, fragment } = step;
      return { from, flags, sequence: next[from] + far, ack: next[other] + far, len, fragment };
    }
    const sequence = next[from] - step.back * LEN + step.shift;
    const ack = next[other] - step.ackBack * LEN + step.ackShift;
    next[from] = Math.max(next[from], sequence + len);
    return { from, flags, sequence, ack, len };
  });
});

test('what is taken the short way is counted as the long way counts it', () => {
  let repeated = 0;
  assert(
    property(streams, offsets, offsets, constantFrom(0, 1, 100), (segments, first, second, holes) => {
      const short = new TcpBench(holes + 1, [first, second]);
      const long = new TcpBench(holes + 1, [first, second]);
      let us = 0;
      for (const segment of segments) {
        us += 500;
        const events = short.see({ ...segment, us });
        expect(long.see({ ...segment, us, kept: CUT_BEFORE_WINDOW })).toBe(events);
        expect(short.words).toEqual(long.words);
      }
      expect(short.laneCounters).toEqual(long.laneCounters);
      expect(short.tally).toEqual(long.tally);
      const told = short.record();
      expect(told).toEqual(long.record());
      repeated += told.source.retransmissions;
    }),
    { numRuns: 3000 },
  );
  expect(repeated).toBeGreaterThan(1000);
});
