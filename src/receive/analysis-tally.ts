/**
 * What one worker counts of fragments, nesting, duplicates, order and flows, a row of 64-bit floats in shared memory:
 * the worker alone writes it.
 */
export const AnalysisTally = {
  // fragment-table.ts
  /** Inner fragments of any kind. */
  fragments: 0,
  /** Later fragments that were given the ports of their first. */
  fragmentsMatched: 1,
  /** Later fragments whose first was not seen, or not before them. */
  fragmentsUnmatched: 2,
  /** Fragments that repeat bytes of another with the same identification (teardrop). */
  fragmentsOverlapping: 3,
  /** First fragments too short for the ports or flags of their transport header, and others below 8 bytes (RFC 1858). */
  fragmentsTiny: 4,
  /** Fragmented packets that were forgotten before their time because the table was full. */
  fragmentsEvicted: 5,

  // innermost.ts
  /** Packets with a tunnel inside that was followed. */
  nested: 6,
  /** Packets with more tunnels inside than are followed. */
  nestedTooDeep: 7,
  /** Frames of no flow: not IP, or cut before the addresses. */
  withoutFlow: 8,

  // duplicates.ts
  duplicates: 9,
  /** Packets that were forgotten within the window because the memory was full. */
  duplicatesForgotten: 10,

  // order/
  /** Packets that left at another place than they came. */
  reordered: 11,
  /** Packets that came after their place was past. */
  late: 12,
  /** Places in a sequence that were given up: never came, or too late. */
  gaps: 13,
  /** Packets that left before their time because the arena, the flow's share or the table of flows was full. */
  releasedEarly: 14,
  /** Packets that are held now, and their frame bytes. */
  heldPackets: 15,
  heldBytes: 16,
  /** TCP streams that were forgotten because the table was full. */
  streamsEvicted: 17,
  /** The first of DISPLACEMENT_BUCKETS: reordered packets by how many packets of their stream had come before them too early. */
  displacement: 18,

  // flows/
  flowsOpened: 26,
  /** Open now. */
  flowsActive: 27,
  flowRecords: 28,
  /** The first of the ends, `flowsEnded + FlowEndReason.x`. */
  flowsEnded: 29,
  /** Names that were seen and found no place. */
  namesDropped: 36,
  /** Bytes of the name memory that are in use. */
  nameBytes: 37,
  /** Gaps of TCP streams that found no place, and are not counted as unseen. */
  gapsForgotten: 38,
} as const;

/** Upper limits of the displacement's buckets, packets; the last has none. */
export const DISPLACEMENT_LIMITS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, Infinity];
export const DISPLACEMENT_BUCKETS: number = DISPLACEMENT_LIMITS.length;

/** Floats in a row. */
export const ANALYSIS_TALLY_LENGTH = 40;
