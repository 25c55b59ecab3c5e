/**
 * VLAN tag, IEEE 802.1Q clause 9.6. The EtherType that announces a tag is the last field of what comes
 * before; `at` is the offset just behind it:
 *
 *   byte 0-1  tag control information: priority (3 bits), drop eligible (1), VLAN id (12)
 *   byte 2-3  EtherType of what follows, which may be another tag
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, u16 } from './bytes.ts';
import { EtherType } from './ether-type.ts';

export const TAG_LEN = 4;
export const ID_MAX = 0xfff;
export const PRIORITY_MAX = 7;

const ETHER_TYPE = 2;

/** Says whether this EtherType announces a tag: 802.1Q, 802.1ad, or the number used before 802.1ad. */
export function isTag(etherTypeValue: number): boolean {
  return (
    etherTypeValue === EtherType.vlan ||
    etherTypeValue === EtherType.qinq ||
    etherTypeValue === EtherType.qinqLegacy
  );
}

/** Says whether the whole tag arrived; `end` is one past the last byte. */
export function complete(at: number, end: number): boolean {
  return end - at >= TAG_LEN;
}

/** VLAN id, 0..ID_MAX; 0 means that the tag carries a priority only. */
export function id(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) & ID_MAX;
}

/** Priority code point, 0..PRIORITY_MAX. */
export function priority(bytes: Uint8Array, at: number): number {
  return bytes[at]! >>> 5;
}

/** Says whether the frame is marked as one to drop first under congestion. */
export function dropEligible(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 0x10) !== 0;
}

/** EtherType of what follows the tag. */
export function etherType(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + ETHER_TYPE);
}

/** Writes a tag at `at`, not drop eligible, and returns the offset just past it. */
export function emit(
  bytes: Uint8Array,
  at: number,
  idValue: number,
  priorityValue: number,
  etherTypeValue: number,
): number {
  putU16(bytes, at, (priorityValue << 13) | idValue);
  putU16(bytes, at + ETHER_TYPE, etherTypeValue);
  return at + TAG_LEN;
}
