/**
 * `network.transport`: the keyword of a protocol number in lower case. Source: IANA, "Assigned Internet Protocol
 * Numbers".
 */
const keywords: ReadonlyMap<number, string> = new Map([
  [0, 'hopopt'],
  [1, 'icmp'],
  [2, 'igmp'],
  [4, 'ipv4'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [41, 'ipv6'],
  [43, 'ipv6-route'],
  [44, 'ipv6-frag'],
  [46, 'rsvp'],
  [47, 'gre'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'ipv6-icmp'],
  [59, 'ipv6-nonxt'],
  [60, 'ipv6-opts'],
  [88, 'eigrp'],
  [89, 'ospfigp'],
  [94, 'ipip'],
  [103, 'pim'],
  [108, 'ipcomp'],
  [112, 'vrrp'],
  [115, 'l2tp'],
  [132, 'sctp'],
  [136, 'udplite'],
  [139, 'hip'],
  [140, 'shim6'],
]);

/** Name of an IP protocol, 0..255; its number as text where it has none. */
export function transportName(protocol: number): string {
  return keywords.get(protocol) ?? String(protocol);
}
