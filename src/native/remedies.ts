/** What an operator can do about a refusal; the first row that fits is told. */
interface Remedy {
  readonly errno: readonly string[];
  /** Left out: any call. */
  readonly call?: string;
  /** Left out: whatever it was about. */
  readonly what?: RegExp;
  readonly remedy: string;
}

const NET_RAW =
  'It needs the capability CAP_NET_RAW: run as root, give it to the program (setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"), or to the container (docker run --cap-add NET_RAW).';

const remedies: readonly Remedy[] = [
  {
    errno: ['EPERM', 'EACCES'],
    call: 'bind',
    remedy: 'Ports below 1024 need the capability CAP_NET_BIND_SERVICE.',
  },
  {
    errno: ['EPERM', 'EACCES'],
    what: /^SO_(RCV|SND)BUFFORCE$/,
    remedy: 'It needs the capability CAP_NET_ADMIN; without it net.core.rmem_max is the limit.',
  },
  { errno: ['EPERM', 'EACCES'], call: 'socket', what: /PACKET/, remedy: NET_RAW },
  { errno: ['EPERM', 'EACCES'], what: /^(PACKET_|SO_BINDTODEVICE)/, remedy: NET_RAW },
  {
    errno: ['ENOMEM', 'ENOBUFS'],
    what: /^PACKET_(RX|TX)_RING$/,
    remedy: 'There is not enough memory in large pieces for the ring: make listen.ring.bytes smaller.',
  },
  {
    errno: ['ENOMEM', 'EAGAIN'],
    call: 'mmap',
    remedy:
      'There is not enough memory for the ring: make listen.ring.bytes smaller, or allow more (ulimit -l, ulimit -v).',
  },
  {
    errno: ['ENOMEM', 'ENOBUFS'],
    what: /^SO_ATTACH_/,
    remedy: 'The limit for filters of a socket is reached: make net.core.optmem_max larger.',
  },
  {
    errno: ['EADDRINUSE'],
    remedy: 'Another program has this port: ss -lunp names it. Stop it, or set other listen ports.',
  },
  {
    errno: ['EADDRNOTAVAIL'],
    remedy: 'No interface of this machine has this address: see listen.address, and ip address.',
  },
  {
    errno: ['ENODEV', 'ENXIO'],
    remedy: 'There is no network interface of that name or number: ip link lists those that there are.',
  },
  { errno: ['ENETDOWN'], remedy: 'The network interface is down: ip link set NAME up.' },
  {
    errno: ['EMFILE'],
    remedy: 'The process has as many files open as it may: raise its limit (ulimit -n, LimitNOFILE).',
  },
  { errno: ['ENFILE'], remedy: 'The system has as many files open as it may: raise fs.file-max.' },
  {
    errno: ['EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT'],
    remedy: 'This kernel lacks the protocol, or IPv6 is switched off (net.ipv6.conf.all.disable_ipv6).',
  },
  {
    errno: ['ENOPROTOOPT'],
    remedy: 'This kernel does not know the option: it is older than the option, or built without it.',
  },
  {
    errno: ['EPERM', 'EACCES', 'ENOSYS'],
    remedy:
      'The system call may be forbidden to this process: see the seccomp profile of the container or service.',
  },
];

/**
 * What helps when `call` failed with `errno`; `undefined` where nothing in general does.
 *
 * @param errno name of the error number, as in `EPERM`
 * @param what what the call was about, as in `PACKET_RX_RING`
 */
export function remedyFor(call: string, errno: string, what: string): string | undefined {
  return remedies.find(
    (row) =>
      row.errno.includes(errno) &&
      (row.call === undefined || row.call === call) &&
      (row.what === undefined || row.what.test(what)),
  )?.remedy;
}
