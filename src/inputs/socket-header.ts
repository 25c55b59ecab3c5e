import { family as families } from '../native/constants.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as udp from '../wire/udp.ts';
import { family, INET6_ADDRESS, INET_ADDRESS, port } from './socket-address.ts';

/** Most bytes that `writeSocketHeader` puts in front of a payload. */
export const HEADER_MAX_LEN = ipv6.HEADER_LEN + udp.HEADER_LEN;

/** First 32 bits of the headers, without what is zero and the length. */
const IPV4_FIRST_WORD = 0x4500_0000;
const IPV6_FIRST_WORD = 0x6000_0000;

/** An IPv4-mapped address begins with ten zero bytes and these two (RFC 4291 section 2.5.5.2), then come four. */
const MAPPED_MARK = 0xffff;
const MAPPED_ADDRESS = 12;

/**
 * Puts back the IP and UDP header that the kernel took off a datagram, so that a datagram from a socket and a packet
 * from a ring or a file take the same way through the receiver. Allocates nothing.
 *
 * The destination address stays zero (the socket API does not tell it), and so do all checksums: the kernel has
 * verified them. A sender with an IPv4-mapped address gets an IPv4 header, one of an unknown family 0.0.0.0.
 *
 * @param block           where the headers go, at `at`; `HEADER_MAX_LEN` bytes are there
 * @param sender          a `sockaddr_in` or `sockaddr_in6` at `senderAt`, all its bytes
 * @param destinationPort port of the socket
 * @param payloadLength   bytes of UDP payload, at most 65,507 (IPv4) or 65,527 (IPv6)
 * @returns offset of the payload
 */
export function writeSocketHeader(
  block: DataView,
  at: number,
  sender: DataView,
  senderAt: number,
  destinationPort: number,
  payloadLength: number,
): number {
  const udpLength = udp.HEADER_LEN + payloadLength;
  const udpAt =
    family(sender, senderAt) === families.AF_INET6
      ? writeFromInet6(block, at, sender, senderAt + INET6_ADDRESS, udpLength)
      : writeIpv4(block, at, inetAddress(sender, senderAt), udpLength);
  block.setInt32(udpAt, (port(sender, senderAt) << 16) | destinationPort);
  // the low half is the checksum
  block.setInt32(udpAt + 4, udpLength << 16);
  return udpAt + udp.HEADER_LEN;
}

function inetAddress(sender: DataView, senderAt: number): number {
  return family(sender, senderAt) === families.AF_INET ? sender.getInt32(senderAt + INET_ADDRESS) : 0;
}

function writeFromInet6(
  block: DataView,
  at: number,
  sender: DataView,
  addressAt: number,
  udpLength: number,
): number {
  const first = sender.getInt32(addressAt);
  const second = sender.getInt32(addressAt + 4);
  const third = sender.getInt32(addressAt + 8);
  const last = sender.getInt32(addressAt + MAPPED_ADDRESS);
  if (first === 0 && second === 0 && third === MAPPED_MARK) return writeIpv4(block, at, last, udpLength);

  block.setInt32(at, IPV6_FIRST_WORD);
  // payload length, next header, hop limit
  block.setInt32(at + 4, (udpLength << 16) | (IpProtocol.udp << 8));
  const sourceAt = at + ipv6.SOURCE;
  block.setInt32(sourceAt, first);
  block.setInt32(sourceAt + 4, second);
  block.setInt32(sourceAt + 8, third);
  block.setInt32(sourceAt + 12, last);
  const destinationAt = at + ipv6.DESTINATION;
  for (let i = 0; i < ipv6.ADDRESS_LEN; i += 4) block.setInt32(destinationAt + i, 0);
  return at + ipv6.HEADER_LEN;
}

function writeIpv4(block: DataView, at: number, source: number, udpLength: number): number {
  block.setInt32(at, IPV4_FIRST_WORD | (ipv4.HEADER_LEN + udpLength));
  // identification, flags and fragment offset
  block.setInt32(at + 4, 0);
  // time to live, protocol, checksum
  block.setInt32(at + 8, IpProtocol.udp << 16);
  block.setInt32(at + ipv4.SOURCE, source);
  block.setInt32(at + ipv4.DESTINATION, 0);
  return at + ipv4.HEADER_LEN;
}
