/**
 * Where the fields of a structure of the kernel or the C library lie, on 64-bit little-endian Linux.
 *
 * The tables are compared with what a C compiler says of the header files.
 */
export interface Layout<Field extends string = string> {
  /** The header file that declares it. */
  readonly header: string;
  /** As C names its type. */
  readonly name: string;
  /** Size of the whole structure, with padding. */
  readonly bytes: number;
  /** Byte offset of each field that is used here. */
  readonly at: Readonly<Record<Field, number>>;
}

export const mmsghdr = {
  header: 'sys/socket.h',
  name: 'struct mmsghdr',
  bytes: 64,
  at: {
    'msg_hdr.msg_name': 0,
    'msg_hdr.msg_namelen': 8,
    'msg_hdr.msg_iov': 16,
    'msg_hdr.msg_iovlen': 24,
    'msg_hdr.msg_control': 32,
    'msg_hdr.msg_controllen': 40,
    'msg_hdr.msg_flags': 48,
    msg_len: 56,
  },
} as const satisfies Layout;

export const iovec = {
  header: 'sys/uio.h',
  name: 'struct iovec',
  bytes: 16,
  at: { iov_base: 0, iov_len: 8 },
} as const satisfies Layout;

/** Data follows it; the next one begins at the next multiple of 8. */
export const cmsghdr = {
  header: 'sys/socket.h',
  name: 'struct cmsghdr',
  bytes: 16,
  at: { cmsg_len: 0, cmsg_level: 8, cmsg_type: 12 },
} as const satisfies Layout;

export const timespec = {
  header: 'time.h',
  name: 'struct timespec',
  bytes: 16,
  at: { tv_sec: 0, tv_nsec: 8 },
} as const satisfies Layout;

/** Family and scope are in host order, port and address in network order. */
export const sockaddrIn = {
  header: 'netinet/in.h',
  name: 'struct sockaddr_in',
  bytes: 16,
  at: { sin_family: 0, sin_port: 2, sin_addr: 4 },
} as const satisfies Layout;

export const sockaddrIn6 = {
  header: 'netinet/in.h',
  name: 'struct sockaddr_in6',
  bytes: 28,
  at: { sin6_family: 0, sin6_port: 2, sin6_addr: 8, sin6_scope_id: 24 },
} as const satisfies Layout;

/** What a packet socket is bound to, or a frame is sent to. Protocol in network order, interface in host order. */
export const sockaddrLl = {
  header: 'linux/if_packet.h',
  name: 'struct sockaddr_ll',
  bytes: 20,
  at: { sll_family: 0, sll_protocol: 2, sll_ifindex: 4 },
} as const satisfies Layout;

export const pollfd = {
  header: 'poll.h',
  name: 'struct pollfd',
  bytes: 8,
  at: { fd: 0, events: 4, revents: 6 },
} as const satisfies Layout;

export const sockFprog = {
  header: 'linux/filter.h',
  name: 'struct sock_fprog',
  bytes: 16,
  at: { len: 0, filter: 8 },
} as const satisfies Layout;

export const sockFilter = {
  header: 'linux/filter.h',
  name: 'struct sock_filter',
  bytes: 8,
  at: { code: 0, jt: 2, jf: 3, k: 4 },
} as const satisfies Layout;

export const ifreq = {
  header: 'net/if.h',
  name: 'struct ifreq',
  bytes: 40,
  at: { ifr_name: 0, ifr_flags: 16, ifr_mtu: 16, ifr_hwaddr: 16, ifr_ifindex: 16, ifr_data: 16 },
} as const satisfies Layout;

/** Followed by a 32-bit count for each set that is asked for. */
export const ethtoolSsetInfo = {
  header: 'linux/ethtool.h',
  name: 'struct ethtool_sset_info',
  bytes: 16,
  at: { cmd: 0, sset_mask: 8 },
} as const satisfies Layout;

/** Followed by names of ETH_GSTRING_LEN bytes. */
export const ethtoolGstrings = {
  header: 'linux/ethtool.h',
  name: 'struct ethtool_gstrings',
  bytes: 12,
  at: { cmd: 0, string_set: 4, len: 8 },
} as const satisfies Layout;

/** Followed by 64-bit numbers. */
export const ethtoolStats = {
  header: 'linux/ethtool.h',
  name: 'struct ethtool_stats',
  bytes: 8,
  at: { cmd: 0, n_stats: 4 },
} as const satisfies Layout;

export const capHeader = {
  header: 'linux/capability.h',
  name: 'struct __user_cap_header_struct',
  bytes: 8,
  at: { version: 0, pid: 4 },
} as const satisfies Layout;

/** One for each 32 capabilities. */
export const capData = {
  header: 'linux/capability.h',
  name: 'struct __user_cap_data_struct',
  bytes: 12,
  at: { effective: 0, permitted: 4 },
} as const satisfies Layout;

export const timex = {
  header: 'sys/timex.h',
  name: 'struct timex',
  bytes: 208,
  at: { modes: 0, status: 40 },
} as const satisfies Layout;
