import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Tally } from '../../../../src/receive/tally.ts';
import { FIN, OrderBench, type OrderPacket, RST, SYN } from '../../../support/order-bench.ts';
import { scaled } from '../../../support/scale.ts';

const START = 0xffff_ff80;

/** Anything: near and far numbers, all flags, lengths that overlap, times that jump. */
const anyPacket: fc.Arbitrary<OrderPacket & { readonly stepUs: number }> = fc.record({
  seq: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 400 }).map((offset) => START + offset) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff_ffff }) },
  ),
  len: fc.oneof(fc.constant(0), fc.constant(10), fc.integer({ min: 0, max: 300 })),
  flags: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0x10) },
    { weight: 1, arbitrary: fc.constantFrom(SYN, FIN, RST, SYN | FIN, SYN | RST) },
  ),
  stream: fc.integer({ min: 0, max: 12 }),
  version: fc.constantFrom<4 | 6>(4, 4, 6),
  kept: fc.integer({ min: 10, max: 200 }),
  stepUs: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 1500 }) },
    { weight: 1, arbitrary: fc.integer({ min: -3_000_000, max: 3_000_000 }) },
  ),
});

const anyLimits = fc.record({
  holdUs: fc.constantFrom(0, 1, 1000, 5000),
  holdPackets: fc.constantFrom(1, 2, 8, 64),
  holdBytes: fc.constantFrom(128, 400, 1000, 4000, 100_000),
});

test('whatever comes leaves once, as it came, within every limit; the ledger adds up at every step', () => {
  fc.assert(
    fc.property(anyLimits, fc.array(anyPacket, { maxLength: 120 }), (limits, packets) => {
      const bench = new OrderBench({ ...limits, streams: 8 });
      let timeUs = 10_000_000;
      for (const [index, { stepUs, ...packet }] of packets.entries()) {
        timeUs += stepUs;
        bench.take({ ...packet, timeUs });
        const held = index + 1 - bench.left.length;
        const { ledger } = bench;
        expect([ledger[Tally.held], ledger[Tally.delivered]]).toEqual([held, bench.left.length]);
        expect(ledger[Tally.held + 1]! + ledger[Tally.delivered + 1]!).toBe(bench.payloadBytes);
        expect([bench.resequencer.heldPackets, bench.count('heldPackets')]).toEqual([held, held]);
        expect(bench.count('heldBytes')).toBeLessThanOrEqual(limits.holdBytes);
        if (limits.holdUs === 0) expect(held).toBe(0);
      }
      bench.flush();
      expect(bench.numbers.toSorted((a, b) => a - b)).toEqual([...packets.keys()]);
      expect(bench.left.every(({ number, frame }) => frame.equals(bench.taken[number]!))).toBe(true);
      expect(bench.left.every(({ number, origin }) => origin === bench.origins[number])).toBe(true);
      expect([bench.count('heldPackets'), bench.count('heldBytes'), bench.ledger[Tally.held]]).toEqual([
        0, 0, 0,
      ]);
      expect(bench.ledger[Tally.delivered + 1]).toBe(bench.payloadBytes);
    }),
    { numRuns: scaled(5000) },
  );
});

test('a stream whose packets are not moved further than may be held leaves as it was sent', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 150 });
  fc.assert(
    fc.property(lengths, fc.integer(), fc.boolean(), fc.nat(), (pieces, start, withSyn, seed) => {
      let seq = start;
      const sent: OrderPacket[] = withSyn ? [{ seq: seq++, flags: SYN }] : [];
      for (const len of pieces) {
        sent.push({ seq, len });
        seq += len;
      }
      const moved = sent
        .map((packet, index) => ({
          packet,
          index,
          place: index + (((seed ^ (index * 0x9e37_79b1)) >>> 9) % 50),
        }))
        .toSorted((a, b) => a.place - b.place || a.index - b.index);
      const bench = new OrderBench().take(...moved.map(({ packet }) => packet)).flush();
      expect(bench.numbers.map((number) => moved[number]!.index)).toEqual([...sent.keys()]);
      expect([bench.count('gaps'), bench.count('late'), bench.count('releasedEarly')]).toEqual([0, 0, 0]);
    }),
    { numRuns: scaled(2000) },
  );
});
