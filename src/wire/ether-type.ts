/**
 * EtherTypes that mirrortap names: what follows an Ethernet header or a VLAN tag, and the protocol type
 * of GENEVE. Source: IANA, "IEEE 802 Numbers".
 */
export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  /** IEEE 802.1Q tag. */
  vlan: 0x8100,
  ipv6: 0x86dd,
  /** Service tag of IEEE 802.1ad, the outer one of two. */
  qinq: 0x88a8,
  /** What switches used for the outer tag before 802.1ad. */
  qinqLegacy: 0x9100,
  /** Transparent Ethernet bridging: GENEVE's number for an Ethernet frame. */
  ethernet: 0x6558,
} as const;
