/**
 * Address Resolution Protocol for IPv4 over Ethernet, RFC 826. Twenty-eight bytes:
 *
 *   byte 0-1    hardware type: 1, Ethernet
 *   byte 2-3    protocol type: 0x0800, IPv4
 *   byte 4      bytes of a hardware address: 6
 *   byte 5      bytes of a protocol address: 4
 *   byte 6-7    operation: 1 request, 2 reply
 *   byte 8-13   sender's hardware address
 *   byte 14-17  sender's protocol address
 *   byte 18-23  target's hardware address; unknown in a request, sent as 0
 *   byte 24-27  target's protocol address
 *
 * Readers do not check bounds: ask `complete` once, then read.
 */
import { putU16, u16 } from './bytes.ts';
import { EtherType } from './ether-type.ts';

export const LEN = 28;

/** Values of the operation field. */
export const Operation = { request: 1, reply: 2 } as const;

/** Offset of the sender's hardware address, six bytes. */
export const SENDER_HARDWARE = 8;
/** Offset of the sender's IPv4 address. */
export const SENDER_PROTOCOL = 14;
/** Offset of the target's hardware address, six bytes. */
export const TARGET_HARDWARE = 18;
/** Offset of the target's IPv4 address. */
export const TARGET_PROTOCOL = 24;

const HARDWARE_TYPE = 0;
const PROTOCOL_TYPE = 2;
const HARDWARE_LEN = 4;
const PROTOCOL_LEN = 5;
const OPERATION = 6;
const ETHERNET = 1;

/** Says whether all 28 bytes arrived and are ARP for IPv4 over Ethernet. */
export function complete(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    end - at >= LEN &&
    u16(bytes, at + HARDWARE_TYPE) === ETHERNET &&
    u16(bytes, at + PROTOCOL_TYPE) === EtherType.ipv4 &&
    bytes[at + HARDWARE_LEN] === 6 &&
    bytes[at + PROTOCOL_LEN] === 4
  );
}

/** What the message is, one of `Operation` or a number that mirrortap does not name. */
export function operation(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + OPERATION);
}

/** Writes a message at `at` (hardware addresses six bytes, others four) and returns the offset just past it. */
export function emit(
  bytes: Uint8Array,
  at: number,
  operationValue: number,
  senderHardware: Uint8Array,
  senderProtocol: Uint8Array,
  targetHardware: Uint8Array,
  targetProtocol: Uint8Array,
): number {
  putU16(bytes, at + HARDWARE_TYPE, ETHERNET);
  putU16(bytes, at + PROTOCOL_TYPE, EtherType.ipv4);
  bytes[at + HARDWARE_LEN] = 6;
  bytes[at + PROTOCOL_LEN] = 4;
  putU16(bytes, at + OPERATION, operationValue);
  for (let i = 0; i < 6; i++) {
    bytes[at + SENDER_HARDWARE + i] = senderHardware[i]!;
    bytes[at + TARGET_HARDWARE + i] = targetHardware[i]!;
  }
  for (let i = 0; i < 4; i++) {
    bytes[at + SENDER_PROTOCOL + i] = senderProtocol[i]!;
    bytes[at + TARGET_PROTOCOL + i] = targetProtocol[i]!;
  }
  return at + LEN;
}
