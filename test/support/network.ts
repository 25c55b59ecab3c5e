import type { Seeded } from './seeded.ts';

/** What a network does to packets. Of a thousand: `loss`, `duplicates`, `late` and `corruption`. */
export interface NetworkShape {
  readonly loss: number;
  readonly duplicates: number;
  /** Packets that others overtake, by at most `lateBy` of those that were sent after them. */
  readonly late: number;
  readonly lateBy: number;
  /** Packets that arrive with one byte changed. A tunnel seldom has a UDP checksum that would tell. */
  readonly corruption: number;
}

export interface Arrival<Sent> {
  readonly sent: Sent;
  /** The payload, a copy of its own. */
  readonly bytes: Buffer;
  /** Virtual time. */
  readonly timeUs: number;
  readonly corrupted: boolean;
}

export interface Carried<Sent> {
  /** What was let through, in order of arrival. */
  readonly arrivals: readonly Arrival<Sent>[];
  readonly lost: number;
  readonly doubled: number;
  readonly corrupted: number;
}

/** Between two packets that are sent; also the time for which one is overtaken by one more. */
const SPACING_US = 20;
const DELAY_US = 300;

/** Carries packets, sent at even distances, as the seed of `random` has it. Nobody waits: time is a number. */
export function carry<Sent extends { readonly bytes: Uint8Array }>(
  random: Seeded,
  shape: NetworkShape,
  packets: readonly Sent[],
): Carried<Sent> {
  const happens = (ofThousand: number): boolean => random.below(1000) < ofThousand;
  const arrivals: Arrival<Sent>[] = [];
  let lost = 0;
  let doubled = 0;
  for (const [index, sent] of packets.entries()) {
    if (happens(shape.loss)) {
      lost++;
      continue;
    }
    const copies = happens(shape.duplicates) ? 2 : 1;
    doubled += copies - 1;
    for (let copy = 0; copy < copies; copy++) {
      const lateUs = happens(shape.late) ? (1 + random.below(shape.lateBy)) * SPACING_US : 0;
      const timeUs = index * SPACING_US + DELAY_US + lateUs + random.below(SPACING_US);
      const bytes = Buffer.from(sent.bytes);
      const corrupted = happens(shape.corruption);
      if (corrupted) {
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 + random.below(255));
      }
      arrivals.push({ sent, bytes, timeUs, corrupted });
    }
  }
  arrivals.sort((a, b) => a.timeUs - b.timeUs);
  return { arrivals, lost, doubled, corrupted: arrivals.filter((one) => one.corrupted).length };
}
