import type { Recorded } from './recorded-tcp.ts';
import type { Seeded } from './seeded.ts';

/** What the way from the mirror to the appliance does to packets. Of a thousand: `loss`, `copies` and `late`. */
export interface Disorder {
  readonly loss: number;
  readonly copies: number;
  /** Packets that others overtake: at most `latePackets` of those that were sent after them, for at most `lateUs`. */
  readonly late: number;
  readonly latePackets: number;
  readonly lateUs: number;
}

/** A packet, or a copy of it, at the appliance. */
export interface Arrived {
  readonly sent: Recorded;
  readonly timeUs: number;
}

/** What arrives, in that order. A copy takes its own way. */
export function disordered(random: Seeded, shape: Disorder, packets: readonly Recorded[]): Arrived[] {
  const happens = (ofThousand: number): boolean => random.below(1000) < ofThousand;
  const arrivals: Arrived[] = [];
  for (const [index, sent] of packets.entries()) {
    const copies = happens(shape.copies) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (happens(shape.loss)) continue;
      const lateUs = happens(shape.late) ? random.below(shape.lateUs + 1) : 0;
      const last = packets[Math.min(packets.length - 1, index + shape.latePackets)] ?? sent;
      arrivals.push({ sent, timeUs: Math.min(sent.timeUs + lateUs, last.timeUs) });
    }
  }
  return arrivals.sort((one, other) => one.timeUs - other.timeUs || one.sent.index - other.sent.index);
}
