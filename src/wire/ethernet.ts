/**
 * Ethernet II header, IEEE 802.3 clause 3.2. Fourteen bytes; the frame check sequence is not part of a
 * mirrored frame:
 *
 *   byte 0-5    destination address
 *   byte 6-11   source address
 *   byte 12-13  EtherType; below 0x0600 a length (IEEE 802.3 with LLC), which mirrortap does not look into
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, u16 } from './bytes.ts';

export const HEADER_LEN = 14;
/** Bytes of a hardware address. */
export const ADDRESS_LEN = 6;

/** Offset of the destination address. */
export const DESTINATION = 0;
/** Offset of the source address. */
export const SOURCE = 6;

const ETHER_TYPE = 12;

/** Says whether the whole header arrived; `end` is one past the last byte. */
export function complete(at: number, end: number): boolean {
  return end - at >= HEADER_LEN;
}

/** EtherType right behind the addresses: that of the first VLAN tag where there is one. */
export function etherType(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + ETHER_TYPE);
}

/** Writes a header at `at`; both addresses are six bytes. Returns the offset just past it. */
export function emit(
  bytes: Uint8Array,
  at: number,
  destination: Uint8Array,
  source: Uint8Array,
  etherTypeValue: number,
): number {
  for (let i = 0; i < ADDRESS_LEN; i++) {
    bytes[at + DESTINATION + i] = destination[i]!;
    bytes[at + SOURCE + i] = source[i]!;
  }
  putU16(bytes, at + ETHER_TYPE, etherTypeValue);
  return at + HEADER_LEN;
}
