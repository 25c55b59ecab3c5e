import { expect, test } from 'vitest';
import { outer } from '../../../samples/make/mirrored.ts';
import { frame, ipv4Packet, ipv6Packet, opaque, udpDatagram } from '../../../samples/make/packets.ts';
import { client, server } from '../../../samples/make/traffic.ts';
import { ABSENT, Layers } from '../../../src/packet/layers.ts';
import { LinkType } from '../../../src/packet/link-type.ts';
import { NOT_TUNNEL, PortUse, readOuter, tunnelPorts } from '../../../src/receive/outer.ts';
import { EtherType } from '../../../src/wire/ether-type.ts';
import { Fault } from '../../../src/wire/fault.ts';
import { IpProtocol } from '../../../src/wire/ip-protocol.ts';
import { hex } from '../../support/hex.ts';
import { defaultPorts } from '../../support/receiving.ts';

const payload = Buffer.from('sixteen bytes :)');
const toVxlan = udpDatagram(50_000, 4789, payload);
const ip4 = ipv4Packet(client.ipv4, server.ipv4, toVxlan, { checksum: 'zero' });
const ip6 = ipv6Packet(client.ipv6, server.ipv6, toVxlan);
const ether4 = frame(client.mac, server.mac, ip4, EtherType.ipv4);
const ether6 = frame(client.mac, server.mac, ip6, EtherType.ipv6);

const { ethernet, raw, linuxSll, linuxSll2 } = LinkType;
const nullLink = LinkType.null;

interface Row {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly linkType?: number;
  readonly result: number;
  /** Payload bytes that arrived; the text itself where it is whole. */
  readonly payload?: string | number;
  readonly version?: 4 | 6;
  readonly port?: number;
  readonly snapped?: 1;
}

function join(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? hex(part) : part)));
}

function change(bytes: Buffer, at: number, text: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(hex(text), at);
  return copy;
}

/** IPv4 with options in front of the datagram; the total length counts them. */
function withOptions(options: string): Buffer {
  const bytes = join(ip4.subarray(0, 20), options, ip4.subarray(20));
  bytes[0] = 0x40 | ((20 + hex(options).length) / 4);
  bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
}

function extended(first: number, extensions: string): Buffer {
  return ipv6Packet(client.ipv6, server.ipv6, toVxlan, {}, first, hex(extensions));
}

const whole = { result: Fault.none, payload: payload.toString(), port: 4789 } as const;
const nothing = { result: NOT_TUNNEL, payload: 0 } as const;

const linkRows: Row[] = [
  { name: 'Ethernet, IPv4', bytes: ether4, ...whole, version: 4 },
  { name: 'Ethernet, IPv6', bytes: ether6, ...whole, version: 6 },
  { name: 'one VLAN tag', bytes: frame(client.mac, server.mac, ip4, EtherType.ipv4, [7]), ...whole },
  { name: 'QinQ', bytes: frame(client.mac, server.mac, ip6, EtherType.ipv6, [7, 8]), ...whole },
  { name: 'four tags', bytes: frame(client.mac, server.mac, ip4, EtherType.ipv4, [1, 2, 3, 4]), ...whole },
  {
    name: 'five tags',
    bytes: frame(client.mac, server.mac, ip4, EtherType.ipv4, [1, 2, 3, 4, 5]),
    ...nothing,
  },
  {
    name: 'a tag that was cut',
    bytes: frame(client.mac, server.mac, ip4, EtherType.ipv4, [7]).subarray(0, 17),
    ...nothing,
  },
  { name: 'Ethernet header cut', bytes: ether4.subarray(0, 13), ...nothing },
  { name: 'Ethernet header and no more', bytes: ether4.subarray(0, 14), ...nothing },
  { name: 'ARP', bytes: frame(client.mac, server.mac, ip4, EtherType.arp), ...nothing },
  { name: 'nothing at all', bytes: new Uint8Array(), ...nothing },
  { name: 'raw, IPv4', bytes: ip4, linkType: raw, ...whole },
  { name: 'raw, IPv6', bytes: ip6, linkType: raw, ...whole },
  { name: 'raw, IP version 5', bytes: change(ip4, 0, '55'), linkType: raw, ...nothing },
  { name: 'raw, empty', bytes: new Uint8Array(), linkType: raw, ...nothing },
  { name: 'raw as BSDs number it (12)', bytes: ip4, linkType: 12, ...whole },
  { name: 'raw as BSDs number it (14)', bytes: ip4, linkType: 14, ...whole },
  { name: 'LINKTYPE_IPV4', bytes: ip4, linkType: 228, ...whole },
  { name: 'LINKTYPE_IPV6', bytes: ip6, linkType: 229, ...whole },
  { name: 'loopback, little-endian host', bytes: join('02000000', ip4), linkType: nullLink, ...whole },
  { name: 'loopback, IPv6 of a BSD', bytes: join('1e000000', ip6), linkType: nullLink, ...whole },
  { name: 'loopback, three bytes', bytes: hex('020000'), linkType: nullLink, ...nothing },
  { name: 'OpenBSD loopback', bytes: join('00000002', ip4), linkType: 108, ...whole },
  { name: 'cooked', bytes: join('0000 0001 0006 020000000001 0000 0800', ip4), linkType: linuxSll, ...whole },
  {
    name: 'cooked, a VLAN tag',
    bytes: join('0000 0001 0006 020000000001 0000 8100', '0007 86dd', ip6),
    linkType: linuxSll,
    ...whole,
  },
  {
    name: 'cooked, ARP',
    bytes: join('0000 0001 0006 020000000001 0000 0806', ip4),
    linkType: linuxSll,
    ...nothing,
  },
  { name: 'cooked, cut', bytes: hex('0000 0001 0006 020000000001 0000 08'), linkType: linuxSll, ...nothing },
  {
    name: 'cooked version 2',
    bytes: join('0800 0000 00000002 0001 00 06 0200000000010000', ip4),
    linkType: linuxSll2,
    ...whole,
  },
  {
    name: 'cooked version 2, cut',
    bytes: hex('0800 0000 00000002 0001 00 06 02000000000100'),
    linkType: linuxSll2,
    ...nothing,
  },
  { name: 'a link type that nobody reads (LINKTYPE_IEEE802_11)', bytes: ether4, linkType: 105, ...nothing },
];

const ipRows: Row[] = [
  { name: 'IPv4 with options', bytes: withOptions('94040000 01010100'), ...whole },
  { name: 'IPv4 with forty bytes of options', bytes: withOptions('01'.repeat(40)), ...whole },
  {
    name: 'IPv4 options cut',
    bytes: withOptions('01'.repeat(40)).subarray(0, 30),
    result: Fault.udpTruncated,
    payload: 0,
  },
  { name: 'IPv4 header cut', bytes: ip4.subarray(0, 19), ...nothing },
  {
    name: 'IPv4, four header words: its length field is not a port',
    bytes: change(change(ip4, 0, '40'), 2, '12b5'),
    ...nothing,
  },
  { name: 'IPv4 that says it is TCP', bytes: change(ip4, 9, '06'), ...nothing },
  { name: 'IPv4 total length 0, offloaded', bytes: change(ip4, 2, '0000'), ...whole },
  {
    name: 'IPv4 total length within the UDP header',
    bytes: change(ip4, 2, '001a'),
    result: Fault.udpTruncated,
    payload: 0,
    port: 4789,
  },
  {
    name: 'IPv4 total length within its own header',
    bytes: change(ip4, 2, '0010'),
    result: Fault.udpTruncated,
    payload: 0,
  },
  { name: 'padding behind IPv4', bytes: join(ip4, '00'.repeat(18)), ...whole },
  {
    name: 'IPv4 total length less than UDP length',
    bytes: change(ip4, 2, '0022'),
    result: Fault.none,
    payload: 6,
  },
  { name: 'first fragment of IPv4', bytes: change(ip4, 6, '2000'), result: Fault.outerFragment, payload: 16 },
  { name: 'later fragment of IPv4', bytes: change(ip4, 6, '00b9'), result: Fault.outerFragment, payload: 0 },
  { name: 'IPv6 header cut', bytes: ip6.subarray(0, 39), ...nothing },
  { name: 'IPv6 payload length 0', bytes: change(ip6, 4, '0000'), ...whole },
  {
    name: 'IPv6 with hop-by-hop and destination options',
    bytes: extended(IpProtocol.hopByHop, '3c00010400000000 1100010400000000'),
    ...whole,
  },
  {
    name: 'IPv6 extension cut',
    bytes: extended(IpProtocol.hopByHop, '1101010c0000000000000000 00000000').subarray(0, 50),
    ...nothing,
  },
  {
    name: 'IPv6 around TCP',
    bytes: ipv6Packet(client.ipv6, server.ipv6, opaque(IpProtocol.tcp, toVxlan.bytes)),
    ...nothing,
  },
  {
    name: 'IPv6, fragment header around a whole packet (RFC 6946)',
    bytes: extended(IpProtocol.fragment, '1100000000000001'),
    ...whole,
  },
  {
    name: 'first fragment of IPv6',
    bytes: extended(IpProtocol.fragment, '1100000100000001'),
    result: Fault.outerFragment,
    payload: 16,
  },
  {
    name: 'later fragment of IPv6',
    bytes: extended(IpProtocol.fragment, '110005b800000001'),
    result: Fault.outerFragment,
    payload: 0,
  },
];

const udpRows: Row[] = [
  { name: 'UDP cut in its source port', bytes: ip4.subarray(0, 21), result: Fault.udpTruncated, payload: 0 },
  {
    name: 'UDP cut behind its ports',
    bytes: ip4.subarray(0, 24),
    result: Fault.udpTruncated,
    payload: 0,
    port: 4789,
  },
  {
    name: 'UDP to another port, cut behind its ports',
    bytes: change(ip4, 22, '0035').subarray(0, 25),
    ...nothing,
    port: 53,
  },
  {
    name: 'UDP to another port',
    bytes: change(ip4, 22, '0035'),
    result: NOT_TUNNEL,
    payload: payload.toString(),
    port: 53,
  },
  {
    name: 'a fragment to another port',
    bytes: change(change(ip4, 22, '0035'), 6, '2000'),
    result: NOT_TUNNEL,
    payload: 16,
    port: 53,
  },
  { name: 'UDP length 7', bytes: change(ip4, 24, '0007'), result: Fault.udpLength, payload: 0 },
  { name: 'UDP length 8: no payload', bytes: change(ip4, 24, '0008'), result: Fault.none, payload: 0 },
  { name: 'UDP length 0: the datagram fills the packet', bytes: change(ip4, 24, '0000'), ...whole },
  { name: 'UDP length less than the packet', bytes: change(ip4, 24, '000c'), result: Fault.none, payload: 4 },
  { name: 'UDP length more than the packet', bytes: change(ip4, 24, 'ffff'), ...whole },
  {
    name: 'UDP payload cut by the capture',
    bytes: ip4.subarray(0, 34),
    result: Fault.none,
    payload: 6,
    snapped: 1,
  },
  { name: 'the same over IPv6', bytes: ip6.subarray(0, 54), result: Fault.none, payload: 6, snapped: 1 },
  {
    name: 'padding cut by the capture',
    bytes: change(change(ip4, 24, '000c'), 2, '00ff'),
    result: Fault.none,
    payload: 4,
  },
];

test.each([
  ...linkRows,
  ...ipRows.map((row) => ({ linkType: raw, ...row })),
  ...udpRows.map((row) => ({ linkType: raw, ...row })),
])('$name', (row) => {
  const { bytes, linkType = ethernet } = row;
  const block = Buffer.concat([Buffer.alloc(9, 0xa5), bytes, Buffer.alloc(9, 0xa5)]);
  const layers = new Layers();
  layers.payloadAt = layers.payloadEnd = layers.udpAt = layers.destinationPort = 99;
  const result = readOuter(block, 9, 9 + bytes.length, linkType, defaultPorts, layers);
  expect(result).toBe(row.result);
  const arrived = block.toString('latin1', layers.payloadAt, layers.payloadEnd);
  expect(typeof row.payload === 'string' ? arrived : arrived.length).toBe(row.payload);
  expect(layers.snapped).toBe(row.snapped ?? 0);
  if (row.version !== undefined) expect(layers.outerVersion).toBe(row.version);
  if (row.port !== undefined) expect(layers.destinationPort).toBe(row.port);
  if (row.payload === 0 && row.port === undefined && row.result === NOT_TUNNEL)
    expect(layers.udpAt).toBe(ABSENT);
  if (result > Fault.none) expect(layers.faultAt).toBeGreaterThan(9);
});

test('a port may be for VXLAN or GENEVE, several each', () => {
  const ports = tunnelPorts([4789, 8472], [6081, 6082]);
  expect(Array.from(ports.entries()).filter(([, use]) => use !== PortUse.none)).toEqual([
    [4789, PortUse.vxlan],
    [6081, PortUse.geneve],
    [6082, PortUse.geneve],
    [8472, PortUse.vxlan],
  ]);
  const layers = new Layers();
  for (const [port, expected] of [
    [8472, Fault.none],
    [6082, Fault.none],
    [4790, NOT_TUNNEL],
  ] as const) {
    const bytes = outer({ from: client, to: server, version: 4, port }, 1, payload);
    expect(readOuter(bytes, 0, bytes.length, ethernet, ports, layers)).toBe(expected);
  }
});

test('cut at every byte: never a throw, never a payload past the cut', () => {
  const layers = new Layers();
  for (const bytes of [
    ether4,
    ether6,
    frame(client.mac, server.mac, extended(0, '1100010400000000'), EtherType.ipv6, [1, 2]),
  ]) {
    for (let length = 0; length <= bytes.length; length++) {
      const block = Buffer.concat([bytes.subarray(0, length), Buffer.alloc(200, 0xa5)]);
      const result = readOuter(block, 0, length, ethernet, defaultPorts, layers);
      expect([NOT_TUNNEL, Fault.none, Fault.udpTruncated]).toContain(result);
      expect(layers.payloadEnd).toBeLessThanOrEqual(length);
      expect(layers.payloadAt).toBeLessThanOrEqual(layers.payloadEnd);
      expect(layers.snapped).toBe(result === Fault.none && length < bytes.length ? 1 : 0);
    }
  }
});
