import { array, assert, boolean, constantFrom, integer, nat, oneof, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnalysisTally } from '../../../../src/receive/analysis-tally.ts';
import { TcpEvent } from '../../../../src/receive/flows/tcp-tracker.ts';
import { Flag } from '../../../../src/wire/tcp.ts';
import { Seeded } from '../../../support/seeded.ts';
import { TcpBench } from '../../../support/tcp-bench.ts';

/**
 * The tracker against a model that remembers every byte: which were seen, and up to where they were acknowledged. The
 * packets need not make sense; the bytes are what they are all the same.
 */

/** With segments of at least four bytes there are never more gaps in it than one side may have. */
const RANGE = 120;
/** Where sequence numbers begin: anywhere, and so that they turn over among the segments. */
const offsets = oneof(integer({ min: 0, max: 0xffff_ffff }), integer({ min: -RANGE - 1000, max: -1000 }));

const segment = record({
  kind: constantFrom('data' as const),
  at: integer({ min: 0, max: RANGE - 4 }),
  len: integer({ min: 4, max: 40 }),
});
const ack = record({
  kind: constantFrom('ack' as const),
  at: integer({ min: 0, max: RANGE + 1 }),
  len: constantFrom(0),
});
/** The sender's own ACK or FIN without data: it tells that everything before was sent. */
const told = record({
  kind: constantFrom('told' as const, 'fin' as const),
  at: integer({ min: 0, max: RANGE }),
  len: constantFrom(0),
});
const anyStep = oneof(
  { weight: 4, arbitrary: segment },
  { weight: 3, arbitrary: ack },
  { weight: 1, arbitrary: told },
);
const steps = array(anyStep, { maxLength: 40 });

/** What is counted by the letter: bytes between the first and the last that were seen. */
class Bytes {
  readonly seen = new Set<number>();
  acked = 0;

  get counted(): { acked: number; unseen: number } {
    if (this.seen.size === 0) return { acked: 0, unseen: 0 };
    const end = Math.min(this.acked, Math.max(...this.seen) + 1);
    let [acked, unseen] = [0, 0];
    for (let byte = Math.min(...this.seen); byte < end; byte++) {
      acked++;
      if (!this.seen.has(byte)) unseen++;
    }
    return { acked, unseen };
  }
}

function play(bench: TcpBench, bytes: Bytes, step: { kind: string; at: number; len: number }): void {
  const at = 1000 + step.at;
  if (step.kind === 'ack') {
    bytes.acked = Math.max(bytes.acked, at);
    bench.see({ from: 1, sequence: 5000, ack: at });
    return;
  }
  for (let byte = at; byte < at + step.len; byte++) bytes.seen.add(byte);
  const flags = step.kind === 'fin' ? Flag.fin | Flag.ack : Flag.ack;
  bench.see({ from: 0, sequence: at, ack: 5000, len: step.len, flags });
}

describe('bytes that were acknowledged and never seen', () => {
  test('are those of the model, after every packet', () => {
    assert(
      property(steps, offsets, boolean(), (list, offset, hasSyn) => {
        const bench = new TcpBench(100, [offset, 7]);
        const bytes = new Bytes();
        if (hasSyn) bench.see({ from: 0, sequence: 999, flags: Flag.syn });
        for (const step of list) {
          play(bench, bytes, step);
          const { acked, unseen } = bytes.counted;
          expect([bench.laneCount('ackedBytes'), bench.laneCount('unseenBytes')]).toEqual([acked, unseen]);
        }
        const { source } = bench.record();
        expect([source.ackedBytes, source.unseenBytes]).toEqual([bytes.counted.acked, bytes.counted.unseen]);
        expect(bench.isAloneInItsWords()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('records of one flow never say less than the model, and in sum what the lane says', () => {
    const withRecords = array(
      oneof({ weight: 8, arbitrary: anyStep }, { weight: 1, arbitrary: constantFrom('record' as const) }),
      { maxLength: 60 },
    );
    assert(
      property(withRecords, offsets, (list, offset) => {
        const bench = new TcpBench(100, [offset, 7]);
        const bytes = new Bytes();
        const sum = { acked: 0, unseen: 0 };
        const add = (): void => {
          const { source } = bench.record();
          sum.acked += source.ackedBytes;
          sum.unseen += source.unseenBytes;
        };
        for (const one of list) {
          if (one === 'record') add();
          else play(bench, bytes, one);
        }
        add();
        expect(sum).toEqual({ acked: bench.laneCount('ackedBytes'), unseen: bench.laneCount('unseenBytes') });
        // what comes after the record that has counted it is not taken back
        expect(sum.unseen).toBeGreaterThanOrEqual(bytes.counted.unseen);
        expect(sum.unseen).toBeLessThanOrEqual(sum.acked);
      }),
      { numRuns: 2000 },
    );
  });

  test('with little memory for gaps is never below zero, and right while none is forgotten', () => {
    assert(
      property(steps, offsets, integer({ min: 1, max: 3 }), (list, offset, holes) => {
        const bench = new TcpBench(holes, [offset, 7]);
        const bytes = new Bytes();
        for (const one of list) {
          play(bench, bytes, one);
          expect(bench.laneCount('unseenBytes')).toBeGreaterThanOrEqual(0);
        }
        if (bench.tally[AnalysisTally.gapsForgotten] === 0) {
          expect(bench.laneCount('unseenBytes')).toBe(bytes.counted.unseen);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('hostile segments', () => {
  const hostile = record({
    from: constantFrom(0 as const, 1 as const),
    flags: integer({ min: 0, max: 255 }),
    sequence: oneof(nat(0xffff_ffff), nat(5000)),
    ack: oneof(nat(0xffff_ffff), nat(5000)),
    len: nat(2000),
    window: nat(1),
    kept: nat(24),
    headerWords: nat(15),
    fragment: boolean(),
    us: nat(5_000_000),
  });

  test('count nothing below zero, and leave no gap behind', () => {
    const holes = 8;
    assert(
      property(array(hostile, { maxLength: 120 }), (list) => {
        const bench = new TcpBench(holes);
        for (const one of list) {
          if ((bench.see(one) & TcpEvent.reopened) === 0) continue;
          bench.end();
          bench.begin();
          expect(bench.see(one) & TcpEvent.reopened).toBe(0);
        }
        const { source, destination } = bench.record();
        for (const side of [source, destination]) {
          const numbers = Object.values(side).filter((value) => typeof value === 'number');
          expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
        }
        bench.end();
        expect(bench.isAloneInItsWords()).toBe(true);

        const forgotten = bench.tally[AnalysisTally.gapsForgotten];
        bench.begin();
        for (let i = 0; i <= holes; i++) bench.see({ from: 0, sequence: 1000 * i, len: 10 });
        expect(bench.tally[AnalysisTally.gapsForgotten]).toBe(forgotten);
        bench.see({ from: 0, sequence: 1000 * (holes + 1), len: 10 });
        expect(bench.tally[AnalysisTally.gapsForgotten]).toBe(forgotten! + 1);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what came out of order and what was sent again', () => {
  /** Sent at even distances; some are overtaken on the way here, some never come here, some are sent again much later. */
  function simulate(random: Seeded): { us: number; at: number; isAgain: boolean }[] {
    const captured: { us: number; at: number; isAgain: boolean }[] = [];
    for (let i = 0; i < 300; i++) {
      const us = 10_000 + i * 100;
      const lateUs = random.below(10) === 0 ? random.below(2500) : 0;
      if (random.below(20) !== 0) captured.push({ us: us + lateUs, at: i, isAgain: false });
      if (random.below(15) === 0) captured.push({ us: us + 20_000, at: i, isAgain: true });
    }
    return captured.sort((a, b) => a.us - b.us);
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i: every segment is counted as what it was', (seed) => {
    const LEN = 100;
    const bench = new TcpBench(100, [0xffff_ffff - seed * 3000, 7]);
    const expected = { retransmissions: 0, outOfOrder: 0 };
    let highest = -1;
    for (const { us, at, isAgain } of simulate(new Seeded(seed))) {
      // one that nothing later has overtaken looks like a first one
      if (at <= highest) expected[isAgain ? 'retransmissions' : 'outOfOrder']++;
      highest = Math.max(highest, at);
      bench.see({ from: 0, sequence: at * LEN, len: LEN, us });
      // all that was sent has arrived at the other side: what did not come here was lost on the way here
      if (at % 10 === 0) bench.see({ from: 1, sequence: 0, ack: highest * LEN, us });
    }
    const { retransmissions, outOfOrder } = bench.record().source;
    expect({ retransmissions, outOfOrder }).toEqual(expected);
    expect(expected.retransmissions * expected.outOfOrder).toBeGreaterThan(0);
  });
});
