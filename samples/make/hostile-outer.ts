/** Outer packets whose lengths lie, which are cut, fragmented, tagged, or no UDP at all. */
import { EtherType } from '../../src/wire/ether-type.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import { Flag } from '../../src/wire/tcp.ts';
import { changed, type HostilePacket } from './hostile-packet.ts';
import { innerFrame, tunnel } from './hostile-vxlan.ts';
import { mirrored } from './mirrored.ts';
import { frame, frame4, ipv6Packet, opaque, tcpSegment } from './packets.ts';
import { appliance } from './sessions.ts';
import { client } from './traffic.ts';

/** Offsets in an untagged packet over IPv4. */
const IP = 14;
const UDP = 34;

export function hostileOuter(): HostilePacket[] {
  const good = mirrored(tunnel, innerFrame);
  const ipPacket = good.subarray(IP);
  const tagged = (tags: readonly number[]): Buffer =>
    frame(client.mac, appliance.mac, ipPacket, EtherType.ipv4, tags);
  const toTcpPort = tcpSegment({
    sourcePort: 50_000,
    destinationPort: 4789,
    sequence: 1,
    acknowledgement: 0,
    flags: Flag.syn,
  });
  return [
    { what: 'IPv4 header of four words', outcome: 'notTunnel', bytes: byte(good, IP, 0x44) },
    { what: 'IPv4 header of fifteen words, five there', outcome: 'notTunnel', bytes: byte(good, IP, 0x4f) },
    { what: 'IPv4 EtherType, IP version 5', outcome: 'notTunnel', bytes: byte(good, IP, 0x55) },
    { what: 'IPv4 total length inside the header', outcome: 'udpTruncated', bytes: word(good, IP + 2, 10) },
    { what: 'IPv4 total length 0', outcome: 'delivered', bytes: word(good, IP + 2, 0) },
    { what: 'IPv4 total length 65535', outcome: 'delivered', bytes: word(good, IP + 2, 0xffff) },
    { what: 'UDP length 7', outcome: 'udpLength', bytes: word(good, UDP + 4, 7) },
    { what: 'UDP length 0', outcome: 'delivered', bytes: word(good, UDP + 4, 0) },
    { what: 'UDP length past the IP packet', outcome: 'delivered', bytes: word(good, UDP + 4, 0xffff) },
    {
      what: 'UDP length ends inside the frame',
      outcome: 'delivered',
      bytes: word(good, UDP + 4, 8 + 8 + 20),
    },
    { what: 'the first of several fragments', outcome: 'outerFragment', bytes: word(good, IP + 6, 0x2000) },
    { what: 'a later fragment', outcome: 'outerFragment', bytes: word(good, IP + 6, 0x2010) },
    {
      what: 'capture cut behind the IP header',
      outcome: 'udpTruncated',
      bytes: good.subarray(0, UDP),
      wireLen: good.length,
    },
    {
      what: 'capture cut inside the UDP header',
      outcome: 'udpTruncated',
      bytes: good.subarray(0, UDP + 5),
      wireLen: good.length,
    },
    {
      what: 'capture cut inside the IP header',
      outcome: 'notTunnel',
      bytes: good.subarray(0, UDP - 1),
      wireLen: good.length,
    },
    {
      what: 'capture cut inside the Ethernet header',
      outcome: 'notTunnel',
      bytes: good.subarray(0, 13),
      wireLen: good.length,
    },
    {
      what: 'a capture that kept no byte',
      outcome: 'notTunnel',
      bytes: Buffer.alloc(0),
      wireLen: good.length,
    },
    { what: 'a packet of no bytes', outcome: 'notTunnel', bytes: Buffer.alloc(0) },
    { what: 'one VLAN tag outside', outcome: 'delivered', bytes: tagged([100]) },
    { what: 'two VLAN tags outside', outcome: 'delivered', bytes: tagged([30, 200]) },
    {
      what: 'twelve VLAN tags outside',
      outcome: 'notTunnel',
      bytes: tagged(Array.from({ length: 12 }, (_, i) => i)),
    },
    { what: 'a VLAN tag and nothing behind it', outcome: 'notTunnel', bytes: tagged([100]).subarray(0, 18) },
    { what: 'TCP to port 4789', outcome: 'notTunnel', bytes: frame4(client, appliance, toTcpPort) },
    {
      what: 'a protocol without ports',
      outcome: 'notTunnel',
      bytes: frame4(client, appliance, opaque(IpProtocol.ospf, Buffer.alloc(24))),
    },
    ...overIpv6(good.subarray(UDP)),
  ];
}

/** @param datagram UDP header and payload */
function overIpv6(datagram: Buffer): HostilePacket[] {
  const make = (first: number, extensions: string): Buffer => {
    const bytes = Buffer.from(extensions.replaceAll(' ', ''), 'hex');
    const packet = ipv6Packet(
      client.ipv6,
      appliance.ipv6,
      opaque(IpProtocol.udp, datagram),
      {},
      first,
      bytes,
    );
    return frame(client.mac, appliance.mac, packet, EtherType.ipv6);
  };
  const { hopByHop, destinationOptions, fragment, udp, noNextHeader } = IpProtocol;
  return [
    {
      what: 'IPv6, hop-by-hop and destination options',
      outcome: 'delivered',
      bytes: make(hopByHop, '3c00010400000000 1100010400000000'),
    },
    {
      what: 'IPv6, a fragment header around a whole packet',
      outcome: 'delivered',
      bytes: make(fragment, '1100000000000001'),
    },
    { what: 'IPv6, the first fragment', outcome: 'outerFragment', bytes: make(fragment, '1100000100000001') },
    { what: 'IPv6, a later fragment', outcome: 'outerFragment', bytes: make(fragment, '1100010100000001') },
    {
      what: 'IPv6, thirty extension headers',
      outcome: 'notTunnel',
      bytes: make(destinationOptions, `${'3c00010400000000'.repeat(29)}1100010400000000`),
    },
    {
      what: 'IPv6, an extension header past the end',
      outcome: 'notTunnel',
      bytes: make(destinationOptions, '11ff010400000000'),
    },
    { what: 'IPv6, nothing is said to follow', outcome: 'notTunnel', bytes: make(noNextHeader, '') },
    { what: 'IPv6 header cut', outcome: 'notTunnel', bytes: make(udp, '').subarray(0, 50) },
  ];
}

function byte(packet: Buffer, at: number, value: number): Buffer {
  return changed(packet, (bytes) => bytes.writeUInt8(value, at));
}

function word(packet: Buffer, at: number, value: number): Buffer {
  return changed(packet, (bytes) => bytes.writeUInt16BE(value, at));
}
