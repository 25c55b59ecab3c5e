import { family as families, socketType } from './constants.ts';
import { sockFilter, sockFprog } from './layout.ts';
import { systemCalls } from './library.ts';
import { familyName, optionName } from './names.ts';
import { checked } from './retry.ts';

/** Room for the address of any family: `struct sockaddr_storage` of sys/socket.h. */
const ADDRESS_BYTES = 128;
const LENGTH_BYTES = 4;

/**
 * Opens a socket that programs started later do not inherit.
 *
 * @returns its descriptor
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function openSocket(family: number, type: number, protocol: number): number {
  const { socket } = systemCalls();
  const make = () => socket(family, type | socketType.SOCK_CLOEXEC, protocol);
  return checked('socket', make, familyName(family));
}

/**
 * @param address a `struct sockaddr_in`, `sockaddr_in6`, `sockaddr_ll` …
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function bindSocket(descriptor: number, address: Uint8Array): void {
  const { bind } = systemCalls();
  checked('bind', () => bind(descriptor, address, address.length), addressText(address));
}

/**
 * The address a socket is bound to, as the kernel has it.
 *
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function socketAddress(descriptor: number): Buffer {
  const { getsockname } = systemCalls();
  const address = Buffer.alloc(ADDRESS_BYTES);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(ADDRESS_BYTES);
  checked('getsockname', () => getsockname(descriptor, address, length));
  return address.subarray(0, length.readUInt32LE());
}

/** @throws MirrorError `SYSTEM_CALL_FAILED` */
export function setOption(descriptor: number, level: number, option: number, value: Uint8Array): void {
  const { setsockopt } = systemCalls();
  const make = () => setsockopt(descriptor, level, option, value, value.length);
  checked('setsockopt', make, optionName(level, option));
}

/**
 * @param value a C `int`, -2^31 .. 2^32 - 1: what has the top bit set may be given unsigned
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function setIntOption(descriptor: number, level: number, option: number, value: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  setOption(descriptor, level, option, bytes);
}

/**
 * Reads an option, a structure perhaps.
 *
 * @returns bytes of `into` that were filled
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function getOption(descriptor: number, level: number, option: number, into: Uint8Array): number {
  const { getsockopt } = systemCalls();
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(into.length);
  const make = () => getsockopt(descriptor, level, option, into, length);
  checked('getsockopt', make, optionName(level, option));
  return length.readUInt32LE();
}

/** @throws MirrorError `SYSTEM_CALL_FAILED` */
export function getIntOption(descriptor: number, level: number, option: number): number {
  const bytes = Buffer.alloc(4);
  getOption(descriptor, level, option, bytes);
  return bytes.readInt32LE();
}

/**
 * Gives the kernel a classic-BPF program: SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, PACKET_FANOUT_DATA.
 *
 * @param program instructions of 8 bytes (`struct sock_filter`); the kernel copies them
 * @throws MirrorError `SYSTEM_CALL_FAILED`
 */
export function attachProgram(descriptor: number, level: number, option: number, program: Uint8Array): void {
  const { address, setsockopt } = systemCalls();
  // one block for both: while the call holds the one, the other cannot be collected
  const block = Buffer.alloc(sockFprog.bytes + program.length);
  block.set(program, sockFprog.bytes);
  block.writeUInt16LE(program.length / sockFilter.bytes, sockFprog.at.len);
  block.writeBigUInt64LE(address(block) + BigInt(sockFprog.bytes), sockFprog.at.filter);
  const make = () => setsockopt(descriptor, level, option, block, sockFprog.bytes);
  checked('setsockopt', make, optionName(level, option));
}

/** Closes a descriptor; the number may belong to another file right after. */
export function closeDescriptor(descriptor: number): void {
  // Linux frees the descriptor whatever it returns; trying again would close somebody else's
  systemCalls().close(descriptor);
}

function addressText(address: Uint8Array): string {
  const [low = 0, high = 0, portHigh = 0, portLow = 0] = address;
  const family = low | (high << 8);
  const hasPort = family === families.AF_INET || family === families.AF_INET6;
  return hasPort ? `${familyName(family)} port ${(portHigh << 8) | portLow}` : familyName(family);
}
