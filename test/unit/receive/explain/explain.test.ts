import { assert, array, constantFrom, integer, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { hostilePackets } from '../../../../samples/make/hostile.ts';
import { outer } from '../../../../samples/make/mirrored.ts';
import { ipv4Packet, udpDatagram } from '../../../../samples/make/packets.ts';
import { client, server, traffic } from '../../../../samples/make/traffic.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { verdictNames } from '../../../../src/packet/verdict.ts';
import { LANE_COUNTERS_LENGTH, LaneCounter } from '../../../../src/receive/lane-counters.ts';
import { type Explanation, explainPacket } from '../../../../src/receive/explain/explain.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { batchOf, buckets, defaultPorts, makeBench, type OuterPacket } from '../../../support/receiving.ts';
import { carried, geneve, gwlb, inner, vxlan } from '../../../support/tunnels.ts';

function explain({ bytes, linkType = LinkType.ethernet }: OuterPacket, before = 0): Explanation {
  const block = Buffer.concat([Buffer.alloc(before, 0xa5), bytes, Buffer.alloc(300, 0xa5)]);
  return explainPacket(block, before, before + bytes.length, bytes.length, linkType, defaultPorts);
}

/** What the receiver itself makes of one packet, in the words of an explanation. */
function received(packet: OuterPacket): unknown {
  const { receiver, tally, lanes, laneCounters } = makeBench();
  const batch = batchOf([packet]);
  receiver.process(batch);
  const { received: _received, reservedBits: _reserved, geneveOnly: _only, ...rest } = buckets(tally);
  const [bucket] = Object.keys(rest);
  if (bucket === 'notTunnel') return { outcome: 'notTunnel' };
  if (bucket !== 'delivered') return { outcome: 'fault', fault: { name: bucket } };
  const lane = lanes.lane(batch.lane[0]!);
  const row = laneCounters.subarray(batch.lane[0]! * LANE_COUNTERS_LENGTH);
  const verdict = (at: number): string => verdictNames.find((_, index) => row[at + index] === 1)!;
  return {
    outcome: 'delivered',
    frame: {
      lane: lane.name,
      vni: lane.vni,
      at: batch.frameAt[0]! - batch.at[0]!,
      length: batch.frameEnd[0]! - batch.frameAt[0]!,
      wireLen: batch.frameWireLen[0],
      truncated: row[LaneCounter.truncated] === 1,
      snapped: row[LaneCounter.snapped] === 1,
      ipChecksum: verdict(LaneCounter.ipVerdict),
      transportChecksum: verdict(LaneCounter.transportVerdict),
    },
  };
}

/** Layers lie in the packet, one behind the other, except options, which lie in their header. */
function checkLayers({ layers, length, fault }: Explanation): void {
  let at = 0;
  for (const layer of layers) {
    expect(layer.length).toBeGreaterThanOrEqual(0);
    if (layer.length > 0) expect(layer.at + layer.length).toBeLessThanOrEqual(length);
    expect(layer.at).toBeGreaterThanOrEqual(at);
    at = layer.at;
  }
  if (fault !== undefined) {
    expect(fault.present).toBeLessThanOrEqual(length);
    expect(fault.needed).toBeGreaterThan(0);
    expect(fault.meaning).toMatch(/^[A-Z].*\.$/);
  }
}

const send = (payload: Uint8Array, port: number, version: 4 | 6 = 4): Buffer =>
  outer({ from: client, to: server, version, port }, 1, payload);
const production = ipv4Packet(client.ipv4, server.ipv4, udpDatagram(1, 2, Buffer.from('x')));
const seeds: OuterPacket[] = [
  ...hostilePackets(),
  ...traffic().map(({ bytes }) => ({ bytes: send(vxlan(bytes), 4789, 6) })),
  ...traffic().map(({ bytes }) => ({
    bytes: send(geneve(EtherType.ipv6, carried(6, vxlan(bytes)), gwlb), 6081),
  })),
  { bytes: send(geneve(EtherType.ipv4, production, gwlb), 6081) },
  { bytes: send(geneve(EtherType.ethernet, inner), 6081).subarray(14), linkType: LinkType.raw },
  { bytes: Buffer.concat([Buffer.from('02000000', 'hex'), production]), linkType: LinkType.null },
];

test('every sample comes to the same end as in the receiver', () => {
  for (const packet of seeds) {
    const explanation = explain(packet, 7);
    expect(explanation).toMatchObject(received(packet) as object);
    checkLayers(explanation);
  }
});

const linkTypes = [
  LinkType.ethernet,
  LinkType.raw,
  LinkType.null,
  LinkType.linuxSll,
  LinkType.linuxSll2,
  12,
  14,
  108,
  228,
  229,
  105,
];

test('so does every sample that was cut and changed, whatever it is said to begin with', () => {
  const change = record({ at: nat(160), value: nat(255) });
  assert(
    property(
      nat(seeds.length - 1),
      array(change, { maxLength: 3 }),
      integer({ min: 0, max: 250 }),
      constantFrom(0, 0, 0, ...linkTypes),
      (index, changes, keep, type) => {
        const bytes = Buffer.from(seeds[index]!.bytes.subarray(0, keep > 200 ? undefined : keep));
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        const packet = { bytes, linkType: type === 0 ? (seeds[index]!.linkType ?? LinkType.ethernet) : type };
        const explanation = explain(packet);
        expect(explanation).toMatchObject(received(packet) as object);
        checkLayers(explanation);
      },
    ),
    { numRuns: 3000 },
  );
});

/** The names of all layers of a packet. */
function names(bytes: Buffer, linkType: number = LinkType.ethernet): string {
  return explain({ bytes, linkType })
    .layers.map(({ name }) => name)
    .join(', ');
}

test('so does every kind of inner frame that ends at any byte of its headers', () => {
  const kinds = new Map(traffic().map(({ bytes }) => [names(send(vxlan(bytes), 4789)), bytes]));
  expect(kinds.size).toBeGreaterThan(6);
  for (const bytes of kinds.values()) {
    for (let length = 0; length <= Math.min(bytes.length, 100); length++) {
      const packet = { bytes: send(vxlan(bytes.subarray(0, length)), 4789) };
      expect(explain(packet)).toMatchObject(received(packet) as object);
    }
  }
});

test('layers are named from the outermost to the data', () => {
  expect(names(send(vxlan(inner), 4789))).toBe('Ethernet, IPv4, UDP, VXLAN, Ethernet, IPv4, UDP, Data');
  expect(names(send(geneve(EtherType.ipv4, carried(4), gwlb), 6081))).toBe(
    'Ethernet, IPv4, UDP, GENEVE, GENEVE option, GENEVE option, GENEVE option, IPv4, UDP, VXLAN, Ethernet, IPv4, UDP, Data',
  );
  expect(names(send(geneve(EtherType.ipv4, production), 6081))).toBe(
    'Ethernet, IPv4, UDP, GENEVE, IPv4, UDP, Data',
  );
});

test('all kinds of frames of the sample traffic are told', () => {
  const all = new Set(traffic().flatMap(({ bytes }) => names(send(vxlan(bytes), 4789)).split(', ')));
  for (const name of ['ARP', 'VLAN', 'TCP', 'UDP', 'ICMP', 'ICMPv6', 'IPv6', 'IPv4'])
    expect(all).toContain(name);
});

test('the three options of AWS are told by name with their values in hex', () => {
  const { layers } = explain({ bytes: send(geneve(EtherType.ipv4, carried(4), gwlb), 6081) });
  const options = layers
    .filter(({ name }) => name === 'GENEVE option')
    .map(({ fields }) => Object.fromEntries(fields));
  expect(options.map((option) => `${option['type']} ${option['data']}`)).toEqual([
    '1 (Gateway Load Balancer endpoint) 0x0a1b2c3d4e5f6071',
    '2 (Gateway Load Balancer attachment) 0x0000000000000000',
    '3 (Gateway Load Balancer flow cookie) 0xf0e1d2c3',
  ]);
});

test.each([
  [
    'vxlanNoVni',
    send(vxlan(inner, '07 000000 00002a 00'), 4789),
    'VXLAN',
    42,
    8,
    8 + inner.length,
    'flags 0x07',
  ],
  [
    'vxlanTruncated',
    send(Buffer.from('080000', 'hex'), 4789),
    'VXLAN',
    42,
    8,
    3,
    'ends inside its VXLAN header',
  ],
  [
    'geneveTruncated',
    send(geneve(EtherType.ethernet, inner, gwlb).subarray(0, 20), 6081),
    'GENEVE',
    42,
    40,
    20,
    'ends inside',
  ],
  ['geneveTruncated', send(Buffer.from('00', 'hex'), 6081), 'GENEVE', 42, 8, 1, 'ends inside'],
  ['geneveVersion', send(Buffer.from('80', 'hex'), 6081), 'GENEVE', 42, 8, 1, 'version 2'],
  [
    'geneveControl',
    send(geneve(EtherType.ethernet, inner, '', '80'), 6081),
    'GENEVE',
    42,
    8,
    8 + inner.length,
    'control',
  ],
  ['geneveProtocol', send(geneve(0x8847, inner), 6081), 'GENEVE', 42, 8, 8 + inner.length, '0x8847'],
  [
    'geneveOption',
    send(geneve(EtherType.ethernet, inner, '0132 01 00 0133 82 02 00000000'), 6081),
    'GENEVE option',
    54,
    12,
    8,
    'class 0x0133, type 2',
  ],
  [
    'geneveCritical',
    send(geneve(EtherType.ethernet, inner, '0108 81 00 0132 85 01 00000000 0132 01 00'), 6081),
    'GENEVE option',
    54,
    8,
    12,
    'class 0x0132, type 5',
  ],
  ['udpTruncated', send(vxlan(inner), 4789).subarray(0, 40), 'UDP', 34, 8, 6, 'ends inside its UDP header'],
])('%s: layer, offset, bytes needed and present', (name, bytes, layer, at, needed, present, meaning) => {
  const { fault } = explain({ bytes }, 5);
  expect(fault).toEqual({ name, layer, at, needed, present, meaning: expect.stringContaining(meaning) });
});

test.each([
  ['UDP port 53 is no tunnel port.', send(Buffer.from('q'), 53), LinkType.ethernet],
  [
    'It is TCP, not UDP to a tunnel port.',
    traffic().find(({ bytes }) => bytes[23] === 6)!.bytes,
    LinkType.ethernet,
  ],
  [
    'It is ARP, not UDP to a tunnel port.',
    traffic().find(({ bytes }) => bytes[13] === 6)!.bytes,
    LinkType.ethernet,
  ],
  ['Ethernet: cut: 14 bytes needed, 3 present.', Buffer.from('abc'), LinkType.ethernet],
  ['Link layer: this link type is not read.', Buffer.from('abc'), 105],
  ['Loopback: cut: 4 bytes needed, 3 present.', Buffer.from('abc'), LinkType.null],
  ['Linux cooked: cut: 16 bytes needed, 3 present.', Buffer.from('abc'), LinkType.linuxSll],
])('%s', (why, bytes, linkType) => {
  expect(explain({ bytes, linkType })).toMatchObject({ outcome: 'notTunnel', why });
});
