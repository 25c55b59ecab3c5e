import { parseAddress } from '../wire/address.ts';
import { putU16 } from '../wire/bytes.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as udp from '../wire/udp.ts';

/** Most bytes that `write` puts in front of a payload. */
export const HEADER_MAX_LEN = ipv6.HEADER_LEN + udp.HEADER_LEN;

/** Senders whose parsed address is remembered; past it the memory starts afresh. */
const SENDERS_MAX = 4096;

/**
 * Puts back the IP and UDP header that the kernel took off a datagram, so that a datagram from a socket and a
 * packet from a ring or a file take the same way through the receiver.
 *
 * The destination address stays zero (the socket API does not tell it), and so do all checksums: the kernel
 * has verified them.
 */
export class SocketHeader {
  readonly #senders = new Map<string, Uint8Array>();

  /**
   * Writes the headers of a datagram at `at` and returns the offset of its payload.
   *
   * @param sender        textual source address as the socket API gives it; an IPv4-mapped one counts as IPv4
   * @param payloadLength bytes of UDP payload, at most 65,507 (IPv4) or 65,527 (IPv6)
   */
  write(
    bytes: Buffer,
    at: number,
    sender: string,
    sourcePort: number,
    destinationPort: number,
    payloadLength: number,
  ): number {
    const address = this.#senders.get(sender) ?? this.#learn(sender);
    const udpLength = udp.HEADER_LEN + payloadLength;
    const isIpv4 = address.length === 4;
    const headerLen = isIpv4 ? ipv4.HEADER_LEN : ipv6.HEADER_LEN;
    const udpAt = at + headerLen;
    bytes.fill(0, at, udpAt + udp.HEADER_LEN);
    if (isIpv4) {
      bytes[at] = 0x45;
      putU16(bytes, at + 2, headerLen + udpLength);
      bytes[at + 9] = IpProtocol.udp;
      bytes.set(address, at + ipv4.SOURCE);
    } else {
      bytes[at] = 0x60;
      putU16(bytes, at + 4, udpLength);
      bytes[at + 6] = IpProtocol.udp;
      bytes.set(address, at + ipv6.SOURCE);
    }
    putU16(bytes, udpAt, sourcePort);
    putU16(bytes, udpAt + 2, destinationPort);
    putU16(bytes, udpAt + 4, udpLength);
    return udpAt + udp.HEADER_LEN;
  }

  #learn(sender: string): Uint8Array {
    if (this.#senders.size >= SENDERS_MAX) this.#senders.clear();
    const plain =
      sender.startsWith('::ffff:') && sender.includes('.') ? sender.slice('::ffff:'.length) : sender;
    const zone = plain.indexOf('%');
    const parsed = parseAddress(zone < 0 ? plain : plain.slice(0, zone));
    const address = parsed?.bytes ?? new Uint8Array(4);
    this.#senders.set(sender, address);
    return address;
  }
}
