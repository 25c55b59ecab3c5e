/**
 * VXLAN header, RFC 7348 section 5. Eight bytes:
 *
 *   byte 0     flags R R R R I R R R; I = 1 means the VNI is valid
 *   byte 1-3   reserved: sent as 0, ignored on receipt
 *   byte 4-6   VNI, 24 bits
 *   byte 7     reserved: sent as 0, ignored on receipt
 *
 * Readers do not check bounds: call `check` once, then read.
 */
import { putU24, u24 } from './bytes.ts';
import { Fault } from './fault.ts';

export const HEADER_LEN = 8;
export const VNI_MAX = 0xff_ffff;
/** UDP destination port that IANA assigned. */
export const DEFAULT_PORT = 4789;

const FLAGS = 0;
const VNI = 4;
const LAST = 7;
const FLAG_I = 0x08;

/** Says whether a header can be read at `at`; `end` is one past the UDP payload. */
export function check(bytes: Uint8Array, at: number, end: number): Fault {
  if (end - at < HEADER_LEN) return Fault.vxlanTruncated;
  if ((bytes[at + FLAGS]! & FLAG_I) === 0) return Fault.vxlanNoVni;
  return Fault.none;
}

/** VXLAN network identifier, 0..VNI_MAX. */
export function vni(bytes: Uint8Array, at: number): number {
  return u24(bytes, at + VNI);
}

/** Says whether any bit is set that the RFC reserves: other dialects (GBP, GPE) use some of them. */
export function reservedBits(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + FLAGS]! & ~FLAG_I) | u24(bytes, at + 1) | bytes[at + LAST]!) !== 0;
}

/** Writes a header at `at`, reserved bytes zero, and returns the offset just past it. */
export function emit(bytes: Uint8Array, at: number, vniValue: number): number {
  bytes[at + FLAGS] = FLAG_I;
  putU24(bytes, at + 1, 0);
  putU24(bytes, at + VNI, vniValue);
  bytes[at + LAST] = 0;
  return at + HEADER_LEN;
}
