import { family, ipv6Option, level, socketOption, socketType } from '../../native/constants.ts';
import { attachProgram, bindSocket, closeDescriptor, openSocket, setIntOption } from '../../native/socket.ts';
import { bindFailed } from '../bind-failed.ts';
import { dropAll } from '../bpf/program.ts';
import { listenAddress } from '../listen-address.ts';

/**
 * Holds UDP ports beside packet rings. A ring gets copies; were nobody at the port, the kernel would answer each packet
 * with ICMP port unreachable. What comes is dropped by a filter before it takes any memory.
 *
 * No port is shared: a second appliance on the same ports is refused.
 *
 * @returns descriptors
 * @throws MirrorError `UDP_BIND_FAILED`; then none is open
 */
export function openGuards(address: string, ports: readonly number[]): number[] {
  const descriptors: number[] = [];
  try {
    for (const port of ports) descriptors.push(openGuard(address, port));
    return descriptors;
  } catch (error) {
    for (const descriptor of descriptors) closeDescriptor(descriptor);
    throw error;
  }
}

function openGuard(address: string, port: number): number {
  const isInet6 = address.includes(':');
  let descriptor: number | undefined;
  try {
    descriptor = openSocket(isInet6 ? family.AF_INET6 : family.AF_INET, socketType.SOCK_DGRAM, 0);
    if (isInet6) setIntOption(descriptor, level.IPPROTO_IPV6, ipv6Option.IPV6_V6ONLY, 0);
    attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, dropAll);
    bindSocket(descriptor, listenAddress(address, port));
    return descriptor;
  } catch (cause) {
    if (descriptor !== undefined) closeDescriptor(descriptor);
    throw bindFailed(address, port, cause);
  }
}
