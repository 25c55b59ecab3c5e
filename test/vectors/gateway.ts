/** GENEVE around IP, UDP and VXLAN: what a Gateway Load Balancer delivers of a mirror session, and look-alikes. */
import {
  frame,
  ipv6Packet,
  opaque,
  tcpSegment,
  udpDatagram,
  ipv4Packet,
} from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import { hex } from '../support/hex.ts';
import {
  carried,
  change,
  delivered,
  from4,
  geneve,
  gwlb,
  inner,
  mirror4,
  mirror6,
  type Outcome,
  resolver,
  vxlan,
} from '../support/tunnels.ts';

const { ethernet, ipv4, ipv6 } = EtherType;
const gwlbLane = (vni: number): string => `geneve+vxlan ${vni} 0a1b2c3d4e5f6071 ethernet`;

/** UDP payload to the GENEVE port, and what becomes of it. */
export const nestedRows: [name: string, payload: Uint8Array, expected: Outcome][] = [
  ['IPv4', geneve(ipv4, carried(4), gwlb), delivered(gwlbLane(42), inner, mirror4)],
  ['IPv6', geneve(ipv6, carried(6), gwlb), delivered(gwlbLane(42), inner, mirror6)],
  ['without options', geneve(ipv4, carried(4)), delivered('geneve+vxlan 42 - ethernet', inner, mirror4)],
  [
    'an empty frame',
    geneve(ipv4, carried(4, vxlan(new Uint8Array())), gwlb),
    delivered(gwlbLane(42), new Uint8Array(), mirror4),
  ],
  ['IPv4 options', geneve(ipv4, ipv4Options(carried(4)), gwlb), delivered(gwlbLane(42), inner, mirror4)],
  [
    'IPv6 destination options',
    geneve(ipv6, extended('1100010400000000', IpProtocol.destinationOptions), gwlb),
    delivered(gwlbLane(42), inner, mirror6),
  ],
  [
    'an IPv4 length of 0',
    geneve(ipv4, change(carried(4), 2, '0000'), gwlb),
    delivered(gwlbLane(42), inner, mirror4),
  ],
  [
    'an IPv6 length of 0',
    geneve(ipv6, change(carried(6), 4, '0000'), gwlb),
    delivered(gwlbLane(42), inner, mirror6),
  ],
  [
    'a UDP length of 0',
    geneve(ipv4, change(carried(4), 24, '0000'), gwlb),
    delivered(gwlbLane(42), inner, mirror4),
  ],
  [
    'padding behind the IPv4 packet',
    geneve(ipv4, Buffer.concat([carried(4), Buffer.alloc(6)]), gwlb),
    delivered(gwlbLane(42), inner, mirror4),
  ],
  [
    'reserved bits of VXLAN',
    geneve(ipv4, carried(4, vxlan(inner, '08 000000 00002a ff')), gwlb),
    delivered(gwlbLane(42), inner, mirror4, 1),
  ],
  [
    'reserved bits of GENEVE',
    geneve(ipv4, carried(4), gwlb, '01'),
    delivered(gwlbLane(42), inner, mirror4, 1),
  ],
  [
    'a VXLAN header without VNI',
    geneve(ipv4, carried(4, vxlan(inner, '00 000000 00002a 00')), gwlb),
    { fault: 'vxlanNoVni', refused: [68, 8 + inner.length] },
  ],
  [
    'the same over IPv6',
    geneve(ipv6, carried(6, vxlan(inner, '00 000000 00002a 00')), gwlb),
    { fault: 'vxlanNoVni', refused: [88, 8 + inner.length] },
  ],
  [
    'a VXLAN header of four bytes',
    geneve(ipv4, carried(4, hex('08000000')), gwlb),
    { fault: 'vxlanTruncated', refused: [68, 4] },
  ],
  [
    'a UDP length of 3',
    geneve(ipv4, change(carried(4), 24, '0003'), gwlb),
    { fault: 'vxlanTruncated', refused: [68, 0] },
  ],
  [
    'a UDP header cut behind its ports',
    geneve(ipv4, carried(4).subarray(0, 24), gwlb),
    { fault: 'vxlanTruncated', refused: [68, 0] },
  ],
  [
    'a UDP header cut before its ports',
    geneve(ipv4, carried(4).subarray(0, 23)),
    delivered('geneve 77 - ip', carried(4).subarray(0, 23), from4),
  ],
  [
    'an IPv4 header cut',
    geneve(ipv4, carried(4).subarray(0, 19)),
    delivered('geneve 77 - ip', carried(4).subarray(0, 19), from4),
  ],
  [
    'an IPv6 header cut',
    geneve(ipv6, carried(6).subarray(0, 39)),
    delivered('geneve 77 - ip', carried(6).subarray(0, 39), from4),
  ],
  [
    'an IPv4 length of its header',
    geneve(ipv4, change(carried(4), 2, '0014')),
    delivered('geneve 77 - ip', change(carried(4), 2, '0014'), from4),
  ],
  [
    'the IPv6 length of no header',
    geneve(ipv6, change(carried(6), 4, '0002')),
    delivered('geneve 77 - ip', change(carried(6), 4, '0002'), from4),
  ],
  [
    'a fragment of IPv4',
    geneve(ipv4, change(carried(4), 6, '2000')),
    delivered('geneve 77 - ip', change(carried(4), 6, '2000'), from4),
  ],
  [
    'a fragment of IPv6',
    geneve(ipv6, extended('1100000100000007', IpProtocol.fragment)),
    delivered('geneve 77 - ip', extended('1100000100000007', IpProtocol.fragment), from4),
  ],
  [
    'a later fragment of IPv6',
    geneve(ipv6, extended('1100000800000007', IpProtocol.fragment)),
    delivered('geneve 77 - ip', extended('1100000800000007', IpProtocol.fragment), from4),
  ],
  [
    'UDP to another port',
    geneve(ipv4, change(carried(4), 22, '12b6')),
    delivered('geneve 77 - ip', change(carried(4), 22, '12b6'), from4),
  ],
  [
    'UDP to another port over IPv6',
    geneve(ipv6, change(carried(6), 42, '12b6')),
    delivered('geneve 77 - ip', change(carried(6), 42, '12b6'), from4),
  ],
  [
    'a GENEVE port',
    geneve(ipv4, change(carried(4), 22, '17c1')),
    delivered('geneve 77 - ip', change(carried(4), 22, '17c1'), from4),
  ],
  ['TCP', geneve(ipv4, tcpOverIpv4()), delivered('geneve 77 - ip', tcpOverIpv4(), from4)],
  [
    'TCP over IPv6',
    geneve(ipv6, ipv6Packet(client.ipv6, server.ipv6, opaque(IpProtocol.tcp, inner))),
    delivered('geneve 77 - ip', ipv6Packet(client.ipv6, server.ipv6, opaque(IpProtocol.tcp, inner)), from4),
  ],
  [
    'Ethernet around IP around VXLAN is no such mirror path',
    geneve(ethernet, frame(client.mac, server.mac, carried(4), ipv4)),
    delivered('geneve 77 - ethernet', frame(client.mac, server.mac, carried(4), ipv4), from4),
  ],
];

function ipv4Options(packet: Buffer): Buffer {
  const bytes = Buffer.concat([packet.subarray(0, 20), hex('01010101 01010101'), packet.subarray(20)]);
  bytes[0] = 0x47;
  bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
}

function extended(extensions: string, first: number): Buffer {
  const datagram = udpDatagram(65_408, 4789, vxlan(inner));
  return ipv6Packet(resolver.ipv6, server.ipv6, datagram, { checksum: 'zero' }, first, hex(extensions));
}

function tcpOverIpv4(): Buffer {
  const segment = tcpSegment({
    sourcePort: 9,
    destinationPort: 4789,
    sequence: 1,
    acknowledgement: 0,
    flags: 2,
  });
  return ipv4Packet(client.ipv4, server.ipv4, segment);
}
