/**
 * Protocol numbers of IPv4's Protocol and IPv6's Next Header field, as far as mirrortap or its users
 * meet them by name. Source: IANA, "Assigned Internet Protocol Numbers".
 */
export const IpProtocol = {
  hopByHop: 0,
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  noNextHeader: 59,
  destinationOptions: 60,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  sctp: 132,
  mobility: 135,
  udpLite: 136,
  hip: 139,
  shim6: 140,
} as const;
