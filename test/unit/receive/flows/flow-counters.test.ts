import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  capturedBytes,
  clearCounters,
  countPacket,
  packets,
  wireBytes,
} from '../../../../src/receive/flows/flow-counters.ts';
import { ROW_WORDS, TCP } from '../../../../src/receive/flows/flow-layout.ts';
import { scaled } from '../../../support/scale.ts';

test('bytes add up past 32 bits, each counter for itself', () => {
  const length = fc.oneof(fc.nat(1500), fc.integer({ min: 0x7fff_0000, max: 0x7fff_ffff }));
  const packet = fc.record({ direction: fc.nat(1), wire: length, captured: length });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 60, size: 'max' }), (list) => {
      const words = new Int32Array(ROW_WORDS);
      words[TCP] = 77;
      const sums = [
        { packets: 0, wire: 0, captured: 0 },
        { packets: 0, wire: 0, captured: 0 },
      ];
      for (const { direction, wire, captured } of list) {
        countPacket(words, direction, wire, captured);
        const sum = sums[direction]!;
        sum.packets += 1;
        sum.wire += wire;
        sum.captured += captured;
      }
      for (const [direction, sum] of sums.entries()) {
        expect(packets(words, direction)).toBe(sum.packets);
        expect(wireBytes(words, direction)).toBe(sum.wire);
        expect(capturedBytes(words, direction)).toBe(sum.captured);
      }
      clearCounters(words, 0);
      expect([...words].filter((word) => word !== 0)).toEqual([77]);
    }),
    { numRuns: scaled(1000) },
  );
});
