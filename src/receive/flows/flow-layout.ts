/**
 * A flow as 32-bit words: all rows lie one after the other in one `Int32Array`. What every packet reads and writes comes
 * first, so that it shares cache lines.
 *
 *   word 0      hash of the key
 *   word 1-10   key, with the first words of its addresses; see flow-key.ts
 *   word 11     state, below
 *   word 12-13  last packet: seconds, nanoseconds
 *   word 14-21  counters of both directions since the last record; see flow-counters.ts
 *   word 22-23  first packet since the last record
 *   word 24-49  TCP; see tcp-tracker.ts
 *   word 50-51  first packet
 *   word 52     records that were written
 *   word 53-57  counters of both directions together since the last record
 *   word 58     names, 0 for none; see name-finder.ts
 *   word 59     slot of the flow that an alias stands for
 *   word 60-61  neighbours in the timing wheel, or the next free row
 *   word 62-70  rest of the key: what IPv6 addresses have more than IPv4 ones
 *
 * Of the two endpoints of a flow, the lower one is told first everywhere: "direction 0" is what it sends, 1 what the other sends.
 */
import { TCP_WORDS } from './tcp-words.ts';

export const HASH = 0;

// key
/** Port of the lower endpoint in the upper half. */
export const PORTS = 1;
/** First 32 bits of the lower and the higher endpoint's address, and of the mirror source's. */
export const LOW = 2;
export const HIGH = 3;
/** Bits `KIND_…`. */
export const KIND = 4;
/** See receive/lane-key.ts. */
export const LANE_KEY = 5;
export const MIRROR_SOURCE = 6;
/** `Innermost.path` and `nestedId`. */
export const NESTED_PATH = 7;
export const NESTED_ID = 8;
export const ENDPOINT_HIGH = 9;
export const ENDPOINT_LOW = 10;

export const STATE = 11;
export const LAST_SECONDS = 12;
export const LAST_NANOSECONDS = 13;

// counters of a direction: that of direction 1 is the next word
export const PACKETS = 14;
/** Low 32 bits. */
export const WIRE_BYTES = 16;
export const CAPTURED_BYTES = 18;
/** Bits 32 to 47 of both: of the wire bytes in the lower half, of the captured ones in the upper. */
export const CARRIES = 20;

export const FIRST_SECONDS = 22;
export const FIRST_NANOSECONDS = 23;
export const TCP = 24;

export const START_SECONDS: number = TCP + TCP_WORDS;
export const START_NANOSECONDS: number = START_SECONDS + 1;
export const SEQUENCE: number = START_SECONDS + 2;
export const TRUNCATED: number = START_SECONDS + 3;
export const BAD_CHECKSUMS: number = START_SECONDS + 4;
export const PARTIAL_CHECKSUMS: number = START_SECONDS + 5;
export const DUPLICATES: number = START_SECONDS + 6;
export const FRAGMENTS: number = START_SECONDS + 7;
export const NAMES: number = START_SECONDS + 8;
export const OWNER: number = START_SECONDS + 9;
export const NEXT: number = START_SECONDS + 10;
export const PREVIOUS: number = START_SECONDS + 11;

// rest of the key: three words each
export const LOW_REST: number = START_SECONDS + 12;
export const HIGH_REST: number = LOW_REST + 3;
export const MIRROR_REST: number = LOW_REST + 6;

/** Words of a row. */
export const ROW_WORDS: number = LOW_REST + 9;

/** Bits of KIND: IANA number, `Ports`, whether addresses are IPv6, VLAN id + 1 where flows are kept apart by it. */
export const KIND_PROTOCOL = 0xff;
export const KIND_PORTS_SHIFT = 8;
export const KIND_PORTS_MASK = 3;
export const KIND_IPV6 = 1 << 10;
export const KIND_MIRROR_IPV6 = 1 << 11;
export const KIND_VLAN_SHIFT = 12;
/** What copies of a packet have in common, whichever interface they were mirrored at. */
export const KIND_TUPLE: number = KIND_PROTOCOL | (KIND_PORTS_MASK << KIND_PORTS_SHIFT) | KIND_IPV6;

// STATE: 0 for a free row
/** There is a flow, of which a record is due sooner or later. */
export const IS_FLOW = 1;
/** Packets of this key belong to the flow in the slot OWNER. */
export const IS_ALIAS = 2;
/** The first packet came from the higher endpoint. */
export const FIRST_FROM_HIGH = 4;
/** The higher endpoint is the source of the records. Means something once there was one. */
export const SOURCE_IS_HIGH = 8;
/** `Initiator`, likewise. */
export const INITIATOR_SHIFT = 4;
export const INITIATOR_MASK = 3;
/** `Direction` of what the lower endpoint sends. */
export const DIRECTION_SHIFT = 6;
export const DIRECTION_MASK = 3;
/** A TCP connection that is over: its flow waits for what comes late. */
export const IS_FINISHED = 1 << 8;
export const IS_RESET = 1 << 9;
export const IS_OVER: number = IS_FINISHED | IS_RESET;
/** Packets with payload that were looked into for names; all bits set: enough. */
export const LOOKS_SHIFT = 10;
export const LOOKS_ENOUGH = 15;
export const LOOKS_MASK: number = LOOKS_ENOUGH << LOOKS_SHIFT;
/** Upper 17 bits: directory slot of the lane. */
export const LANE_SHIFT = 15;

/** Says that there is no row. */
export const NO_ROW = -1;

/** Rows of all flows, and one more. All zero, and the kernel gives the memory when it is first written to. */
export function allocateRows(maxFlows: number): Int32Array {
  return new Int32Array((maxFlows + 1) * ROW_WORDS);
}
