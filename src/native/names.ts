import { family, ipOption, ipv6Option, level, packetOption, socketOption, udpOption } from './constants.ts';

const options = new Map<number, Readonly<Record<string, number>>>([
  [level.SOL_SOCKET, socketOption],
  [level.SOL_PACKET, packetOption],
  [level.IPPROTO_IP, ipOption],
  [level.IPPROTO_IPV6, ipv6Option],
  [level.IPPROTO_UDP, udpOption],
]);

/** Name of a socket option, as in `SO_RCVBUF`; its numbers where it has none here. */
export function optionName(ofLevel: number, option: number): string {
  return nameOf(options.get(ofLevel), option) ?? `level ${ofLevel} option ${option}`;
}

/** Name of an address family, as in `AF_PACKET`. */
export function familyName(number: number): string {
  return nameOf(family, number) ?? `family ${number}`;
}

function nameOf(group: Readonly<Record<string, number>> = {}, number: number): string | undefined {
  return Object.keys(group).find((name) => group[name] === number);
}
