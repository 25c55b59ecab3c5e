/**
 * Addresses of sockets as Linux lays them out on a little-endian machine:
 *
 *     struct sockaddr_in, linux/in.h, 16 bytes     struct sockaddr_in6, linux/in6.h, 28 bytes
 *       byte 0-1   family, host order                byte 0-1    family, host order
 *       byte 2-3   port, network order               byte 2-3    port, network order
 *       byte 4-7   address                           byte 4-7    flow information
 *       byte 8-15  zero                              byte 8-23   address
 *                                                    byte 24-27  number of the interface, host order
 */
import type { Address } from '../wire/address.ts';

/** Address families, linux/socket.h. */
export const AddressFamily = { inet: 2, inet6: 10 } as const;

/** Bytes of the longer of the two. */
export const SOCKET_ADDRESS_MAX_LEN = 28;
const INET_LEN = 16;

const FAMILY = 0;
const PORT = 2;
/** Offset of the address in a `sockaddr_in`. */
export const INET_ADDRESS = 4;
/** Offset of the address in a `sockaddr_in6`. */
export const INET6_ADDRESS = 8;
const INET6_SCOPE = 24;

/** An `AddressFamily`, or another number. */
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
  const name = Buffer.alloc(isInet ? INET_LEN : SOCKET_ADDRESS_MAX_LEN);
  name.writeUInt16LE(isInet ? AddressFamily.inet : AddressFamily.inet6, FAMILY);
  name.writeUInt16BE(portValue, PORT);
  name.set(address.bytes, isInet ? INET_ADDRESS : INET6_ADDRESS);
  if (!isInet) name.writeUInt32LE(scope, INET6_SCOPE);
  return name;
}
