/**
 * Numbers of the Linux system calls that are made here, under the names that their header files give them. They are
 * those of the architectures that follow `asm-generic` (x64, arm64, riscv64, loong64); `loadNative` refuses others.
 */

/** sys/socket.h */
export const family = {
  AF_UNSPEC: 0,
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  AF_NETLINK: 16,
  AF_PACKET: 17,
} as const;

/** sys/socket.h */
export const socketType = {
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0x800,
  SOCK_CLOEXEC: 0x8_0000,
} as const;

/** Levels of socket options; sys/socket.h, netinet/in.h */
export const level = {
  IPPROTO_IP: 0,
  SOL_SOCKET: 1,
  IPPROTO_UDP: 17,
  IPPROTO_IPV6: 41,
  SOL_PACKET: 263,
} as const;

/** Options of level SOL_SOCKET; asm-generic/socket.h. The time stamps are those with 64-bit seconds. */
export const socketOption = {
  SO_REUSEADDR: 2,
  SO_TYPE: 3,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_REUSEPORT: 15,
  SO_BINDTODEVICE: 25,
  SO_ATTACH_FILTER: 26,
  SO_DETACH_FILTER: 27,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_TIMESTAMPNS: 35,
  SO_TIMESTAMPING: 37,
  SO_PROTOCOL: 38,
  SO_DOMAIN: 39,
  SO_RXQ_OVFL: 40,
  SO_LOCK_FILTER: 44,
  SO_BUSY_POLL: 46,
  SO_INCOMING_CPU: 49,
  SO_ATTACH_REUSEPORT_CBPF: 51,
  SO_MEMINFO: 55,
  SO_COOKIE: 57,
  SO_DETACH_REUSEPORT_BPF: 68,
} as const;

/** Which 32-bit word of SO_MEMINFO says what; linux/sock_diag.h */
export const memoryInfo = {
  SK_MEMINFO_DROPS: 8,
  SK_MEMINFO_VARS: 9,
} as const;

/** Options of level SOL_PACKET; linux/if_packet.h */
export const packetOption = {
  PACKET_ADD_MEMBERSHIP: 1,
  PACKET_DROP_MEMBERSHIP: 2,
  PACKET_RX_RING: 5,
  PACKET_STATISTICS: 6,
  PACKET_AUXDATA: 8,
  PACKET_VERSION: 10,
  PACKET_HDRLEN: 11,
  PACKET_RESERVE: 12,
  PACKET_TX_RING: 13,
  PACKET_LOSS: 14,
  PACKET_TIMESTAMP: 17,
  PACKET_FANOUT: 18,
  PACKET_QDISC_BYPASS: 20,
  PACKET_ROLLOVER_STATS: 21,
  PACKET_FANOUT_DATA: 22,
  PACKET_IGNORE_OUTGOING: 23,
} as const;

/** Kinds of fan-out and their flags, values of PACKET_FANOUT; linux/if_packet.h */
export const fanOut = {
  PACKET_FANOUT_HASH: 0,
  PACKET_FANOUT_LB: 1,
  PACKET_FANOUT_CPU: 2,
  PACKET_FANOUT_ROLLOVER: 3,
  PACKET_FANOUT_CBPF: 6,
  PACKET_FANOUT_FLAG_ROLLOVER: 0x1000,
  PACKET_FANOUT_FLAG_UNIQUEID: 0x2000,
  PACKET_FANOUT_FLAG_DEFRAG: 0x8000,
} as const;

/** Options of level IPPROTO_IP; netinet/in.h */
export const ipOption = {
  IP_PKTINFO: 8,
  IP_MTU_DISCOVER: 10,
  IP_RECVERR: 11,
  IP_FREEBIND: 15,
} as const;

/** Options of level IPPROTO_IPV6; netinet/in.h */
export const ipv6Option = {
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  IPV6_PKTINFO: 50,
} as const;

/** Options of level IPPROTO_UDP; linux/udp.h */
export const udpOption = {
  UDP_SEGMENT: 103,
  UDP_GRO: 104,
} as const;

/** Flags of messages; sys/socket.h */
export const messageFlag = {
  MSG_CTRUNC: 0x8,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
} as const;

/** sys/mman.h */
export const memory = {
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 1,
} as const;

/** poll.h */
export const pollEvent = {
  POLLIN: 0x1,
  POLLERR: 0x8,
  POLLHUP: 0x10,
  POLLNVAL: 0x20,
} as const;

/** Requests of `controlDevice`; linux/sockios.h */
export const deviceRequest = {
  SIOCGIFFLAGS: 0x8913,
  SIOCGIFMTU: 0x8921,
  SIOCGIFHWADDR: 0x8927,
  SIOCGIFINDEX: 0x8933,
  SIOCETHTOOL: 0x8946,
} as const;

/** What SIOCGIFFLAGS tells of an interface; net/if.h */
export const interfaceFlag = {
  IFF_UP: 0x1,
} as const;

/** Kinds of interfaces, the address family that SIOCGIFHWADDR tells; net/if_arp.h */
export const hardware = {
  ARPHRD_ETHER: 1,
} as const;

/** Commands inside a SIOCETHTOOL request; linux/ethtool.h */
export const ethtool = {
  ETHTOOL_GSTRINGS: 0x1b,
  ETHTOOL_GSTATS: 0x1d,
  ETHTOOL_GSSET_INFO: 0x37,
  ETH_SS_STATS: 1,
  ETH_GSTRING_LEN: 32,
} as const;

/** linux/capability.h */
export const capability = {
  CAP_NET_RAW: 13,
} as const;

/** Status of the clock; sys/timex.h */
export const clockStatus = {
  STA_UNSYNC: 0x40,
} as const;
