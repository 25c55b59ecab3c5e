/** Addresses of sockets as Linux lays them out: `struct sockaddr_in` and `struct sockaddr_in6`. */
import { family as families } from '../native/constants.ts';
import { sockaddrIn, sockaddrIn6 } from '../native/layout.ts';
import type { Address } from '../wire/address.ts';

/** Bytes of the longer of the two. */
export const SOCKET_ADDRESS_MAX_LEN = sockaddrIn6.bytes;

/** Offset of the address: 4 bytes in a `sockaddr_in`, 16 in a `sockaddr_in6`. */
export const INET_ADDRESS = sockaddrIn.at.sin_addr;
export const INET6_ADDRESS = sockaddrIn6.at.sin6_addr;

/** Both have these two at the same place. */
const FAMILY = sockaddrIn.at.sin_family;
const PORT = sockaddrIn.at.sin_port;

/** AF_INET, AF_INET6, or another number. */
export function family(name: DataView, at: number): number {
  return name.getUint16(at + FAMILY, true);
}

/** Port, 0..65535. */
export function port(name: DataView, at: number): number {
  return name.getUint16(at + PORT);
}

/** Changes the port. */
export function setPort(name: DataView, at: number, value: number): void {
  name.setUint16(at + PORT, value);
}

/**
 * The structure of an address and a port.
 *
 * @param scope number of the interface that a link-local IPv6 address belongs to; 0: none
 */
export function socketAddressOf(address: Address, portValue: number, scope = 0): Buffer {
  const isInet = address.version === 4;
  const name = Buffer.alloc(isInet ? sockaddrIn.bytes : sockaddrIn6.bytes);
  name.writeUInt16LE(isInet ? families.AF_INET : families.AF_INET6, FAMILY);
  name.writeUInt16BE(portValue, PORT);
  name.set(address.bytes, isInet ? INET_ADDRESS : INET6_ADDRESS);
  if (!isInet) name.writeUInt32LE(scope, sockaddrIn6.at.sin6_scope_id);
  return name;
}
