import { EtherType } from '../../wire/ether-type.ts';
import * as ethernet from '../../wire/ethernet.ts';
import { putU16 } from '../../wire/bytes.ts';
import * as vlan from '../../wire/vlan.ts';

/** Where the type stands that says what follows the two addresses. */
const TYPE = 2 * ethernet.ADDRESS_LEN;

/**
 * Addresses of frames that had no Ethernet header: to 02:00:00:00:00:02, from 02:00:00:00:00:01, both locally administered
 * (IEEE 802 clause 8.4), so that no card has them.
 */
const MADE_UP = [0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01] as const;

/** Writes the addresses of a frame and its tag; what follows is the rest of the frame from its EtherType on. */
export function writeTaggedHead(
  head: Uint8Array,
  headAt: number,
  bytes: Uint8Array,
  frameAt: number,
  vlanId: number,
): number {
  for (let i = 0; i < TYPE; i++) head[headAt + i] = bytes[frameAt + i] ?? 0;
  return writeTag(head, headAt + TYPE, vlanId);
}

/** Writes an Ethernet header before an IP packet, with a tag where `vlanId` is not 0; returns one past its last byte. */
export function writeRawHead(head: Uint8Array, headAt: number, ipVersion: number, vlanId: number): number {
  for (let i = 0; i < TYPE; i++) head[headAt + i] = MADE_UP[i] ?? 0;
  const at = vlanId === 0 ? headAt + TYPE : writeTag(head, headAt + TYPE, vlanId);
  putU16(head, at, ipVersion === 6 ? EtherType.ipv6 : EtherType.ipv4);
  return at + 2;
}

/** The tag without the EtherType that follows it. */
function writeTag(head: Uint8Array, at: number, vlanId: number): number {
  putU16(head, at, EtherType.vlan);
  putU16(head, at + 2, vlanId);
  return at + vlan.TAG_LEN;
}

/** Bytes of a frame before the EtherType. */
export const ADDRESSES_LEN: number = TYPE;
