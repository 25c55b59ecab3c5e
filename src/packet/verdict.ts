/**
 * What is known of a checksum. The order of judgement for transport checksums is that of the numbers
 * from `unverifiable` on: a cut packet is `unverifiable` before anything else is asked.
 */
export const Verdict = {
  /** Nothing to judge: no such header, or verification is off for this packet. */
  none: 0,
  /** Cut, or a fragment: not all the bytes that the checksum covers are here. */
  unverifiable: 1,
  /** UDP field 0: the sender did not compute one. */
  zero: 2,
  valid: 3,
  /** Only the pseudo-header sum is there: the sender's network card was to finish it (offload). */
  partial: 4,
  bad: 5,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Names by number, as reports and records show them. */
export const verdictNames: readonly string[] = Object.keys(Verdict);
