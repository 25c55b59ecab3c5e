/**
 * A flow as 32-bit words: all rows lie one after the other in one `Int32Array`. The 16 words that every packet reads or writes
 * come first, in 64 bytes, so that they take one cache line or two.
 *
 *   word 0-5    key: ports, addresses, kind, lane, mirror source; see flow-key.ts
 *   word 6      state, below
 *   word 7-9    last packet, first packet since the last record
 *   word 10-15  counters of both directions since the last record; see flow-counters.ts
 *   word 16-41  TCP; see tcp-words.ts
 *   word 42     hash of the key
 *   word 43-46  rest of the key: nesting, Gateway Load Balancer endpoint
 *   word 47-48  upper bits of the counters of bytes
 *   word 49     nanoseconds of the first packet since the last record
 *   word 50-51  first packet
 *   word 52     records that were written; in the upper 8 bits those of the number of flows before
 *   word 53-57  counters of both directions together since the last record
 *   word 58     names, 0 for none; see name-finder.ts
 *   word 59     slot of the flow that an alias stands for
 *   word 60-61  neighbours in the timing wheel, or the next free row
 *   word 62-70  rest of the key: what IPv6 addresses have more than IPv4 ones
 *
 * Of the two endpoints of a flow, the lower one is told first everywhere: "direction 0" is what it sends, 1 what the other sends.
 */
import { TCP_WORDS } from './tcp-words.ts';

// key
/** Port of the lower endpoint in the upper half. */
export const PORTS = 0;
/** First 32 bits of the lower and the higher endpoint's address. */
export const LOW = 1;
export const HIGH = 2;
/** Bits `KIND_…`. */
export const KIND = 3;
/** See receive/lane-key.ts. */
export const LANE_KEY = 4;
/** First 32 bits. */
export const MIRROR_SOURCE = 5;

export const STATE = 6;
export const LAST_SECONDS = 7;
export const LAST_NANOSECONDS = 8;
export const FIRST_SECONDS = 9;

// counters of a direction: that of direction 1 is the next word
export const PACKETS = 10;
/** Low 32 bits. */
export const WIRE_BYTES = 12;
export const CAPTURED_BYTES = 14;

export const TCP = 16;

const AFTER_TCP: number = TCP + TCP_WORDS;
export const HASH: number = AFTER_TCP;
/** `Innermost.path` and `nestedId`. */
export const NESTED_PATH: number = AFTER_TCP + 1;
export const NESTED_ID: number = AFTER_TCP + 2;
export const ENDPOINT_HIGH: number = AFTER_TCP + 3;
export const ENDPOINT_LOW: number = AFTER_TCP + 4;
/** Of each direction, bits 32 to 47 of both byte counters: of the wire bytes in the lower half, of the captured ones in the upper. */
export const CARRIES: number = AFTER_TCP + 5;
export const FIRST_NANOSECONDS: number = AFTER_TCP + 7;
export const START_SECONDS: number = AFTER_TCP + 8;
export const START_NANOSECONDS: number = AFTER_TCP + 9;
/** Lower 24 bits: records that were written, no more than SEQUENCE_MAX; above: the last bits of the number of flows before. */
export const SEQUENCE: number = AFTER_TCP + 10;
/** Half a year of a record a second. */
export const SEQUENCE_MAX = 0xff_ffff;
export const ORDINAL_SHIFT = 24;
export const TRUNCATED: number = AFTER_TCP + 11;
export const BAD_CHECKSUMS: number = AFTER_TCP + 12;
export const PARTIAL_CHECKSUMS: number = AFTER_TCP + 13;
export const DUPLICATES: number = AFTER_TCP + 14;
export const FRAGMENTS: number = AFTER_TCP + 15;
export const NAMES: number = AFTER_TCP + 16;
export const OWNER: number = AFTER_TCP + 17;
export const NEXT: number = AFTER_TCP + 18;
export const PREVIOUS: number = AFTER_TCP + 19;

// rest of the key: three words each
export const LOW_REST: number = AFTER_TCP + 20;
export const HIGH_REST: number = LOW_REST + 3;
export const MIRROR_REST: number = LOW_REST + 6;

/** Words of a row. */
export const ROW_WORDS: number = LOW_REST + 9;

/** Bits of KIND: IANA number, `Ports`, which addresses are IPv6, VLAN id + 1 where flows are kept apart by it, nested or not. */
export const KIND_PROTOCOL = 0xff;
export const KIND_PORTS_SHIFT = 8;
export const KIND_PORTS_MASK = 3;
export const KIND_IPV6 = 1 << 10;
export const KIND_MIRROR_IPV6 = 1 << 11;
export const KIND_VLAN_SHIFT = 12;
export const KIND_VLAN_MASK = 0x1fff;
export const KIND_NESTED = 1 << 25;
/** Bits that say that the key goes on in the words of its rest. */
export const KIND_HAS_REST: number = KIND_IPV6 | KIND_MIRROR_IPV6 | KIND_NESTED;
/** What copies of a packet have in common, whichever interface they were mirrored at. */
export const KIND_TUPLE: number =
  KIND_PROTOCOL | (KIND_PORTS_MASK << KIND_PORTS_SHIFT) | KIND_IPV6 | KIND_NESTED;

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
