/** Inner frames that lie. All of them came through a valid tunnel header, so all of them are delivered. */
import { EtherType } from '../../src/wire/ether-type.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import { changed, type HostilePacket } from './hostile-packet.ts';
import { innerFrame, tunnel } from './hostile-vxlan.ts';
import { mirrored } from './mirrored.ts';
import { frame, frame4, ipv6Packet, opaque, tcpSegment, udpDatagram } from './packets.ts';
import { client, server } from './traffic.ts';

/** Offsets in an untagged frame over IPv4. */
const IP = 14;
const TRANSPORT = 34;

export function hostileInner(): HostilePacket[] {
  const segment = tcpSegment({
    sourcePort: 1,
    destinationPort: 2,
    sequence: 3,
    acknowledgement: 0,
    flags: 0xff,
  });
  const overTcp = frame4(client, server, segment);
  const nested = frame(
    client.mac,
    server.mac,
    innerFrame.subarray(IP),
    EtherType.ipv4,
    Array.from({ length: 20 }, (_, i) => i),
  );
  const frames: readonly (readonly [what: string, bytes: Buffer])[] = [
    ['IPv4 header of three words inside', set(innerFrame, IP, 0x43)],
    ['IPv4 header of fifteen words inside, five there', set(innerFrame, IP, 0x4f)],
    ['IP version 7 inside', set(innerFrame, IP, 0x75)],
    ['IPv4 total length 65535 inside', set(innerFrame, IP + 2, 0xff, 0xff)],
    ['IPv4 total length 0 inside', set(innerFrame, IP + 2, 0, 0)],
    ['IPv4 total length 19 inside', set(innerFrame, IP + 2, 0, 19)],
    ['IPv4 header checksum wrong inside', set(innerFrame, IP + 10, 0xde, 0xad)],
    ['a fragment at the largest offset inside', set(innerFrame, IP + 6, 0x1f, 0xff)],
    ['UDP length 3 inside', set(innerFrame, TRANSPORT + 4, 0, 3)],
    ['UDP length 65535 inside', set(innerFrame, TRANSPORT + 4, 0xff, 0xff)],
    ['TCP header of two words, all flags, inside', set(overTcp, TRANSPORT + 12, 0x20)],
    ['TCP header of fifteen words, five there, inside', set(overTcp, TRANSPORT + 12, 0xf0)],
    ['twenty VLAN tags inside', nested],
    ['a VLAN tag at the end of the frame inside', nested.subarray(0, 16)],
    ['an IEEE 802.3 length instead of an EtherType inside', set(innerFrame, 12, 0, 38)],
    ['two hardware addresses and nothing else inside', innerFrame.subarray(0, 12)],
    [
      'IPv6, forty extension headers inside',
      ipv6(IpProtocol.destinationOptions, `${'3c00010400000000'.repeat(39)}1100010400000000`),
    ],
    ['IPv6, an extension header past the end inside', ipv6(IpProtocol.hopByHop, '11ff010400000000')],
    ['IPv6, a routing header of an unknown type inside', ipv6(IpProtocol.routing, '1100fe0100000000')],
    ['IPv6, payload length 0 inside', set(ipv6(IpProtocol.udp, ''), IP + 4, 0, 0)],
  ];
  return frames.map(([what, bytes]) => ({ what, outcome: 'delivered', bytes: mirrored(tunnel, bytes) }));
}

function ipv6(first: number, extensions: string): Buffer {
  const inner = opaque(IpProtocol.udp, udpDatagram(4000, 4001, Buffer.from('six')).bytes);
  const packet = ipv6Packet(client.ipv6, server.ipv6, inner, {}, first, Buffer.from(extensions, 'hex'));
  return frame(client.mac, server.mac, packet, EtherType.ipv6);
}

function set(bytes: Buffer, at: number, ...values: readonly number[]): Buffer {
  return changed(bytes, (copy) => copy.set(values, at));
}
