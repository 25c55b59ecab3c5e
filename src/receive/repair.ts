import { ABSENT, type Layers } from '../packet/layers.ts';
import type { Block } from '../wire/block.ts';
import * as checksum from '../wire/checksum.ts';
import * as icmp from '../wire/icmp.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as tcp from '../wire/tcp.ts';
import * as udp from '../wire/udp.ts';

const IPV4_CHECKSUM = 10;
const ICMP_CHECKSUM_END = icmp.CHECKSUM + 2;
const ALL_ONES = 0xffff;

/**
 * Says whether a whole inner IPv4 header has a wrong checksum, in a packet of which nothing is missing, the length in its
 * header neither.
 */
export function isHeaderWrong(view: DataView, bytes: Uint8Array, layers: Layers): boolean {
  if (layers.ipVersion !== 4 || layers.ipHeaderComplete === 0 || layers.truncated === 1) return false;
  if (layers.ipEnd === ABSENT) return false;
  const at = layers.ipAt;
  return checksum.fold(checksum.sum(view, at, at + ipv4.headerLen(bytes, at))) !== ALL_ONES;
}

/** Writes the right checksum into the inner IPv4 header, which is whole. */
export function completeHeader({ bytes, view }: Block, layers: Layers): void {
  const at = layers.ipAt;
  view.setUint16(at + IPV4_CHECKSUM, 0);
  view.setUint16(at + IPV4_CHECKSUM, checksum.finish(checksum.sum(view, at, at + ipv4.headerLen(bytes, at))));
}

/**
 * One past the last byte that the inner transport's checksum covers; ABSENT where it cannot be completed: not TCP, UDP, ICMP
 * or ICMPv6, cut, a fragment, a header or length that does not fit, no IP length (what is missing is then unknown), UDP
 * without a checksum.
 */
export function coveredEnd(bytes: Uint8Array, layers: Layers): number {
  const { transportAt: at, ipEnd: end } = layers;
  if (layers.truncated === 1 || layers.fragment === 1 || at === ABSENT || end === ABSENT) return ABSENT;
  switch (layers.protocol) {
    case IpProtocol.tcp:
      return at + tcp.HEADER_LEN <= end && layers.pseudoDestinationAt !== ABSENT ? end : ABSENT;
    case IpProtocol.udp:
      return layers.pseudoDestinationAt === ABSENT ? ABSENT : udpEnd(bytes, at, end);
    case IpProtocol.icmp:
      return layers.ipVersion === 4 && at + ICMP_CHECKSUM_END <= end ? end : ABSENT;
    case IpProtocol.icmpv6:
      if (layers.ipVersion !== 6 || layers.pseudoDestinationAt === ABSENT) return ABSENT;
      return at + ICMP_CHECKSUM_END <= end ? end : ABSENT;
    default:
      return ABSENT;
  }
}

function udpEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at + udp.HEADER_LEN > end || udp.checksum(bytes, at) === 0) return ABSENT;
  const length = udp.length(bytes, at);
  // 0: the length did not fit its field (RFC 2675), the datagram fills the packet
  if (length === 0) return end;
  return length < udp.HEADER_LEN || at + length > end ? ABSENT : at + length;
}

/**
 * Writes the right checksum into the inner transport header; `end` is what `coveredEnd` says.
 *
 * @param zerosFrom from here to `end` every byte is 0, which the sum need not look at
 */
export function completeTransport({ view }: Block, layers: Layers, end: number, zerosFrom = end): void {
  const { transportAt: at, protocol } = layers;
  const fieldAt = at + fieldOffset(protocol);
  view.setUint16(fieldAt, 0);
  let total = checksum.sum(view, at, Math.min(end, zerosFrom));
  if (protocol !== IpProtocol.icmp) {
    const sourceAt = layers.ipAt + (layers.ipVersion === 4 ? ipv4.SOURCE : ipv6.SOURCE);
    const { ipVersion, pseudoDestinationAt } = layers;
    total += checksum.pseudoSum(view, ipVersion, sourceAt, pseudoDestinationAt, protocol, end - at);
  }
  const value = checksum.finish(total);
  // 0 would say that there is none (RFC 768)
  view.setUint16(fieldAt, value === 0 && protocol === IpProtocol.udp ? ALL_ONES : value);
}

function fieldOffset(protocol: number): number {
  if (protocol === IpProtocol.tcp) return tcp.CHECKSUM;
  return protocol === IpProtocol.udp ? udp.CHECKSUM : icmp.CHECKSUM;
}
