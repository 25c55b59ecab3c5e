import { expect, test } from 'vitest';
import {
  echo,
  frame,
  frame4,
  frame6,
  ipv4Packet,
  ipv6Packet,
  opaque,
  tcpSegment,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import * as tcp from '../../../src/wire/tcp.ts';
import { hex } from '../../support/hex.ts';
import { InnermostBench, type Read, readAlone } from '../../support/innermost.ts';
import { change } from '../../support/tunnels.ts';

const between4 = '10.0.1.10 > 10.0.2.20';
const between6 = '2001:db8:1::10 > 2001:db8:2::20';
const data = Buffer.from('0123456789');
const datagram = udpDatagram(1000, 2000, data);
const segment = tcpSegment({
  sourcePort: 50_000,
  destinationPort: 443,
  sequence: 1,
  acknowledgement: 1,
  flags: tcp.Flag.ack,
  data,
});
const udp4 = frame4(client, server, datagram);
const tcp4 = frame4(client, server, segment);
const udp6 = frame6(client, server, datagram);
const optioned = frame(
  client.mac,
  server.mac,
  change(
    Buffer.concat([
      ipv4Packet(client.ipv4, server.ipv4, datagram).subarray(0, 20),
      hex('01010101 01010101'),
      datagram.bytes,
    ]),
    0,
    '4700 002e',
  ),
  EtherType.ipv4,
);

function with4(protocol: number, bytes = Buffer.from('0123456789ab')): Buffer {
  return frame4(client, server, opaque(protocol, bytes));
}

function extended(first: number, extensions: string): Buffer {
  const packet = ipv6Packet(client.ipv6, server.ipv6, datagram, {}, first, hex(extensions));
  return frame(client.mac, server.mac, packet, EtherType.ipv6);
}

const whole4 = { addresses: between4, path: '', nestedId: 0, vlanId: -1, fragment: 0 };
const noFlow = { addresses: undefined, protocol: 0, ports: 'none', transportAt: -1, end: 0, wireLen: 0 };

test.each<[string, Buffer, Partial<Read>, LinkType?]>([
  [
    'UDP over IPv4',
    udp4,
    { ...whole4, protocol: 17, ports: '1000 > 2000', transportAt: 34, end: 52, wireLen: 38 },
  ],
  [
    'TCP over IPv4',
    tcp4,
    { ...whole4, protocol: 6, ports: '50000 > 443', transportAt: 34, end: 64, wireLen: 50 },
  ],
  [
    'UDP over IPv6',
    udp6,
    { addresses: between6, protocol: 17, ports: '1000 > 2000', transportAt: 54, end: 72, wireLen: 58 },
  ],
  ['raw IP', udp4.subarray(14), { ...whole4, ports: '1000 > 2000', transportAt: 20, end: 38 }, LinkType.raw],
  [
    'one VLAN tag',
    frame4(client, server, datagram, {}, [5]),
    { ...whole4, vlanId: 5, transportAt: 38, end: 56, wireLen: 38 },
  ],
  [
    'two VLAN tags: the outer',
    frame6(client, server, datagram, {}, [4000, 6]),
    { vlanId: 4000, wireLen: 58 },
  ],
  ['a VLAN tag and no IP', frame(client.mac, server.mac, data, EtherType.arp, [9]), { ...noFlow, vlanId: 9 }],
  ['padding is no part of the packet', Buffer.concat([udp4, Buffer.alloc(8)]), { end: 52, wireLen: 38 }],
  ['padding behind IPv6', Buffer.concat([udp6, Buffer.alloc(8)]), { end: 72, wireLen: 58 }],
  [
    'IPv4 length 0: all that arrived',
    change(udp4, 16, '0000'),
    { end: 52, wireLen: 38, ports: '1000 > 2000' },
  ],
  [
    'IPv6 length 0: all that arrived',
    change(udp6, 18, '0000'),
    { end: 72, wireLen: 58, ports: '1000 > 2000' },
  ],
  [
    'IPv4 length below the header: all that arrived',
    change(udp4, 16, '0013'),
    { end: 52, wireLen: 38, ports: '1000 > 2000' },
  ],
  ['IPv4 length of the header alone', change(udp4, 16, '0014'), { end: 34, wireLen: 20, ports: 'unknown' }],
  [
    'IPv4 length with half of the ports',
    change(udp4, 16, '0016'),
    { end: 36, wireLen: 22, ports: 'unknown' },
  ],
  [
    'IPv4 length past the frame',
    change(udp4, 16, 'ffff'),
    { end: 52, wireLen: 65_535, ports: '1000 > 2000' },
  ],
  [
    'IPv6 length past the frame',
    change(udp6, 18, 'ffff'),
    { end: 72, wireLen: 65_575, ports: '1000 > 2000' },
  ],
  ['IPv4 options', optioned, { ...whole4, ports: '1000 > 2000', transportAt: 42, end: 60, wireLen: 46 }],
  [
    'IPv4 of four header words: addresses and protocol stand',
    change(udp4, 14, '44'),
    { ...whole4, protocol: 17, ports: 'unknown', transportAt: -1, end: 52, wireLen: 38 },
  ],
  [
    'ICMP: type and code',
    frame4(client, server, echo(IpProtocol.icmp, 8, 1, 1, 4)),
    { ...whole4, protocol: 1, ports: '8 > 0' },
  ],
  [
    'ICMPv6: type and code',
    frame6(client, server, echo(IpProtocol.icmpv6, 128, 1, 1, 4)),
    { addresses: between6, protocol: 58, ports: '128 > 0' },
  ],
  ['SCTP has ports', with4(IpProtocol.sctp), { ports: '12337 > 12851' }],
  ['DCCP has ports', with4(IpProtocol.dccp), { ports: '12337 > 12851' }],
  ['UDP-Lite has ports', with4(IpProtocol.udpLite), { ports: '12337 > 12851' }],
  ['ESP has none', with4(IpProtocol.esp), { ...whole4, protocol: 50, ports: 'none', transportAt: 34 }],
  ['AH over IPv4 is not looked into', with4(IpProtocol.ah), { ...whole4, protocol: 51, ports: 'none' }],
  [
    'IPv6 extension headers',
    extended(0, '3c00 010400000000 1100 010400000000'),
    { addresses: between6, protocol: 17, ports: '1000 > 2000', transportAt: 70, end: 88, wireLen: 74 },
  ],
  [
    'an IPv6 chain that its length cuts: the protocol is the header that is not there',
    change(extended(0, '3c00 010400000000 1100 010400000000'), 18, '000a'),
    { addresses: between6, protocol: 60, ports: 'unknown', transportAt: -1, end: 64, wireLen: 50 },
  ],
  [
    'IPv6 with nothing behind it',
    frame6(client, server, opaque(59, data)),
    { addresses: between6, protocol: 59, ports: 'none' },
  ],
  [
    'an IPv6 fragment header around a whole packet (RFC 6946)',
    extended(44, '1100 0000 00001234'),
    { addresses: between6, protocol: 17, ports: '1000 > 2000', transportAt: 62, fragment: 0 },
  ],
  ['ARP', frame(client.mac, server.mac, Buffer.alloc(28), EtherType.arp), { ...noFlow, vlanId: -1 }],
  ['nothing at all', Buffer.alloc(0), noFlow],
  ['IPv4 announced, IPv6 there', change(udp6, 12, '0800'), noFlow],
])('%s', (_name, bytes, expected, linkType = LinkType.ethernet) => {
  expect(readAlone(bytes, { linkType })).toMatchObject(expected);
});

test('nothing of one packet shows in the next, and frames of no flow are counted', () => {
  const bench = new InnermostBench();
  const frames = [
    udp4,
    udp4.subarray(0, 20),
    udp6,
    frame4(client, server, segment, {}, [5]),
    Buffer.alloc(3),
  ];
  for (const one of frames) expect(bench.read(one)).toEqual(readAlone(one));
  expect(bench.counts).toEqual({ withoutFlow: 2 });
});

/** What is to be known of a frame by how many bytes arrived: `[from, what]`, each up to the next. */
const cuts: [string, Buffer, [from: number, known: Partial<Read>][]][] = [
  [
    'TCP over IPv4',
    tcp4,
    [
      [0, noFlow],
      [34, { addresses: between4, protocol: 6, ports: 'unknown', wireLen: 50 }],
      [38, { addresses: between4, protocol: 6, ports: '50000 > 443', wireLen: 50 }],
    ],
  ],
  [
    'UDP behind IPv4 options',
    optioned,
    [
      [0, noFlow],
      [34, { addresses: between4, protocol: 17, ports: 'unknown', wireLen: 46, transportAt: -1 }],
      [42, { addresses: between4, protocol: 17, ports: 'unknown', wireLen: 46, transportAt: 42 }],
      [46, { addresses: between4, protocol: 17, ports: '1000 > 2000', wireLen: 46 }],
    ],
  ],
  [
    'UDP over IPv6 behind a tag',
    frame6(client, server, datagram, {}, [5]),
    [
      [0, { ...noFlow, vlanId: -1 }],
      [18, { ...noFlow, vlanId: 5 }],
      [58, { addresses: between6, protocol: 17, ports: 'unknown', wireLen: 58, vlanId: 5 }],
      [62, { addresses: between6, protocol: 17, ports: '1000 > 2000', wireLen: 58, vlanId: 5 }],
    ],
  ],
  [
    'ICMPv6 behind two extension headers',
    frame(
      client.mac,
      server.mac,
      ipv6Packet(
        client.ipv6,
        server.ipv6,
        echo(IpProtocol.icmpv6, 128, 1, 1, 4),
        {},
        0,
        hex('3c00 010400000000 3a00 010400000000'),
      ),
      EtherType.ipv6,
    ),
    [
      [0, noFlow],
      [54, { addresses: between6, protocol: 0, ports: 'unknown', wireLen: 68, transportAt: -1 }],
      [62, { addresses: between6, protocol: 60, ports: 'unknown', wireLen: 68, transportAt: -1 }],
      [70, { addresses: between6, protocol: 58, ports: 'unknown', wireLen: 68, transportAt: 70 }],
      [72, { addresses: between6, protocol: 58, ports: '128 > 0', wireLen: 68 }],
    ],
  ],
];

test.each(cuts)('%s, cut at every length, keeps what arrived and reads no more', (_name, bytes, steps) => {
  for (let keep = 0; keep <= bytes.length; keep++) {
    const [, known] = steps.findLast(([from]) => from <= keep) ?? [0, {}];
    const read = readAlone(bytes, { keep });
    expect({ keep, ...read }).toMatchObject({ keep, ...known });
    if (read.addresses !== undefined) expect(read.end).toBe(keep);
  }
});
