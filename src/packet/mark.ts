/** What is known of a packet besides its bytes: bits of the `marks` column of a batch. */
export const Mark = {
  none: 0,
  /** Another mirror source, or a session of another VNI, has delivered the same packet before. */
  duplicate: 1,
  /** It left the resequencer after a later packet of its flow: its place was past when it came. */
  late: 2,
  /** Its checksum is not as it arrived: it was completed for this sink. */
  repaired: 4,
  /** The mirrored interface received it. */
  ingress: 8,
  /** The mirrored interface sent it. */
  egress: 16,
} as const;
export type Mark = (typeof Mark)[keyof typeof Mark];
