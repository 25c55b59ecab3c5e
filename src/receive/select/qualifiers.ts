import type { ProtocolName } from './filter-names.ts';
import type { Direction } from './filter-syntax.ts';

/** What stands before an address, a port or a number, and says what it is. */
export interface Qualifiers {
  readonly protocol: ProtocolName | undefined;
  readonly direction: Direction;
  readonly type: 'host' | 'net' | 'port' | 'portrange' | 'proto';
}

/** Which protocols go with which types of what follows. */
export const protocolsByType: Readonly<Record<Qualifiers['type'], readonly ProtocolName[]>> = {
  host: ['ip', 'ip6', 'arp', 'rarp', 'ether'],
  net: ['ip', 'ip6', 'arp', 'rarp'],
  port: ['tcp', 'udp', 'sctp'],
  portrange: ['tcp', 'udp', 'sctp'],
  proto: ['ip', 'ip6', 'ether'],
};
