import { describe, expect, test } from 'vitest';
import {
  echo,
  frame4,
  frame6,
  ipv4Packet,
  ipv6Packet,
  opaque,
  tcpSegment,
  type Transport,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Lost } from '../../../src/packet/frame-completer.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { completed, lostOf } from '../../support/cut-frames.ts';
import { hex } from '../../support/hex.ts';
import { change } from '../../support/tunnels.ts';

const data = Buffer.from(Array.from({ length: 300 }, (_, i) => (i % 250) + 1));
/** The data of which `bytes` arrived, the rest zero. */
const zeroed = (bytes: number): Buffer => Buffer.concat([data.subarray(0, bytes), Buffer.alloc(300 - bytes)]);
const nop2Timestamps = '0101 080a 11223344 55667788';
const segment = (bytes: Buffer, options = ''): Transport =>
  tcpSegment({
    sourcePort: 50_000,
    destinationPort: 9999,
    sequence: 1_000_000,
    acknowledgement: 2_000_000,
    flags: 0x18,
    data: bytes,
    options: hex(options),
  });
const datagram = (bytes: Buffer): Transport => udpDatagram(50_000, 9999, bytes);
const icmpEcho = (protocol: number, bytes: Buffer): Transport => {
  const made = echo(protocol, protocol === IpProtocol.icmp ? 8 : 128, 7, 1, bytes.length);
  bytes.copy(made.bytes, 8);
  return made;
};
const ip = { identification: 77, ttl: 61 };
const over4 = (inner: Transport, fields = {}): Buffer => frame4(client, server, inner, { ...ip, ...fields });
const over6 = (inner: Transport): Buffer => frame6(client, server, inner);
const tagged = (inner: Transport): Buffer => frame4(client, server, inner, ip, [100, 7]);
const raw4 = (inner: Transport): Buffer => ipv4Packet(client.ipv4, server.ipv4, inner, ip);
const raw6 = (inner: Transport): Buffer => ipv6Packet(client.ipv6, server.ipv6, inner);

type Build = (data: Buffer) => Buffer;
/** How the frame is made of its data, bytes before the data, what it begins with. */
const shapes: readonly (readonly [name: string, build: Build, headLen: number, linkType: LinkType])[] = [
  ['TCP', (bytes) => over4(segment(bytes)), 54, LinkType.ethernet],
  ['TCP with time stamps', (bytes) => over4(segment(bytes, nop2Timestamps)), 66, LinkType.ethernet],
  ['UDP', (bytes) => over4(datagram(bytes)), 42, LinkType.ethernet],
  ['ICMP', (bytes) => over4(icmpEcho(IpProtocol.icmp, bytes)), 42, LinkType.ethernet],
  ['GRE, or anything that is not known here', (bytes) => over4(opaque(47, bytes)), 34, LinkType.ethernet],
  ['TCP over IPv6', (bytes) => over6(segment(bytes)), 74, LinkType.ethernet],
  ['UDP over IPv6', (bytes) => over6(datagram(bytes)), 62, LinkType.ethernet],
  ['ICMPv6', (bytes) => over6(icmpEcho(IpProtocol.icmpv6, bytes)), 62, LinkType.ethernet],
  ['TCP with two VLAN tags', (bytes) => tagged(segment(bytes)), 62, LinkType.ethernet],
  ['TCP without Ethernet', (bytes) => raw4(segment(bytes)), 40, LinkType.raw],
  ['UDP over IPv6 without Ethernet', (bytes) => raw6(datagram(bytes)), 48, LinkType.raw],
];
const cuts = [0, 1, 2, 7, 128, 299];

describe.each(shapes)('%s', (_name, build, headLen, linkType) => {
  test.each(cuts)(
    'padded: what its sender would have sent, had the data after %i bytes been zeros',
    (bytes) => {
      const { lost, frame, wasShortened } = completed('pad', build(data), headLen + bytes, 65_600, linkType);
      expect(lost).toBe(Lost.data);
      expect(frame).toEqual(build(zeroed(bytes)));
      expect(wasShortened).toBe(false);
    },
  );

  test.each(cuts)(
    'shortened: what its sender would have sent, had the data been its first %i bytes',
    (bytes) => {
      const { frame, wasShortened } = completed('shorten', build(data), headLen + bytes, 65_600, linkType);
      // an IP packet of headers alone is none for a protocol whose header is not known
      expect(frame).toEqual(headLen === 34 && bytes === 0 ? undefined : build(data.subarray(0, bytes)));
      expect(wasShortened).toBe(frame !== undefined);
    },
  );

  test('padded past what may leave: as long as may leave', () => {
    const shorter = completed('pad', build(data), headLen + 20, headLen + 100, linkType);
    expect(shorter.frame).toEqual(build(zeroed(20).subarray(0, 100)));
    expect(shorter.wasShortened).toBe(true);
    expect(completed('pad', build(data), headLen + 20, headLen + 300, linkType).wasShortened).toBe(false);
  });

  test('longer than may leave: shortened', () => {
    const { lost, frame } = completed('shorten', build(data), headLen + 300, headLen + 101, linkType);
    expect(lost).toBe(Lost.nothing);
    expect(frame).toEqual(build(data.subarray(0, 101)));
    expect(completed('shorten', build(data), headLen + 120, headLen + 101, linkType).frame).toEqual(frame);
  });
});

describe('UDP without a checksum', () => {
  test.each([
    ['over IPv4', (bytes: Buffer) => frame4(client, server, datagram(bytes), { checksum: 'zero' }), 42],
    ['over IPv6', (bytes: Buffer) => frame6(client, server, datagram(bytes), { checksum: 'zero' }), 62],
  ] as const)('%s stays without one', (_name, build, headLen) => {
    expect(completed('pad', build(data), headLen + 9).frame).toEqual(build(zeroed(9)));
    expect(completed('shorten', build(data), headLen + 9).frame).toEqual(build(data.subarray(0, 9)));
  });
});

describe('checksums that were wrong or left to a network card', () => {
  test.each(['partial', 'bad'] as const)('%s: right afterwards', (checksum) => {
    const frame = change(frame4(client, server, segment(data), { ...ip, checksum }), 24, '0000');
    expect(completed('pad', frame, 60).frame).toEqual(over4(segment(zeroed(6))));
  });
});

describe('fragments', () => {
  const first = (bytes: Buffer): Buffer =>
    over4(opaque(17, Buffer.concat([hex('c350 270f 1000 abcd'), bytes])), { flagsAndOffset: 0x2000 });
  const later = (bytes: Buffer): Buffer => over4(opaque(17, bytes), { flagsAndOffset: 0x2010 });
  const last = (bytes: Buffer): Buffer => over4(opaque(17, bytes), { flagsAndOffset: 0x0010 });
  const cut6 = (bytes: Buffer): Buffer => {
    const head = hex('11 00 0001 00000099');
    return Buffer.concat([over6(opaque(44, Buffer.concat([head, bytes])))]);
  };

  test.each([
    ['first', first, 42],
    ['later', later, 34],
    ['last', last, 34],
    ['IPv6', cut6, 62],
  ] as const)('%s: padded, the checksum of the whole packet as it is', (_name, build, headLen) => {
    expect(completed('pad', build(data), headLen + 50).frame).toEqual(build(zeroed(50)));
  });

  test.each([
    ['first', first, 42, 48],
    ['later', later, 34, 48],
    ['last', last, 34, 51],
    ['IPv6', cut6, 62, 48],
  ] as const)('%s: shortened, to units of 8 bytes where others follow', (_name, build, headLen, left) => {
    expect(completed('shorten', build(data), headLen + 51).frame).toEqual(build(data.subarray(0, left)));
  });

  test('less than a unit is none', () => {
    expect(completed('shorten', later(data), 34 + 7).frame).toBeUndefined();
    expect(completed('shorten', first(data), 42).frame).toEqual(first(Buffer.alloc(0)));
  });
});

describe('TCP options of which not all arrived', () => {
  const options = `0204 05b4 ${nop2Timestamps} 0303 07 00`;
  const build = (kept: string, bytes: Buffer): Buffer => over4(segment(bytes, kept.padEnd(40, '0')));
  const all = options.replaceAll(' ', '');
  const whole = over4(segment(data, options));

  test.each([
    ['none arrived', 54, ''],
    ['half of the first', 57, ''],
    ['the first', 58, '020405b4'],
    ['and two that say nothing', 60, '020405b40101'],
    ['the kind of the next', 61, '020405b40101'],
    ['all but its last byte', 69, '020405b40101'],
    ['all of it', 70, '020405b40101080a1122334455667788'],
    ['one byte of the last', 71, '020405b40101080a1122334455667788'],
    ['all but the end of the list', 73, all],
    ['all', 74, all],
  ])('%s', (_name, keep, kept) => {
    expect(completed('pad', whole, keep).frame).toEqual(build(kept, zeroed(0)));
    expect(completed('shorten', whole, keep).frame).toEqual(build(kept, Buffer.alloc(0)));
  });

  test("an option of an impossible length is its sender's own", () => {
    const frame = over4(segment(data, '0101 0900 22222222'));
    expect(completed('pad', frame, 59).frame).toEqual(over4(segment(zeroed(0), '0101 0900 22000000')));
  });
});

describe('what cannot be completed', () => {
  test.each([
    ['nothing', over4(segment(data)), 0, LinkType.ethernet, Lost.header],
    ['half of Ethernet', over4(segment(data)), 13, LinkType.ethernet, Lost.header],
    ['Ethernet alone', over4(segment(data)), 14, LinkType.ethernet, Lost.header],
    ['half of a VLAN tag', tagged(segment(data)), 20, LinkType.ethernet, Lost.header],
    ['half of IPv4', over4(segment(data)), 33, LinkType.ethernet, Lost.header],
    ['IPv4 alone', over4(segment(data)), 34, LinkType.ethernet, Lost.header],
    ['half of TCP', over4(segment(data)), 53, LinkType.ethernet, Lost.header],
    ['half of UDP', over4(datagram(data)), 41, LinkType.ethernet, Lost.header],
    ['half of ICMP', over4(icmpEcho(IpProtocol.icmp, data)), 41, LinkType.ethernet, Lost.header],
    ['half of IPv6', over6(segment(data)), 53, LinkType.ethernet, Lost.header],
    ['half of TCP over IPv6', over6(segment(data)), 73, LinkType.ethernet, Lost.header],
    [
      'half of an IPv6 extension header',
      over6(opaque(0, Buffer.concat([hex('06 01'), data]))),
      64,
      LinkType.ethernet,
      Lost.header,
    ],
    ['half of IPv4 without Ethernet', raw4(segment(data)), 19, LinkType.raw, Lost.header],
    ['ARP, however short', hex('020000000001 020000000002 0806 0001'), 16, LinkType.ethernet, Lost.nothing],
    ['a whole frame', over4(segment(data)), 354, LinkType.ethernet, Lost.nothing],
    [
      'a whole frame with padding',
      Buffer.concat([over4(segment(data.subarray(0, 2))), Buffer.alloc(4)]),
      60,
      LinkType.ethernet,
      Lost.nothing,
    ],
    [
      'a UDP header that is all there is',
      over4(opaque(17, data.subarray(0, 5))),
      39,
      LinkType.ethernet,
      Lost.nothing,
    ],
    [
      'TCP in a packet too short for it',
      over4(opaque(6, data.subarray(0, 9))),
      40,
      LinkType.ethernet,
      Lost.header,
    ],
  ] as const)('%s', (_name, frame, keep, linkType, lost) => {
    expect(lostOf(frame, keep, linkType)).toBe(lost);
  });

  test('what is no IP packet is not shortened', () => {
    const arp = Buffer.concat([hex('020000000001 020000000002 0806 0001'), data]);
    expect(completed('shorten', arp, arp.length, 100).frame).toBeUndefined();
  });

  test('headers that do not fit are none', () => {
    expect(completed('pad', over4(segment(data)), 100, 53).frame).toBeUndefined();
    expect(completed('shorten', over4(segment(data, nop2Timestamps)), 100, 65).frame).toBeUndefined();
    expect(completed('shorten', over4(segment(data, nop2Timestamps)), 100, 66).frame).toHaveLength(66);
  });
});

test('padding behind the IP packet is left out of a frame that is too long', () => {
  const frame = Buffer.concat([over4(segment(data)), Buffer.alloc(100, 9)]);
  expect(completed('shorten', frame, frame.length, 400).frame).toEqual(over4(segment(data)));
  expect(completed('shorten', frame, frame.length, 300).frame).toEqual(over4(segment(data.subarray(0, 246))));
});

test('a packet without an IP length, left to a network card, gets one when it is too long', () => {
  const whole = over4(segment(data));
  const offloaded = change(change(whole, 16, '0000'), 24, '0000');
  expect(lostOf(offloaded, offloaded.length)).toBe(Lost.nothing);
  expect(completed('shorten', offloaded, offloaded.length, 200).frame).toEqual(
    over4(segment(data.subarray(0, 146))),
  );
});

test('a tunnel inside keeps its own lengths; the packet around it is right', () => {
  const inside = frame4(server, client, segment(data));
  const vxlan = Buffer.concat([hex('08000000 00000700'), inside]);
  const whole = over4(udpDatagram(50_000, 4789, vxlan));
  const zeros = Buffer.concat([vxlan.subarray(0, 80), Buffer.alloc(vxlan.length - 80)]);
  expect(completed('pad', whole, 42 + 80).frame).toEqual(over4(udpDatagram(50_000, 4789, zeros)));
});
