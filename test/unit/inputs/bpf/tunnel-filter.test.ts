import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ipv4Packet,
  ipv6Packet,
  opaque,
  type Transport,
  udpDatagram,
} from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { EXTENSIONS_MAX } from '../../../../src/inputs/bpf/ipv6-walk.ts';
import {
  FILTER_ADDRESSES_MAX,
  FILTER_PORTS_MAX,
  tunnelFilter,
  type TunnelFilterOptions,
} from '../../../../src/inputs/bpf/tunnel-filter.ts';
import { Layers } from '../../../../src/packet/layers.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { NOT_TUNNEL, PortUse, readOuter, tunnelPorts } from '../../../../src/receive/outer.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { Fault } from '../../../../src/wire/fault.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { isExtension } from '../../../../src/wire/ipv6-extension.ts';
import { Ad, run, verify } from '../../../support/bpf-machine.ts';
import { hex } from '../../../support/hex.ts';
import { scaled } from '../../../support/scale.ts';
import { mutated, Seeded } from '../../../support/seeded.ts';

const open: TunnelFilterOptions = {
  ports: [4789, 6081],
  addresses4: 'any',
  addresses6: 'any',
  taggedToo: false,
};
const filter = tunnelFilter(open);
const payload = Buffer.alloc(30, 0x61);
const datagram = udpDatagram(50_000, 4789, payload);
const ip4 = ipv4Packet(client.ipv4, server.ipv4, datagram);
const ip6 = ipv6Packet(client.ipv6, server.ipv6, datagram);

interface Seen {
  readonly protocol?: number;
  readonly packetType?: number;
  readonly vlanTag?: number;
}

function accepts(program: Uint8Array, packet: Uint8Array, seen: Seen = {}): boolean {
  const version = (packet[0] ?? 0) >>> 4;
  const kept = run(program, packet, {
    [Ad.protocol]: seen.protocol ?? (version === 6 ? EtherType.ipv6 : EtherType.ipv4),
    [Ad.packetType]: seen.packetType ?? 0,
    [Ad.vlanTagPresent]: Number(seen.vlanTag !== undefined),
    [Ad.vlanTag]: seen.vlanTag ?? 0,
  });
  expect([0, 0x40000]).toContain(kept);
  return kept > 0;
}

function to(port: number): Transport {
  return udpDatagram(50_000, port, payload);
}

function extended(first: number, extensions: string, transport: Transport = datagram): Buffer {
  return ipv6Packet(client.ipv6, server.ipv6, transport, {}, first, hex(extensions));
}

test.each<[string, Uint8Array, boolean, Seen?]>([
  ['IPv4', ip4, true],
  ['IPv6', ip6, true],
  ['the other port', ipv4Packet(client.ipv4, server.ipv4, to(6081)), true],
  ['a port that is not ours', ipv4Packet(client.ipv4, server.ipv4, to(4788)), false],
  ['from our port to another', ipv4Packet(client.ipv4, server.ipv4, udpDatagram(4789, 53, payload)), false],
  ['TCP', ipv4Packet(client.ipv4, server.ipv4, opaque(IpProtocol.tcp, datagram.bytes)), false],
  ['ARP', ip4, false, { protocol: EtherType.arp }],
  ['a broadcast', ip4, false, { packetType: 1 }],
  ['a multicast', ip4, false, { packetType: 2 }],
  ['for another host', ip4, false, { packetType: 3 }],
  ['sent by ourselves', ip4, false, { packetType: 4 }],
  ['of VLAN 7', ip4, false, { vlanTag: 7 }],
  ['of VLAN 7, with a priority', ip4, false, { vlanTag: 0xe007 }],
  ['with a priority tag', ip4, true, { vlanTag: 0xe000 }],
  ['the rest of a tag', Buffer.concat([hex('0007 0800'), ip4]), false, { protocol: EtherType.vlan }],
  ['IPv4, version 5', Buffer.concat([Buffer.of(0x55), ip4.subarray(1)]), false],
  [
    'a later fragment',
    ipv4Packet(client.ipv4, server.ipv4, opaque(17, payload), { flagsAndOffset: 9 }),
    true,
  ],
  [
    'a later fragment of TCP',
    ipv4Packet(client.ipv4, server.ipv4, opaque(6, payload), { flagsAndOffset: 9 }),
    false,
  ],
  ['a first fragment', ipv4Packet(client.ipv4, server.ipv4, datagram, { flagsAndOffset: 0x2000 }), true],
  [
    'a first fragment to another port',
    ipv4Packet(client.ipv4, server.ipv4, to(53), { flagsAndOffset: 0x2000 }),
    false,
  ],
  ['hop-by-hop options', extended(0, '1100010400000000'), true],
  ['hop-by-hop options, another port', extended(0, '1100010400000000', to(53)), false],
  [
    'hop-by-hop, routing and destination options',
    extended(0, '2b00010400000000 3c02000000000000 00000000000000000000000000000000 1100010400000000'),
    true,
  ],
  ['authentication', extended(IpProtocol.ah, `1102${'00'.repeat(14)}`), true],
  [
    'four extension headers',
    extended(60, '3c00010400000000 3c00010400000000 3c00010400000000 1100010400000000'),
    true,
  ],
  ['five, more than are followed', extended(60, `${'3c00010400000000'.repeat(4)} 1100010400000000`), false],
  ['IPv6, first fragment', extended(44, '1100000100000001'), true],
  ['IPv6, first fragment to another port', extended(44, '1100000100000001', to(53)), false],
  ['IPv6, later fragment', extended(44, '110005b800000001'), true],
  ['IPv6, later fragment of TCP', extended(44, '060005b800000001'), false],
  ['IPv6, fragment header around a whole packet', extended(44, '1100000000000001'), true],
  ['IPv6, later fragment behind hop-by-hop options', extended(0, '2c00010400000000 110005b900000001'), true],
])('%s: %#', (_, packet, wanted, seen) => {
  expect(accepts(filter, packet, seen)).toBe(wanted);
});

describe('with packets of VLANs', () => {
  const tagged = tunnelFilter({ ...open, taggedToo: true });
  test.each<[string, Uint8Array, boolean, Seen?]>([
    ['untagged', ip4, true],
    ['of VLAN 7', ip6, true, { vlanTag: 7 }],
    ['a second tag', Buffer.concat([hex('0007 0800'), ip4]), true, { vlanTag: 3, protocol: EtherType.vlan }],
    [
      'a second tag, of a provider',
      Buffer.concat([hex('0007 86dd'), ip6]),
      true,
      { vlanTag: 3, protocol: EtherType.qinq },
    ],
    [
      'a second tag around ARP',
      Buffer.concat([hex('0007 0806'), ip4]),
      false,
      { vlanTag: 3, protocol: EtherType.vlan },
    ],
    [
      'a third tag',
      Buffer.concat([hex('0007 8100 0008 0800'), ip4]),
      false,
      { vlanTag: 3, protocol: EtherType.vlan },
    ],
    ['a tag that was cut', hex('000708'), false, { vlanTag: 3, protocol: EtherType.vlan }],
    ['ARP', ip4, false, { protocol: EtherType.arp }],
    ['for another host', ip4, false, { packetType: 3, vlanTag: 7 }],
  ])('%s', (_, packet, wanted, seen) => {
    expect(accepts(tagged, packet, seen)).toBe(wanted);
  });
});

describe('destination addresses', () => {
  const near4 = Uint8Array.of(10, 0, 2, 21);
  const near6 = Uint8Array.from(server.ipv6, (byte, index) => (index === 7 ? byte ^ 1 : byte));
  test.each<[string, Partial<TunnelFilterOptions>, boolean, boolean]>([
    ['any', {}, true, true],
    ['no IPv4', { addresses4: 'none' }, false, true],
    ['no IPv6', { addresses6: 'none' }, true, false],
    ['none at all', { addresses4: [], addresses6: [] }, false, false],
    ['its own', { addresses4: [near4, server.ipv4], addresses6: [near6, server.ipv6] }, true, true],
    [
      'neighbours of it',
      { addresses4: [near4, client.ipv4], addresses6: [near6, client.ipv6] },
      false,
      false,
    ],
    [
      'as many as can be listed',
      { addresses4: many(4, FILTER_ADDRESSES_MAX), addresses6: many(16, FILTER_ADDRESSES_MAX) },
      false,
      false,
    ],
    [
      'more than can be listed',
      { addresses4: many(4, FILTER_ADDRESSES_MAX + 1), addresses6: many(16, FILTER_ADDRESSES_MAX + 1) },
      true,
      true,
    ],
  ])('%s', (_, options, wanted4, wanted6) => {
    const program = tunnelFilter({ ...open, ...options });
    verify(program);
    expect([accepts(program, ip4), accepts(program, ip6)]).toEqual([wanted4, wanted6]);
  });

  test('each one of a full list is found', () => {
    const addresses4 = many(4, FILTER_ADDRESSES_MAX);
    const addresses6 = many(16, FILTER_ADDRESSES_MAX);
    const program = tunnelFilter({ ...open, addresses4, addresses6 });
    for (const one of addresses4) expect(accepts(program, ipv4Packet(client.ipv4, one, datagram))).toBe(true);
    for (const one of addresses6) expect(accepts(program, ipv6Packet(client.ipv6, one, datagram))).toBe(true);
  });
});

function many(bytes: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    new Uint8Array(bytes).fill(0x20).fill(index, bytes - 2, bytes - 1),
  );
}

test('each one of the most ports is found, and one more is refused by us', () => {
  const ports = Array.from({ length: FILTER_PORTS_MAX }, (_, index) => 1000 + 7 * index);
  const program = tunnelFilter({ ...open, ports });
  verify(program);
  for (let port = 990; port < 1300; port++)
    expect(accepts(program, ipv4Packet(client.ipv4, server.ipv4, to(port)))).toBe(ports.includes(port));
  expect(() => tunnelFilter({ ...open, ports: [...ports, 1] })).toThrow('32 ports');
});

/** What the receiver says of the same bytes; `undefined` where it cannot know the port that the filter sees. */
function receiverWants(packet: Uint8Array): boolean | undefined {
  const layers = new Layers();
  const ports = tunnelPorts([4789], [6081]);
  const result = readOuter(packet, 0, packet.length, LinkType.raw, ports, layers);
  if (result === NOT_TUNNEL) return false;
  if (result === Fault.outerFragment) return true;
  // the length that the IP header promises ends before the ports: the receiver does not look, the filter does
  if (result === Fault.udpTruncated && layers.destinationPort === 0) return undefined;
  return ports[layers.destinationPort] !== PortUse.none;
}

describe('the filter and the receiver', () => {
  const seeds = [
    ip4,
    ip6,
    Buffer.concat([Buffer.of(0x47), ip4.subarray(1, 20), hex('94040000 01010100'), ip4.subarray(20)]),
    ipv4Packet(client.ipv4, server.ipv4, opaque(17, payload), { flagsAndOffset: 9 }),
    ipv4Packet(client.ipv4, server.ipv4, to(6081), { flagsAndOffset: 0x2000 }),
    extended(44, '1100000100000001'),
    extended(44, '110005b800000001'),
    extended(0, '3c00010400000000 1100010400000000'),
    extended(IpProtocol.ah, `2b02${'00'.repeat(14)} 1100000000000000`),
  ];

  test('agree on packets that were cut', () => {
    for (const seed of seeds) {
      for (let length = 1; length <= seed.length; length++) {
        const packet = seed.subarray(0, length);
        expect([length, accepts(filter, packet)]).toEqual([
          length,
          receiverWants(packet) ?? expect.any(Boolean),
        ]);
      }
    }
  });

  test('agree on packets that were damaged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.constantFrom(...seeds), (number, seed) => {
        const packet = mutated(new Seeded(number), seed);
        const wanted = receiverWants(packet);
        if (wanted === undefined || hasManyExtensions(packet)) return;
        expect(accepts(filter, packet)).toBe(wanted);
      }),
      { numRuns: scaled(200_000) },
    );
  });
});

/** More extension headers than the filter follows, or what might be. */
function hasManyExtensions(packet: Uint8Array): boolean {
  if ((packet[0] ?? 0) >>> 4 !== 6) return false;
  let next = packet[6] ?? 59;
  let at = 40;
  for (let count = 0; count < EXTENSIONS_MAX; count++) {
    if (!isExtension(next)) return false;
    const length = packet[at + 1] ?? 0;
    const bytes =
      next === IpProtocol.fragment ? 8 : next === IpProtocol.ah ? 4 * (length + 2) : 8 * (length + 1);
    next = packet[at] ?? 59;
    at += bytes;
  }
  return isExtension(next);
}
