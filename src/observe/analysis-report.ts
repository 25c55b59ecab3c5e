/** What the report says of flows, fragments, nesting, duplicates and order. */
export interface AnalysisReport {
  readonly flows: FlowCounts;
  readonly fragments: FragmentCounts;
  readonly nested: NestedCounts;
  readonly duplicates: DuplicateCounts;
  readonly order: OrderCounts;
}

export interface FlowCounts {
  readonly opened: number;
  /** Open now. */
  readonly active: number;
  /** Flow records that were made: at the end of a flow, and every so often while it goes on. */
  readonly records: number;
  /** Flows that ended, by name of `FlowEndReason`, also those that never occurred. */
  readonly ended: Readonly<Record<string, number>>;
  /** Packets of no flow: not IP, or cut before the addresses. */
  readonly withoutFlow: number;
  /** Bytes of the name memory that are in use. */
  readonly nameBytes: number;
  /** Names that were seen and found no place. */
  readonly namesDropped: number;
  /** Gaps of TCP streams that found no place, and are not counted as unseen. */
  readonly gapsForgotten: number;
}

/** Inner fragments. One may be matched, tiny and overlapping at once. */
export interface FragmentCounts {
  readonly packets: number;
  /** Later fragments that were given the ports of their first. */
  readonly matched: number;
  /** Later fragments whose first was not seen, or not before them. */
  readonly unmatched: number;
  /** Fragments that repeat bytes of another. */
  readonly overlapping: number;
  /** First fragments too short for the ports or flags of their transport header. */
  readonly tiny: number;
  /** Fragmented packets that were forgotten before their time because the table was full. */
  readonly forgotten: number;
}

export interface NestedCounts {
  /** Packets with a tunnel inside that was followed. */
  readonly packets: number;
  /** Packets with more tunnels inside than are followed. */
  readonly tooDeep: number;
}

export interface DuplicateCounts {
  readonly found: number;
  /** Packets that were forgotten within the window because the memory was full. */
  readonly forgotten: number;
}

export interface OrderCounts {
  /** Packets that left at another place than they came. */
  readonly reordered: number;
  /** Packets that came after their place was past. */
  readonly late: number;
  /** Places in a sequence that were given up. */
  readonly gaps: number;
  /** Packets that left before their time because something was full. */
  readonly releasedEarly: number;
  /** Held now, and their frame bytes. */
  readonly heldPackets: number;
  readonly heldBytes: number;
  /** TCP streams that were forgotten because the table was full. */
  readonly streamsEvicted: number;
  /** Reordered packets by how many packets of their stream had come before them too early. */
  readonly displacement: readonly Displacement[];
}

export interface Displacement {
  /** More than the bucket before, and at most so many packets; `null` for the last, which has no limit. */
  readonly upTo: number | null;
  readonly packets: number;
}

/** What is known of packets of one lane that were lost on their way here, from TCP. */
export interface UpstreamCounts {
  /** TCP flows that ended, or were reported at the end. */
  readonly tcpFlows: number;
  /** Of these, those with data of which packets of one direction only came. */
  readonly oneSidedFlows: number;
  /** TCP payload bytes that the other side acknowledged, in directions whose data was seen before and after. */
  readonly ackedBytes: number;
  /** Of these, those that never came. */
  readonly unseenBytes: number;
}
