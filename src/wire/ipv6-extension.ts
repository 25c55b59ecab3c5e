/**
 * IPv6 extension headers, RFC 8200 section 4. Each begins with the number of what follows it:
 *
 *   hop-by-hop, destination options, routing   byte 0 next header, byte 1 length in 8-byte units beyond the first
 *   fragment                                   eight bytes: next header, reserved, offset and M flag, identification
 *   authentication (RFC 4302)                  byte 0 next header, byte 1 length in 4-byte units minus 2
 *
 * A walk ends at the first header that is none of these. Mobility, HIP and Shim6, which RFC 7045 also lists, end
 * it: the first two carry a checksum of their own and nothing behind them (RFC 6275 section 6.1.1, RFC 7401
 * section 5.1), and behind Shim6 the addresses of the IP header are not those that the transport's checksum covers
 * (RFC 5533). ESP ends it because what follows is encrypted. A hop-by-hop header is accepted anywhere.
 */
import { u16 } from './bytes.ts';
import { IpProtocol } from './ip-protocol.ts';
import { DESTINATION, HEADER_LEN, nextHeader } from './ipv6.ts';

/** Most extension headers that are followed in one packet. */
export const MAX_EXTENSIONS = 16;

/** What no offset points to. */
export const ABSENT = -1;

/** Bytes of a fragment header. */
export const FRAGMENT_LEN = 8;
const ROUTING_FIXED_LEN = 8;
const ADDRESS_LEN = 16;

/** What a walk found. One instance serves all packets; `walk` sets every field each time. */
export class ExtensionWalk {
  /** Number of the header at `transportAt`; of the one where the walk had to stop if that is ABSENT. */
  protocol = 0;
  /** First byte behind the extension headers; ABSENT where they are cut and in later fragments. */
  transportAt = ABSENT;
  /** 1 where all extension headers arrived whole, within MAX_EXTENSIONS. */
  complete = 0;
  /** 1 in any fragment, the first included; 0 with a fragment header around a whole packet (RFC 6946). */
  fragment = 0;
  /** Where this fragment's data belongs in the packet's fragmentable part, in bytes. */
  fragmentOffset = 0;
  /** 1 where fragments follow this one. */
  moreFragments = 0;
  /** The fragment header that the three are from, whose identification is in its bytes 4-7; ABSENT without one. */
  fragmentAt = ABSENT;
  /**
   * Address that the pseudo-header takes as destination (RFC 8200 section 8.1): the header's own, or the final
   * one of a routing header on its way. ABSENT where that header's type is unknown or its address list too short.
   */
  pseudoDestinationAt = ABSENT;
}

/**
 * Follows the extension headers of the IPv6 packet at `ipAt`, whose forty bytes the caller has checked, and
 * writes what it finds to `out`. `end` is one past the last byte that arrived; nothing past it is read.
 */
export function walk(bytes: Uint8Array, ipAt: number, end: number, out: ExtensionWalk): void {
  out.transportAt = ABSENT;
  out.complete = 0;
  out.fragment = 0;
  out.fragmentOffset = 0;
  out.moreFragments = 0;
  out.fragmentAt = ABSENT;
  out.pseudoDestinationAt = ipAt + DESTINATION;
  out.protocol = nextHeader(bytes, ipAt);

  let at = ipAt + HEADER_LEN;
  for (let count = 0; isExtension(out.protocol); count++) {
    if (count === MAX_EXTENSIONS || end - at < 2) return;
    const len = extensionLen(bytes, at, out.protocol);
    if (end - at < len) return;

    if (out.protocol === IpProtocol.routing) readRouting(bytes, at, len, out);
    if (out.protocol === IpProtocol.fragment) readFragment(bytes, at, out);
    out.protocol = bytes[at]!;
    at += len;
    if (out.fragmentOffset !== 0) {
      out.complete = 1;
      return;
    }
  }
  out.complete = 1;
  out.transportAt = at;
}

/** Says whether a walk goes through headers of this number. */
export function isExtension(protocol: number): boolean {
  return (
    protocol === IpProtocol.hopByHop ||
    protocol === IpProtocol.routing ||
    protocol === IpProtocol.fragment ||
    protocol === IpProtocol.ah ||
    protocol === IpProtocol.destinationOptions
  );
}

/** Bytes of the extension header at `at`, at least 8; reads its first two bytes. */
function extensionLen(bytes: Uint8Array, at: number, protocol: number): number {
  if (protocol === IpProtocol.fragment) return FRAGMENT_LEN;
  if (protocol === IpProtocol.ah) return (bytes[at + 1]! + 2) * 4;
  return (bytes[at + 1]! + 1) * 8;
}

/** Fragment header: byte 2-3 hold the offset in 8-byte units (13 bits), two reserved bits and the M flag. */
function readFragment(bytes: Uint8Array, at: number, out: ExtensionWalk): void {
  const field = u16(bytes, at + 2);
  out.fragmentAt = at;
  out.fragmentOffset = field & 0xfff8;
  out.moreFragments = field & 1;
  out.fragment = out.fragmentOffset !== 0 || out.moreFragments === 1 ? 1 : 0;
}

/** Routing header: byte 2 type, byte 3 segments left; addresses from byte 8 on. */
function readRouting(bytes: Uint8Array, at: number, len: number, out: ExtensionWalk): void {
  const segmentsLeft = bytes[at + 3]!;
  if (segmentsLeft === 0) return;

  const addresses = Math.floor((len - ROUTING_FIXED_LEN) / ADDRESS_LEN);
  const type = bytes[at + 2]!;
  if (segmentsLeft > addresses) out.pseudoDestinationAt = ABSENT;
  else out.pseudoDestinationAt = finalAddressAt(type, at + ROUTING_FIXED_LEN, addresses);
}

/**
 * Where the last destination stands in a list of addresses: at the end in types 0 (RFC 2460 section 4.4) and
 * 2 (RFC 6275 section 6.4), first in the segment routing header, type 4 (RFC 8754 section 2), which runs backwards.
 */
function finalAddressAt(type: number, listAt: number, addresses: number): number {
  if (type === 0 || type === 2) return listAt + (addresses - 1) * ADDRESS_LEN;
  return type === 4 ? listAt : ABSENT;
}
