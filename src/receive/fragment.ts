import { type Innermost, Ports } from '../packet/innermost.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';

/** Smallest fragment but the last: offsets count units of it. */
const UNIT = 8;
/** A TCP header up to its flags: less in a first fragment hides them from filters (RFC 1858 section 3, RFC 3128). */
const TCP_FILTERED_LEN = 16;
const PORTS_LEN = 4;

/** What of one fragment is not in `Innermost`. One instance serves all packets. */
export class Fragment {
  /** 16 bits in IPv4, 32 in IPv6. */
  identification = 0;
  /** Byte offset of its data in the packet's payload, a multiple of 8; 0 for the first. */
  offset = 0;
  /** 0 for the last. */
  more = 0;
  /** Bytes of its data, by the length in its IP header. */
  dataLen = 0;
  /** Those of them that are the transport's; 0 where an IPv6 header chain goes on behind the first fragment. */
  transportLen = 0;
}

/**
 * Says whether a filter would be evaded by the size of this fragment: a first one without ports or TCP flags, or any but
 * the last shorter than the unit of offsets. What was cut counts as it was sent.
 */
export function isTiny({ offset, more, dataLen, transportLen }: Fragment, out: Innermost): boolean {
  if (more === 1 && dataLen < UNIT) return true;
  if (offset !== 0) return false;
  if (out.protocol === IpProtocol.tcp) return transportLen < TCP_FILTERED_LEN;
  return out.ports !== Ports.none && transportLen < PORTS_LEN;
}
