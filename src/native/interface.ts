import { deviceRequest, hardware, interfaceFlag } from './constants.ts';
import { controlDevice } from './control.ts';
import { systemCallFailed } from './failure.ts';
import { ifreq } from './layout.ts';
import { systemCalls } from './library.ts';

/**
 * The kernel's number of a network interface.
 *
 * @returns 1 or more
 * @throws MirrorError `SYSTEM_CALL_FAILED` with ENODEV where there is none of this name
 */
export function interfaceIndex(name: string): number {
  const { if_nametoindex: nameToIndex, errno } = systemCalls();
  const index = nameToIndex(name);
  if (index === 0) throw systemCallFailed('if_nametoindex', errno(), name);
  return index;
}

/** What the kernel tells of a network interface. */
export interface InterfaceState {
  /** The kernel's number of it. */
  readonly index: number;
  readonly isUp: boolean;
  /** Longest IP packet. */
  readonly mtuBytes: number;
  /** Its frames begin with an Ethernet header: a veth, a dummy, a TAP, a network card; no TUN, no loopback. */
  readonly isEthernet: boolean;
}

/**
 * @param descriptor any socket of the network namespace
 * @param name at most 15 bytes (IFNAMSIZ of net/if.h, with its end)
 * @throws MirrorError `SYSTEM_CALL_FAILED` with ENODEV where there is none of this name
 */
export function interfaceState(descriptor: number, name: string): InterfaceState {
  const { at, bytes } = ifreq;
  const request = Buffer.alloc(bytes);
  const ask = (command: number): Buffer => {
    request.fill(0);
    request.write(name, at.ifr_name, at.ifr_data - 1, 'utf8');
    controlDevice(descriptor, command, request, name);
    return request;
  };
  return {
    index: ask(deviceRequest.SIOCGIFINDEX).readInt32LE(at.ifr_ifindex),
    isUp: (ask(deviceRequest.SIOCGIFFLAGS).readUInt16LE(at.ifr_flags) & interfaceFlag.IFF_UP) !== 0,
    mtuBytes: ask(deviceRequest.SIOCGIFMTU).readInt32LE(at.ifr_mtu),
    isEthernet: ask(deviceRequest.SIOCGIFHWADDR).readUInt16LE(at.ifr_hwaddr) === hardware.ARPHRD_ETHER,
  };
}
