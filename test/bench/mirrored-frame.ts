import { finish, pseudoSum, sum } from '../../src/wire/checksum.ts';
import { copyBytes } from '../../src/wire/copy.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as ipv6 from '../../src/wire/ipv6.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';
import * as vxlan from '../../src/wire/vxlan.ts';
import { type Host, host } from '../../samples/make/packets.ts';
import type { Conversation, Turn } from './conversation.ts';

/** Ethernet, IPv4, UDP and VXLAN around a frame. */
export const OUTER_LEN: number = ethernet.HEADER_LEN + ipv4.HEADER_LEN + udp.HEADER_LEN + vxlan.HEADER_LEN;
/** AWS mirrors from source ports of so many values. */
const OUTER_PORTS = 128;
const OUTER_PORT_FIRST = 49_152;
const INTERFACES = 64;
const VNIS = 16;
const APPLIANCE = host(254, '10.255.0.1', '2001:db8:ff::1');
const WINDOW = 0xfaf0;
const TTL = 64;

/** Mirrored interfaces: each has an address and a VNI. */
const sources: readonly Host[] = Array.from({ length: INTERFACES }, (_, index) =>
  host(index + 1, `10.254.0.${index + 1}`, `2001:db8:fe::${index + 1}`),
);

/**
 * Writes one packet of a conversation as a mirror session delivers it.
 *
 * @param cutLen the session's PacketLength: of the frame only so many bytes count
 * @returns offset just past the frame, had it not been cut
 */
export function putMirrored(
  bytes: Buffer,
  view: DataView,
  at: number,
  conversation: Conversation,
  turn: Turn,
  cutLen: number,
): number {
  const innerAt = at + OUTER_LEN;
  const innerEnd = putFrame(bytes, view, innerAt, conversation, turn);
  const end = Math.min(innerEnd, innerAt + cutLen);
  const source = sources[conversation.number % INTERFACES] ?? APPLIANCE;
  const udpLen = end - at - ethernet.HEADER_LEN - ipv4.HEADER_LEN;
  let to = ethernet.emit(bytes, at, APPLIANCE.mac, source.mac, EtherType.ipv4);
  to = ipv4.emit(bytes, to, udpLen + ipv4.HEADER_LEN, 0, 0, TTL, IpProtocol.udp, source.ipv4, APPLIANCE.ipv4);
  const port = OUTER_PORT_FIRST + (conversation.clientPort % OUTER_PORTS);
  to = udp.emit(bytes, to, port, vxlan.DEFAULT_PORT, udpLen, 0);
  vxlan.emit(bytes, to, 1 + (conversation.number % VNIS));
  return innerEnd;
}

function putFrame(
  bytes: Buffer,
  view: DataView,
  at: number,
  { client, server, version, kind, clientPort, serverPort, sequences }: Conversation,
  { fromClient, flags, payload }: Turn,
): number {
  const [from, to] = fromClient ? [client, server] : [server, client];
  const [fromPort, toPort] = fromClient ? [clientPort, serverPort] : [serverPort, clientPort];
  const isUdp = kind === 'dns';
  const protocol = isUdp ? IpProtocol.udp : IpProtocol.tcp;
  const transportLen = (isUdp ? udp.HEADER_LEN : tcp.HEADER_LEN) + payload.length;

  const ipAt = ethernet.emit(bytes, at, to.mac, from.mac, version === 4 ? EtherType.ipv4 : EtherType.ipv6);
  const transportAt =
    version === 4
      ? ipv4.emit(
          bytes,
          ipAt,
          ipv4.HEADER_LEN + transportLen,
          0,
          ipv4.DONT_FRAGMENT,
          TTL,
          protocol,
          from.ipv4,
          to.ipv4,
        )
      : ipv6.emit(bytes, ipAt, transportLen, protocol, TTL, from.ipv6, to.ipv6);
  const end = transportAt + transportLen;
  copyBytes(payload, 0, payload.length, bytes, end - payload.length);

  const own = fromClient ? 0 : 1;
  if (isUdp) udp.emit(bytes, transportAt, fromPort, toPort, transportLen, 0);
  else {
    const acknowledged = (flags & tcp.Flag.ack) === 0 ? 0 : sequences[1 - own];
    tcp.emit(bytes, transportAt, fromPort, toPort, sequences[own] ?? 0, acknowledged ?? 0, flags, WINDOW);
    const takes = (flags & (tcp.Flag.syn | tcp.Flag.fin)) === 0 ? 0 : 1;
    sequences[own] = ((sequences[own] ?? 0) + payload.length + takes) >>> 0;
  }
  const [sourceAt, destinationAt] =
    version === 4
      ? [ipAt + ipv4.SOURCE, ipAt + ipv4.DESTINATION]
      : [ipAt + ipv6.SOURCE, ipAt + ipv6.DESTINATION];
  const pseudo = pseudoSum(view, version, sourceAt, destinationAt, protocol, transportLen);
  const checksum = finish(pseudo + sum(view, transportAt, end)) || (isUdp ? 0xffff : 0);
  view.setUint16(transportAt + (isUdp ? udp.CHECKSUM : tcp.CHECKSUM), checksum);
  return end;
}
