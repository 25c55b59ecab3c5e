/** Link types of capture files that mirrortap reads or writes (LINKTYPE_ values of the pcap registry). */
export const LinkType = {
  /** BSD loopback: four bytes of address family in the byte order of the host that captured. */
  null: 0,
  ethernet: 1,
  /** The packet begins with its IPv4 or IPv6 header. */
  raw: 101,
  /** Linux "cooked" capture: 16 bytes, protocol type in bytes 14-15. */
  linuxSll: 113,
  /** Linux "cooked" capture, version 2: 20 bytes, protocol type in bytes 0-1. */
  linuxSll2: 276,
} as const;
export type LinkType = (typeof LinkType)[keyof typeof LinkType];
