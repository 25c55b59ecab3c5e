/**
 * Community ID, version 1: one short name for a flow that many tools compute alike.
 *
 *   "1:" + base64(SHA-1(seed, address A, address B, protocol, 0, port A, port B))
 *
 * The endpoint with the smaller address, then port, is A. Addresses are 4 or 16 bytes, seed and ports 16 bits in
 * network byte order, protocol one byte. Protocols without ports leave both out. For ICMP and ICMPv6 the type
 * and the type that answers it act as ports; a type without answer and its code do, and then the order stays
 * as it is. Source: Corelight, Community ID Flow Hashing specification, version 1.
 */
import { putU16 } from './bytes.ts';
import { COUNTERPART as ICMP_COUNTERPART, ONE_WAY } from './icmp.ts';
import { COUNTERPART as ICMPV6_COUNTERPART } from './icmpv6.ts';
import { IpProtocol } from './ip-protocol.ts';
import { ADDRESS_LEN as IPV4_ADDRESS_LEN } from './ipv4.ts';
import { ADDRESS_LEN as IPV6_ADDRESS_LEN } from './ipv6.ts';

/** Most bytes that `writeTuple` writes: an IPv6 flow with ports. */
export const TUPLE_MAX_LEN = 40;

/**
 * Writes what is hashed to the start of `out` and returns its length in bytes.
 *
 * @param seed            0..65535; 0 unless the user runs several id spaces
 * @param version         4 or 6
 * @param sourceAt        byte offset of the source address in `bytes`
 * @param destinationAt   byte offset of the destination address
 * @param protocol        an `IpProtocol`
 * @param sourcePort      source port; with ICMP and ICMPv6 the type
 * @param destinationPort destination port; with ICMP and ICMPv6 the code
 * @param hasPorts        false where the two are unknown (fragments, cut packets) or the protocol has none
 */
export function writeTuple(
  out: Uint8Array,
  seed: number,
  bytes: Uint8Array,
  version: number,
  sourceAt: number,
  destinationAt: number,
  protocol: number,
  sourcePort: number,
  destinationPort: number,
  hasPorts: boolean,
): number {
  const answer = hasPorts ? answerTo(protocol, sourcePort) : ONE_WAY;
  const secondPort = answer === ONE_WAY ? destinationPort : answer;
  const oneWay = answer === ONE_WAY && hasPorts && isIcmp(protocol);
  const addressLen = version === 4 ? IPV4_ADDRESS_LEN : IPV6_ADDRESS_LEN;
  const order = compare(bytes, sourceAt, destinationAt, addressLen);
  const swap = !oneWay && (order > 0 || (order === 0 && hasPorts && sourcePort > secondPort));

  putU16(out, 0, seed);
  const firstAt = swap ? destinationAt : sourceAt;
  const lastAt = swap ? sourceAt : destinationAt;
  for (let i = 0; i < addressLen; i++) {
    out[2 + i] = bytes[firstAt + i]!;
    out[2 + addressLen + i] = bytes[lastAt + i]!;
  }
  const at = 2 + 2 * addressLen;
  out[at] = protocol;
  out[at + 1] = 0;
  if (!hasPorts) return at + 2;

  putU16(out, at + 2, swap ? secondPort : sourcePort);
  putU16(out, at + 4, swap ? sourcePort : secondPort);
  return at + 6;
}

/** The id of a tuple; `sha1` is handed in because this room computes no hashes. */
export function communityId(tuple: Uint8Array, sha1: (bytes: Uint8Array) => Uint8Array): string {
  const hash = sha1(tuple);
  return `1:${Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('base64')}`;
}

function isIcmp(protocol: number): boolean {
  return protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6;
}

function answerTo(protocol: number, type: number): number {
  if (protocol === IpProtocol.icmp) return ICMP_COUNTERPART[type]!;
  return protocol === IpProtocol.icmpv6 ? ICMPV6_COUNTERPART[type]! : ONE_WAY;
}

/** Difference of the first bytes that differ, 0 for equal addresses. */
function compare(bytes: Uint8Array, aAt: number, bAt: number, len: number): number {
  for (let i = 0; i < len; i++) {
    const difference = bytes[aAt + i]! - bytes[bAt + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
