import { expect, test } from 'vitest';
import {
  echo,
  frame,
  frame4,
  frame6,
  ipv4Packet,
  ipv6Packet,
  tcpSegment,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server, traffic } from '../../../samples/make/traffic.ts';
import { ABSENT, type Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { hex } from '../../support/hex.ts';
import { readFrame } from '../../support/judging.ts';
import { change } from '../../support/tunnels.ts';

const datagram = udpDatagram(1000, 2000, Buffer.from('0123456789'));
const ip4 = ipv4Packet(client.ipv4, server.ipv4, datagram);
const ip6 = ipv6Packet(client.ipv6, server.ipv6, datagram);
const over4 = frame4(client, server, datagram);
const over6 = frame6(client, server, datagram);

function extended(first: number, extensions: string, to = server): Buffer {
  const packet = ipv6Packet(client.ipv6, to.ipv6, datagram, {}, first, hex(extensions));
  return frame(client.mac, to.mac, packet, EtherType.ipv6);
}

function ether(etherType: number, payload: Uint8Array, tags: number[] = []): Buffer {
  return frame(client.mac, server.mac, payload, etherType, tags);
}

/** Offsets from the frame's first byte; those that point nowhere stay ABSENT. */
function relative(layers: Layers): Record<string, number> {
  const from = (at: number): number => (at === ABSENT ? ABSENT : at - layers.frameAt);
  return {
    ipAt: from(layers.ipAt),
    ipEnd: from(layers.ipEnd),
    transportAt: from(layers.transportAt),
    pseudoDestinationAt: from(layers.pseudoDestinationAt),
  };
}

const noIp = { ipVersion: 0, ipHeaderComplete: 0, truncated: 0, headerCut: 0 };

test.each([
  [
    'IPv4',
    over4,
    { etherType: 0x0800, vlanCount: 0, ipVersion: 4, ipHeaderComplete: 1, protocol: 17, truncated: 0 },
    { ipAt: 14, ipEnd: 52, transportAt: 34, pseudoDestinationAt: 30 },
  ],
  [
    'IPv6',
    over6,
    { etherType: 0x86dd, ipVersion: 6, ipHeaderComplete: 1, protocol: 17 },
    { ipAt: 14, ipEnd: 72, transportAt: 54, pseudoDestinationAt: 38 },
  ],
  [
    'a VLAN tag',
    ether(EtherType.ipv4, ip4, [5]),
    { etherType: 0x0800, vlanCount: 1, ipVersion: 4 },
    { ipAt: 18 },
  ],
  ['QinQ', ether(EtherType.ipv6, ip6, [5, 6]), { vlanCount: 2, ipVersion: 6 }, { ipAt: 22 }],
  ['four tags', ether(EtherType.ipv4, ip4, [1, 2, 3, 4]), { vlanCount: 4, ipVersion: 4 }, { ipAt: 30 }],
  [
    'five tags: what follows is not looked into',
    ether(EtherType.ipv4, ip4, [1, 2, 3, 4, 5]),
    { ...noIp, vlanCount: 4, etherType: 0x8100 },
    { ipAt: ABSENT },
  ],
  [
    'a tag that was cut',
    ether(EtherType.ipv4, ip4, [5]).subarray(0, 17),
    { ...noIp, etherType: 0, truncated: 1, headerCut: 1 },
    { ipAt: ABSENT },
  ],
  [
    'an Ethernet header cut',
    over4.subarray(0, 13),
    { ...noIp, truncated: 1, headerCut: 1 },
    { ipAt: ABSENT },
  ],
  ['an empty frame', over4.subarray(0, 0), { ...noIp, truncated: 1, headerCut: 1 }, { ipAt: ABSENT }],
  [
    'an Ethernet header alone that promises IPv4',
    over4.subarray(0, 14),
    { ipVersion: 4, headerCut: 1, truncated: 1, ipHeaderComplete: 0 },
    { ipAt: ABSENT, ipEnd: ABSENT },
  ],
  [
    'an Ethernet header alone that promises IPv6',
    over6.subarray(0, 14),
    { ipVersion: 6, headerCut: 1, truncated: 1 },
    { ipAt: ABSENT },
  ],
  ['ARP', ether(EtherType.arp, Buffer.alloc(28)), noIp, { ipAt: ABSENT }],
  ['ARP, cut: nothing says how long it was', ether(EtherType.arp, Buffer.alloc(3)), noIp, { ipAt: ABSENT }],
  ['IEEE 802.3 with a length', ether(38, Buffer.alloc(38)), noIp, { ipAt: ABSENT }],
  ['IPv4 announced, IPv6 there', ether(EtherType.ipv4, ip6), noIp, { ipAt: ABSENT }],
  ['IPv6 announced, IPv4 there', ether(EtherType.ipv6, ip4), noIp, { ipAt: ABSENT }],
  [
    'IPv4 with options',
    ether(
      EtherType.ipv4,
      change(Buffer.concat([ip4.subarray(0, 20), hex('01010101'), ip4.subarray(20)]), 0, '4600 002a'),
    ),
    { ipHeaderComplete: 1 },
    { transportAt: 38, ipEnd: 56 },
  ],
  [
    'IPv4, options cut',
    change(over4, 14, '4f').subarray(0, 50),
    { ipHeaderComplete: 0, headerCut: 1, truncated: 1 },
    { transportAt: ABSENT, ipEnd: 52 },
  ],
  [
    'IPv4, four header words',
    change(over4, 14, '44'),
    { ipHeaderComplete: 0, headerCut: 0, truncated: 0 },
    { transportAt: ABSENT },
  ],
  [
    'IPv4 cut before its length',
    over4.subarray(0, 17),
    { headerCut: 1, truncated: 1, frameWireLen: 17 },
    { ipEnd: ABSENT },
  ],
  [
    'IPv4 cut behind its length',
    over4.subarray(0, 18),
    { headerCut: 1, truncated: 1, frameWireLen: 52 },
    { ipEnd: 52 },
  ],
  [
    'IPv4 cut in its data',
    over4.subarray(0, 51),
    { headerCut: 0, truncated: 1, frameWireLen: 52, ipHeaderComplete: 1 },
    { transportAt: 34 },
  ],
  [
    'IPv4 length 0',
    change(over4, 16, '0000'),
    { truncated: 0, frameWireLen: 52 },
    { ipEnd: ABSENT, transportAt: 34 },
  ],
  ['IPv4 length 65535', change(over4, 16, 'ffff'), { truncated: 1, frameWireLen: 65_549 }, { ipEnd: 65_549 }],
  [
    'padding behind IPv4 is part of the frame',
    Buffer.concat([over4, Buffer.alloc(8)]),
    { truncated: 0, frameWireLen: 60 },
    { ipEnd: 52 },
  ],
  ['the first fragment', change(over4, 20, '2000'), { fragment: 1, fragmentOffset: 0 }, { transportAt: 34 }],
  [
    'a later fragment',
    change(over4, 20, '0003'),
    { fragment: 1, fragmentOffset: 24, ipHeaderComplete: 1 },
    { transportAt: ABSENT },
  ],
  [
    'IPv6 cut before its length',
    over6.subarray(0, 19),
    { headerCut: 1, truncated: 1, frameWireLen: 19 },
    { ipEnd: ABSENT },
  ],
  [
    'IPv6 cut behind its length',
    over6.subarray(0, 20),
    { headerCut: 1, truncated: 1, frameWireLen: 72 },
    { ipEnd: 72 },
  ],
  [
    'IPv6 length 0',
    change(over6, 18, '0000'),
    { truncated: 0, frameWireLen: 72 },
    { ipEnd: ABSENT, transportAt: 54 },
  ],
  [
    'IPv6 length 0 and cut in an extension',
    change(extended(IpProtocol.hopByHop, '1100010400000000'), 18, '0000').subarray(0, 58),
    { headerCut: 1, truncated: 1, ipHeaderComplete: 0 },
    { transportAt: ABSENT },
  ],
  [
    'IPv6 extension headers',
    extended(IpProtocol.hopByHop, '3c00010400000000 1100010400000000'),
    { protocol: 17, ipHeaderComplete: 1 },
    { transportAt: 70 },
  ],
  [
    'an IPv6 extension past the promised end',
    change(extended(IpProtocol.hopByHop, '1101010c00000000 0000000000000000'), 18, '0008'),
    { ipHeaderComplete: 0, truncated: 0 },
    { transportAt: ABSENT, ipEnd: 62 },
  ],
  [
    'the first fragment of IPv6',
    extended(IpProtocol.fragment, '1100000100000001'),
    { fragment: 1, fragmentOffset: 0, protocol: 17 },
    { transportAt: 62 },
  ],
  [
    'a later fragment of IPv6',
    extended(IpProtocol.fragment, '1100000800000001'),
    { fragment: 1, fragmentOffset: 8, protocol: 17, ipHeaderComplete: 1 },
    { transportAt: ABSENT },
  ],
  [
    'a routing header on its way (type 0, one left)',
    extended(IpProtocol.routing, `11020001 00000000 ${Buffer.from(server.ipv6).toString('hex')}`),
    { protocol: 17 },
    { pseudoDestinationAt: 62, transportAt: 78 },
  ],
  [
    'a routing header of an unknown type',
    extended(IpProtocol.routing, '1100fe01 00000000'),
    { protocol: 17 },
    { pseudoDestinationAt: ABSENT },
  ],
] as [string, Buffer, Partial<Layers>, Record<string, number>][])(
  'Ethernet: %s',
  (_name, bytes, fields, places) => {
    const layers = readFrame(bytes);
    expect(layers).toMatchObject(fields);
    expect(relative(layers)).toMatchObject(places);
  },
);

test.each([
  [
    'IPv4',
    ip4,
    { ipVersion: 4, ipHeaderComplete: 1, truncated: 0, etherType: 0 },
    { ipAt: 0, ipEnd: 38, transportAt: 20 },
  ],
  ['IPv6', ip6, { ipVersion: 6, ipHeaderComplete: 1, truncated: 0 }, { ipAt: 0, ipEnd: 58, transportAt: 40 }],
  [
    'IPv4 of one byte',
    ip4.subarray(0, 1),
    { ipVersion: 4, headerCut: 1, truncated: 1 },
    { ipAt: 0, ipEnd: ABSENT },
  ],
  [
    'nothing',
    ip4.subarray(0, 0),
    { ipVersion: 0, headerCut: 1, truncated: 1, frameWireLen: 0 },
    { ipAt: ABSENT },
  ],
  ['another version', change(ip4, 0, '75'), noIp, { ipAt: ABSENT }],
] as [string, Buffer, Partial<Layers>, Record<string, number>][])(
  'raw: %s',
  (_name, bytes, fields, places) => {
    const layers = readFrame(bytes, LinkType.raw);
    expect(layers).toMatchObject(fields);
    expect(relative(layers)).toMatchObject(places);
  },
);

/** Where the two bytes of the IP length end, counted from the frame's first byte; Infinity without IP. */
function lengthKnownFrom(bytes: Buffer): number {
  const { ipVersion, ipAt, frameAt } = readFrame(bytes);
  if (ipVersion === 0) return Infinity;
  return ipAt - frameAt + (ipVersion === 4 ? 4 : 6);
}

const oddFrames = [
  extended(IpProtocol.hopByHop, '3c00010400000000 1100010400000000'),
  extended(IpProtocol.routing, `11020001 00000000 ${Buffer.from(server.ipv6).toString('hex')}`),
  ether(
    EtherType.ipv4,
    change(Buffer.concat([ip4.subarray(0, 20), hex('01010101'), ip4.subarray(20)]), 0, '4600 002a'),
  ),
  ether(EtherType.ipv6, ip6, [1, 2, 3]),
  frame4(
    client,
    server,
    tcpSegment({
      sourcePort: 1,
      destinationPort: 2,
      sequence: 3,
      acknowledgement: 4,
      flags: 2,
      options: hex('02040218'),
      data: Buffer.from('x'),
    }),
  ),
  frame6(client, server, echo(IpProtocol.icmpv6, 128, 1, 2, 33)),
];

test('every frame cut at every byte: cut is told, and so is the length it had once the IP length arrived', () => {
  const frames = [...oddFrames, ...traffic().map(({ bytes }) => bytes)];
  let lengths = 0;
  for (const bytes of frames) {
    const knownFrom = lengthKnownFrom(bytes);
    const { ipEnd, frameAt } = readFrame(bytes);
    const promised = ipEnd - frameAt;
    for (let keep = 0; keep <= bytes.length; keep++) {
      const layers = readFrame(bytes, LinkType.ethernet, keep);
      const isIp = knownFrom !== Infinity;
      const headersEnd = isIp ? promised : Math.min(bytes.length, 14 + 4 * layers.vlanCount);
      expect(layers.truncated, `${keep} of ${bytes.length}`).toBe(keep < headersEnd ? 1 : 0);
      expect(layers.frameWireLen).toBe(keep >= knownFrom ? Math.max(promised, keep) : keep);
      for (const offset of [layers.ipAt, layers.transportAt])
        expect(offset).toBeLessThanOrEqual(layers.frameEnd);
      lengths++;
    }
  }
  expect(lengths).toBeGreaterThan(10_000);
});
