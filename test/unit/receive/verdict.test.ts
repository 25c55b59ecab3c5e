import { assert, boolean, constantFrom, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ChecksumState,
  echo,
  frame,
  frame4,
  frame6,
  type IpFields,
  ipv6Packet,
  opaque,
  tcpSegment,
  type Transport,
  udpDatagram,
} from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { Verdict, verdictNames } from '../../../src/packet/verdict.ts';
import { skip } from '../../../src/receive/verdict.ts';
import { finish, fold, pseudoSum, sum } from '../../../src/wire/checksum.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { hex } from '../../support/hex.ts';
import { readFrame, verdicts } from '../../support/judging.ts';
import { change } from '../../support/tunnels.ts';

const data = (length: number): Buffer => Buffer.alloc(length, 0x37);
const tcpOf = (length: number): Transport =>
  tcpSegment({
    sourcePort: 1,
    destinationPort: 2,
    sequence: 3,
    acknowledgement: 4,
    flags: 0x10,
    data: data(length),
  });
const udpOf = (length: number): Transport => udpDatagram(1000, 2000, data(length));
const icmpOf = (length: number): Transport => echo(IpProtocol.icmp, 8, 1, 2, length);
const icmpv6Of = (length: number): Transport => echo(IpProtocol.icmpv6, 128, 1, 2, length);

type Make = (inner: Transport, fields?: IpFields) => Buffer;
const over4: Make = (inner, fields) => frame4(client, server, inner, fields);
const over6: Make = (inner, fields) => frame6(client, server, inner, fields);

const kinds: [
  name: string,
  make: Make,
  inner: (length: number) => Transport,
  transportAt: number,
  ip: string,
][] = [
  ['TCP over IPv4', over4, tcpOf, 34, 'valid'],
  ['UDP over IPv4', over4, udpOf, 34, 'valid'],
  ['ICMP', over4, icmpOf, 34, 'valid'],
  ['TCP over IPv6', over6, tcpOf, 54, 'none'],
  ['UDP over IPv6', over6, udpOf, 54, 'none'],
  ['ICMPv6', over6, icmpv6Of, 54, 'none'],
];

/** `bytes` with the checksum field at `fieldAt` set to `value`. */
function withField(bytes: Buffer, fieldAt: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(value, fieldAt);
  return copy;
}

/** The pseudo-header sum of a packet in a frame without tags, folded as offload leaves it. */
function pseudo(bytes: Buffer, version: 4 | 6, protocol: number, length: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return fold(
    pseudoSum(view, version, 14 + (version === 4 ? 12 : 8), 14 + (version === 4 ? 16 : 24), protocol, length),
  );
}

/** The IPv4 header's checksum put right again after a change. */
function fixIpv4(bytes: Buffer): Buffer {
  const copy = withField(bytes, 24, 0);
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  return withField(copy, 24, finish(sum(view, 14, 14 + (copy[14]! & 15) * 4)));
}

test.each(kinds)('%s: valid and bad, for every length even and odd', (_name, make, inner, _at, ip) => {
  for (let length = 0; length <= 80; length++) {
    expect(verdicts(make(inner(length)))).toBe(`${ip} valid`);
    expect(verdicts(make(inner(length), { checksum: 'bad' }))).toBe(`${ip} bad`);
  }
});

test.each(kinds)('%s: 9,000 bytes', (_name, make, inner, at, ip) => {
  const bytes = make(inner(8900));
  expect(verdicts(bytes)).toBe(`${ip} valid`);
  expect(verdicts(change(bytes, at + 4000, 'ff'))).toBe(`${ip} bad`);
});

test.each(kinds)('%s: padding behind the packet does not count', (_name, make, inner, _at, ip) => {
  expect(verdicts(Buffer.concat([make(inner(3)), hex('a5a5a5')]))).toBe(`${ip} valid`);
});

test.each(kinds)(
  '%s: cut at every byte behind the IP header is unverifiable',
  (_name, make, inner, at, ip) => {
    for (const checksum of ['valid', 'partial', 'zero', 'bad'] as const) {
      const bytes = make(inner(20), { checksum });
      for (let keep = at; keep < bytes.length; keep++) {
        expect(verdicts(bytes, LinkType.ethernet, keep)).toBe(`${ip} unverifiable`);
      }
      for (let keep = 0; keep < at; keep++) {
        const judged = readFrame(bytes, LinkType.ethernet, keep);
        expect(judged.transportVerdict).toBe(Verdict.none);
        expect(judged.ipVerdict).toBe(ip === 'valid' && keep >= 14 ? Verdict.unverifiable : Verdict.none);
      }
    }
  },
);

test.each([
  ['TCP over IPv4', over4, tcpOf, 4, IpProtocol.tcp, 50],
  ['UDP over IPv4', over4, udpOf, 4, IpProtocol.udp, 40],
  ['TCP over IPv6', over6, tcpOf, 6, IpProtocol.tcp, 70],
  ['UDP over IPv6', over6, udpOf, 6, IpProtocol.udp, 60],
  ['ICMPv6', over6, icmpv6Of, 6, IpProtocol.icmpv6, 56],
] as [string, Make, (length: number) => Transport, 4 | 6, number, number][])(
  '%s: partial with the length and without, and nothing near it',
  (_name, make, inner, version, protocol, fieldAt) => {
    const ip = version === 4 ? 'valid' : 'none';
    const transport = inner(31);
    const bytes = make(transport);
    const whole = pseudo(bytes, version, protocol, transport.bytes.length);
    const without = pseudo(bytes, version, protocol, 0);
    expect(verdicts(make(transport, { checksum: 'partial' }))).toBe(`${ip} partial`);
    expect(verdicts(withField(bytes, fieldAt, whole))).toBe(`${ip} partial`);
    expect(verdicts(withField(bytes, fieldAt, without))).toBe(`${ip} partial`);
    expect(verdicts(withField(bytes, fieldAt, whole ^ 1))).toBe(`${ip} bad`);
    expect(verdicts(withField(bytes, fieldAt, ~whole & 0xffff))).toBe(`${ip} bad`);
  },
);

test('ICMP has no pseudo-header to be left with', () => {
  const bytes = over4(icmpOf(8));
  expect(verdicts(withField(bytes, 36, pseudo(bytes, 4, IpProtocol.icmp, 16)))).toBe('valid bad');
});

test('the real case: Zeek saw offload leave the pseudo-header sum of a SYN (geneve-many-options trace)', () => {
  // the shape of that packet: TCP SYN, options, no data
  const syn = tcpSegment({
    sourcePort: 51_225,
    destinationPort: 22,
    sequence: 1,
    acknowledgement: 0,
    flags: 2,
    options: hex('020405b4 0402080a 00000001 00000000 01030307'),
  });
  expect(verdicts(over4(syn, { checksum: 'partial' }))).toBe('valid partial');
});

const udp4 = over4(udpOf(11));
const udp6 = over6(udpOf(11));
/** UDP whose own length covers 4 of 11 data bytes, checksum over those 12. */
function shortUdp(make: Make, checksum: ChecksumState): Buffer {
  const bytes = make(udpOf(4), { checksum });
  const version = bytes[14]! >>> 4;
  const longer = Buffer.concat([bytes, data(7)]);
  if (version === 6) return change(longer, 18, (12 + 7).toString(16).padStart(4, '0'));
  return fixIpv4(change(longer, 16, (20 + 12 + 7).toString(16).padStart(4, '0')));
}

test.each([
  ['UDP field 0 over IPv4', over4(udpOf(5), { checksum: 'zero' }), 'valid zero'],
  ['UDP field 0 over IPv6', over6(udpOf(5), { checksum: 'zero' }), 'none zero'],
  ['UDP field 0, cut', over4(udpOf(5), { checksum: 'zero' }).subarray(0, 46), 'valid unverifiable'],
  ['TCP field 0 is no class of its own', over4(tcpOf(5), { checksum: 'zero' }), 'valid bad'],
  ['UDP over its own length over IPv4', shortUdp(over4, 'valid'), 'valid valid'],
  ['UDP over its own length over IPv6', shortUdp(over6, 'valid'), 'none valid'],
  ['the same, partial', shortUdp(over4, 'partial'), 'valid partial'],
  ['the same, bad', shortUdp(over6, 'bad'), 'none bad'],
  ['UDP length 0: it fills the packet', withUdpLength(udp6, 54, 0), 'none valid'],
  ['UDP length 7', change(udp4, 38, '0007'), 'valid bad'],
  ['UDP length past the packet', change(udp4, 38, '0014'), 'valid bad'],
  ['UDP field 0 and a wrong length', change(over4(udpOf(5), { checksum: 'zero' }), 38, '0007'), 'valid zero'],
  ['UDP header longer than its packet', over4(opaque(IpProtocol.udp, data(7))), 'valid bad'],
  ['TCP header longer than its packet', over4(opaque(IpProtocol.tcp, data(19))), 'valid bad'],
  ['ICMP of three bytes', over4(opaque(IpProtocol.icmp, data(3))), 'valid bad'],
  ['ICMPv6 of three bytes', over6(opaque(IpProtocol.icmpv6, data(3))), 'none bad'],
  ['an empty TCP', over4(opaque(IpProtocol.tcp, data(0))), 'valid bad'],
  ['ICMP over IPv6', over6(opaque(IpProtocol.icmp, data(20))), 'none none'],
  ['ICMPv6 over IPv4', over4(opaque(IpProtocol.icmpv6, data(20))), 'valid none'],
  ['SCTP', over4(opaque(IpProtocol.sctp, data(20))), 'valid none'],
  ['ESP over IPv6', over6(opaque(IpProtocol.esp, data(20))), 'none none'],
  ['the first fragment', fixIpv4(change(udp4, 20, '2000')), 'valid unverifiable'],
  ['a later fragment', fixIpv4(change(udp4, 20, '0001')), 'valid unverifiable'],
  [
    'a fragment whose UDP field would be 0',
    fixIpv4(change(over4(udpOf(5), { checksum: 'zero' }), 20, '2000')),
    'valid unverifiable',
  ],
  ['a fragment of SCTP', fixIpv4(change(over4(opaque(IpProtocol.sctp, data(8))), 20, '2000')), 'valid none'],
  ['IPv4 checksum wrong', change(udp4, 24, '0000'), 'bad valid'],
  ['IPv4 of four words', change(udp4, 14, '44'), 'bad none'],
  ['IPv4 options cut', change(udp4, 14, '4f'), 'unverifiable none'],
  ['IPv4 length 0, valid', fixIpv4(change(over4(tcpOf(20)), 16, '0000')), 'valid valid'],
  [
    'IPv4 length 0, partial with a length',
    fixIpv4(change(over4(tcpOf(20), { checksum: 'partial' }), 16, '0000')),
    'valid partial',
  ],
  ['IPv4 length 0, partial without', tsoOver4(tcpOf(20)), 'valid partial'],
  [
    'IPv4 length 0, perhaps cut: not bad',
    fixIpv4(change(over4(tcpOf(20), { checksum: 'bad' }), 16, '0000')),
    'valid unverifiable',
  ],
  ['IPv4 length 0, its checksum left as well', change(over4(tcpOf(20)), 16, '0000'), 'unverifiable valid'],
  [
    'IPv4 length 0, UDP field 0',
    fixIpv4(change(over4(udpOf(5), { checksum: 'zero' }), 16, '0000')),
    'valid zero',
  ],
  ['IPv6 length 0, valid', change(over6(tcpOf(20)), 18, '0000'), 'none valid'],
  ['IPv4 length less than its header', fixIpv4(change(udp4, 16, '0010')), 'valid bad'],
  ['IPv4 length less than UDP: the rest is padding', fixIpv4(change(udp4, 16, '0024')), 'valid bad'],
  ['a later fragment of IPv6', extended(IpProtocol.fragment, '1100000800000001'), 'none unverifiable'],
  [
    'a fragment header around a whole packet (RFC 6946)',
    extended(IpProtocol.fragment, '1100000000000001'),
    'none valid',
  ],
  [
    'IPv6 extension headers',
    extended(IpProtocol.hopByHop, '3c00010400000000 1100010400000000'),
    'none valid',
  ],
  ['a routing header without segments left', routed(0, client.ipv6), 'none valid'],
  ['a routing header on its way', routed(1, server.ipv6), 'none valid'],
  ['the same, summed over the wrong destination', routed(1, client.ipv6), 'none bad'],
  [
    'a routing header of an unknown type',
    extended(IpProtocol.routing, '1100fe01 00000000'),
    'none unverifiable',
  ],
] as [string, Buffer, string][])('%s', (_name, bytes, expected) => {
  expect(verdicts(bytes)).toBe(expected);
});

test('raw IP is judged the same', () => {
  expect(verdicts(udp4.subarray(14), LinkType.raw)).toBe('valid valid');
  expect(verdicts(udp6.subarray(14), LinkType.raw)).toBe('none valid');
});

/** The checksum counts the length of UDP, so that a changed length changes it. */
function withUdpLength(bytes: Buffer, udpAt: number, length: number): Buffer {
  const copy = Buffer.from(bytes);
  const was = copy.readUInt16BE(udpAt + 4);
  copy.writeUInt16BE(length, udpAt + 4);
  // the field of the header is summed once; the pseudo-header goes on with the bytes that are there
  const checksum = copy.readUInt16BE(udpAt + 6);
  copy.writeUInt16BE(fold(checksum + was - length), udpAt + 6);
  return copy;
}

function tsoOver4(inner: Transport): Buffer {
  const bytes = over4(inner);
  return fixIpv4(change(withField(bytes, 50, pseudo(bytes, 4, IpProtocol.tcp, 0)), 16, '0000'));
}

function extended(first: number, extensions: string): Buffer {
  const packet = ipv6Packet(client.ipv6, server.ipv6, udpOf(9), {}, first, hex(extensions));
  return frame(client.mac, server.mac, packet, EtherType.ipv6);
}

/** Type 0, two addresses long; the checksum is over `server` as the destination, the last one is `final`. */
function routed(segmentsLeft: number, final: Uint8Array): Buffer {
  const [a, b] = [client.ipv6, final].map((address) => Buffer.from(address).toString('hex'));
  return extended(IpProtocol.routing, `11 04 00 0${segmentsLeft} 00000000 ${a} ${b}`);
}

test('what is switched off is not judged', () => {
  const layers = Object.assign(new Layers(), { ipVerdict: Verdict.bad, transportVerdict: Verdict.bad });
  skip(layers);
  expect([layers.ipVerdict, layers.transportVerdict]).toEqual([Verdict.none, Verdict.none]);
});

test('for any data: written valid is judged valid, one flipped bit is judged bad, and no cut is ever bad', () => {
  assert(
    property(
      constantFrom(...kinds),
      uint8Array({ maxLength: 300 }),
      integer({ min: 0 }),
      boolean(),
      (kind, bytes, bit, cut) => {
        const [, make, inner, at] = kind;
        const transport = inner(bytes.length);
        transport.bytes.set(bytes, transport.bytes.length - bytes.length);
        const good = make(transport);
        expect(readFrame(good).transportVerdict).toBe(Verdict.valid);
        const broken = Buffer.from(good);
        // not in the checksum field nor in the length of UDP: other classes follow from those
        const flippable = good.length - at - 4 > 0 ? at + (bit % 4) : at;
        broken[flippable] = broken[flippable]! ^ (1 << (bit % 8));
        const keep = cut ? Math.max(at, good.length - 1 - (bit % 7)) : good.length;
        const isCut = keep < good.length;
        const isIcmpField = kind[0].startsWith('ICMP') && flippable >= at + 2;
        if (isIcmpField) return;
        const verdict = readFrame(broken, LinkType.ethernet, keep).transportVerdict;
        expect(verdictNames[verdict]).toBe(isCut ? 'unverifiable' : 'bad');
      },
    ),
  );
});
