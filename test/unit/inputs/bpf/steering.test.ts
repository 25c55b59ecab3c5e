import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ipv4Packet, ipv6Packet, opaque, udpDatagram } from '../../../../samples/make/packets.ts';
import { mirrored, gwlbTunnel, vxlanTunnel } from '../../../../samples/make/mirrored.ts';
import { client, server, traffic } from '../../../../samples/make/traffic.ts';
import { reusePortProgram, fanOutProgram } from '../../../../src/inputs/bpf/steering.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { IpProtocol } from '../../../../src/wire/ip-protocol.ts';
import { Ad, run, verify } from '../../../support/bpf-machine.ts';
import { expected, finish, ofPair } from '../../../support/expected-hash.ts';
import { hex } from '../../../support/hex.ts';
import { scaled } from '../../../support/scale.ts';
import {
  type Conversation,
  errorAbout,
  errorTypes,
  frameOf,
  headerLen,
  packetOf,
  payloadOf,
  portOf,
  type Shape,
  shapes,
  type Tunnel,
  tunnelKinds,
} from '../../../support/steered.ts';
import { carried, geneve, resolver, vxlan } from '../../../support/tunnels.ts';

const ports = { vxlanPorts: [4789, 8472], genevePorts: [6081] };
const steerings = ['flow', 'flow-ports', 'vni'] as const;
type Steering = (typeof steerings)[number];
const fanOut = Object.fromEntries(
  steerings.map((steering) => [steering, fanOutProgram({ steering, ...ports })]),
) as Record<Steering, Uint8Array>;

/** Members of the reuse-port group: a prime, so that every bit of the hash counts. */
const MEMBERS = 4_294_967_291;
const reusePort = Object.fromEntries(
  steerings.map((steering) => [
    steering,
    new Map([4789, 6081].map((port) => [port, reusePortProgram({ steering, ...ports }, port, MEMBERS)])),
  ]),
) as Record<Steering, Map<number, Uint8Array>>;

/** The hash that both programs find; `undefined` where they differ. */
function hashOf(
  steering: Steering,
  payload: Uint8Array,
  port: number,
  outer: Outer = {},
): number | undefined {
  const [packet, protocol] = outerPacket(payload, port, outer);
  const hash = run(fanOut[steering], packet, { [Ad.protocol]: protocol });
  const chosen = run(reusePort[steering].get(port)!, payload);
  return chosen === hash % MEMBERS ? hash : undefined;
}

interface Outer {
  readonly version?: 4 | 6;
  /** Words of IPv4 options, or extension headers of IPv6. */
  readonly extra?: number;
  /** A second VLAN tag, which the kernel leaves where it is. */
  readonly tagged?: boolean;
  readonly sourcePort?: number;
}

function outerPacket(payload: Uint8Array, port: number, outer: Outer): [packet: Buffer, protocol: number] {
  const { version = 4, extra = 0, tagged = false, sourcePort = 60_000 } = outer;
  const datagram = udpDatagram(sourcePort, port, payload);
  let packet: Buffer;
  if (version === 4) {
    const plain = ipv4Packet(client.ipv4, server.ipv4, datagram, { checksum: 'zero' });
    packet = Buffer.concat([plain.subarray(0, 20), Buffer.alloc(4 * extra, 1), plain.subarray(20)]);
    packet[0] = 0x45 + extra;
    packet.writeUInt16BE(packet.length, 2);
  } else {
    const types = [
      IpProtocol.hopByHop,
      IpProtocol.destinationOptions,
      IpProtocol.routing,
      IpProtocol.destinationOptions,
    ];
    const chain = [...types.slice(0, extra), IpProtocol.udp];
    const extensions = Buffer.concat(chain.slice(1).map((next) => Buffer.of(next, 0, 1, 4, 0, 0, 0, 0)));
    packet = ipv6Packet(client.ipv6, server.ipv6, datagram, { checksum: 'zero' }, chain[0], extensions);
  }
  const etherType = version === 4 ? EtherType.ipv4 : EtherType.ipv6;
  if (!tagged) return [packet, etherType];
  const rest = Buffer.of(0, 9, etherType >>> 8, etherType & 0xff);
  return [Buffer.concat([rest, packet]), EtherType.vlan];
}

const conversations = fc.constantFrom(4 as const, 6 as const).chain((version) => {
  const bytes = version === 4 ? 4 : 16;
  const address = fc.uint8Array({ minLength: bytes, maxLength: bytes });
  const port = fc.integer({ min: 1, max: 65_535 }).filter((number) => ![4789, 8472].includes(number));
  return fc.record({
    version: fc.constant(version),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    addresses: fc.tuple(address, address),
    ports: fc.tuple(port, port),
  });
});
const shapeNames = fc.constantFrom(...(Object.keys(shapes) as Shape[]));
const tunnels: fc.Arbitrary<Tunnel> = fc.record({
  kind: fc.constantFrom(...tunnelKinds),
  vni: fc.integer({ min: 0, max: 0xff_ffff }),
  optionWords: fc.integer({ min: 0, max: 63 }),
  tags: fc.array(fc.integer({ min: 0, max: 4095 }), { maxLength: 4 }),
});
const outers = fc.record({
  version: fc.constantFrom(4 as const, 6 as const),
  extra: fc.integer({ min: 0, max: 4 }),
  tagged: fc.boolean(),
  sourcePort: fc.integer({ min: 1, max: 65_535 }),
});

test.each(steerings)('%s: one hash for all packets of a connection, in whatever tunnel', (steering) => {
  fc.assert(
    fc.property(
      conversations,
      shapeNames,
      fc.boolean(),
      tunnels,
      outers,
      (conversation, shape, forward, tunnel, outer) => {
        const packet = packetOf(conversation, forward, shape);
        const payload = payloadOf(tunnel, packet, conversation.version);
        const found = hashOf(steering, payload, portOf(tunnel), outer);
        expect(found).toBe(expected(steering, conversation, shapes[shape].hasPorts, tunnel.vni));
      },
    ),
    { numRuns: scaled(20_000) },
  );
});

describe('ICMP errors', () => {
  const base = { protocol: 'udp', ports: [1000, 2000] } as const;
  const talks: Conversation[] = [
    { version: 4, addresses: [client.ipv4, server.ipv4], ...base },
    { version: 6, addresses: [client.ipv6, server.ipv6], ...base },
  ];
  test.each(talks)('of IPv$version that carry a packet are hashed by it, others by themselves', (talk) => {
    const about = packetOf(talk, true, 'whole');
    for (let type = 0; type < 256; type++) {
      const error = errorAbout(talk, false, about, type);
      const found = hashOf('flow', vxlan(frameOf(error, talk.version)), 4789);
      const carries = (errorTypes[talk.version] as readonly number[]).includes(type);
      expect([type, found === expected('flow', talk, true, 0)]).toEqual([type, carries]);
    }
  });

  test.each(talks)('of IPv$version go by their own addresses where the packet in them is cut', (talk) => {
    const error = errorAbout(talk, false, packetOf(talk, true, 'whole'));
    const outerLen = headerLen(talk.version) + 8;
    const [router, host] = ownAddresses(error, talk.version);
    const own = ofPair(router, host);
    for (let kept = headerLen(talk.version); kept <= error.length; kept++) {
      const payload = vxlan(frameOf(error.subarray(0, kept), talk.version));
      const inReach = kept >= outerLen + headerLen(talk.version);
      expect(hashOf('flow', payload, 4789)).toBe(inReach ? expected('flow', talk, true, 0) : own);
      const portsInReach = kept >= outerLen + headerLen(talk.version) + 4;
      expect(hashOf('flow-ports', payload, 4789)).toBe(
        inReach ? expected('flow-ports', talk, portsInReach, 0) : own,
      );
    }
  });

  test('a fragmented ICMP error is a fragment like others', () => {
    const talk = talks[0]!;
    const error = errorAbout(talk, false, packetOf(talk, true, 'whole'));
    error.writeUInt16BE(0x2000, 6);
    const [router, host] = ownAddresses(error, 4);
    const own = ofPair(router, host);
    expect(hashOf('flow', vxlan(frameOf(error, 4)), 4789)).toBe(own);
  });
});

function ownAddresses(packet: Buffer, version: 4 | 6): [Buffer, Buffer] {
  return version === 4
    ? [packet.subarray(12, 16), packet.subarray(16, 20)]
    : [packet.subarray(8, 24), packet.subarray(24, 40)];
}

test('cut anywhere: by addresses and ports that are there, and 0 before the addresses', () => {
  fc.assert(
    fc.property(conversations, tunnels, fc.nat(), (conversation, tunnel, cut) => {
      const packet = packetOf(conversation, true, 'whole');
      const whole = payloadOf(tunnel, packet, conversation.version);
      const kept = cut % packet.length;
      const payload = whole.subarray(0, whole.length - packet.length + kept);
      const addressesThere = kept >= headerLen(conversation.version);
      const portsThere = kept >= headerLen(conversation.version) + 4;
      for (const steering of ['flow', 'flow-ports'] as const) {
        const hash = addressesThere ? expected(steering, conversation, portsThere, 0) : 0;
        expect(hashOf(steering, payload, portOf(tunnel))).toBe(hash);
      }
      expect(hashOf('vni', payload, portOf(tunnel))).toBe(finish(tunnel.vni));
    }),
    { numRuns: scaled(10_000) },
  );
});

const arp = frameOf(Buffer.alloc(46), 4);
arp.writeUInt16BE(EtherType.arp, 12);
const later = ipv4Packet(client.ipv4, server.ipv4, opaque(IpProtocol.udp, Buffer.alloc(100, 7)), {
  flagsAndOffset: 9,
});
const talk: Conversation = {
  version: 4,
  protocol: 'tcp',
  addresses: [client.ipv4, server.ipv4],
  ports: [40_000, 443],
};
const inner = packetOf(talk, true, 'whole');
const seventh = packetOf({ ...talk, version: 6, addresses: [client.ipv6, server.ipv6] }, true, 'whole');
seventh[0] = 0x70;

test.each([
  ['ARP', vxlan(arp), 4789],
  ['five VLAN tags', vxlan(frameOf(inner, 4, [1, 2, 3, 4, 5])), 4789],
  [
    'IPv4 that says it is version 6',
    vxlan(frameOf(Buffer.concat([Buffer.of(0x65), inner.subarray(1)]), 4)),
    4789,
  ],
  ['IPv6 of version 7', vxlan(frameOf(seventh, 6)), 4789],
  ['IPv6 that says it is version 4', vxlan(frameOf(inner, 6)), 4789],
  ['GENEVE around something else', geneve(0x1234, inner), 6081],
  ['GENEVE around raw IP of version 5', geneve(EtherType.ipv4, hex('55'.repeat(60))), 6081],
  ['no payload', Buffer.alloc(0), 4789],
  ['a VXLAN header alone', vxlan(Buffer.alloc(0)), 4789],
  ['GENEVE options that were cut', geneve(EtherType.ipv4, Buffer.alloc(0), 'ff000101').subarray(0, 8), 6081],
])('%s: worker 0', (_, payload, port) => {
  expect(hashOf('flow', payload, port)).toBe(0);
  expect(hashOf('flow-ports', payload, port)).toBe(0);
});

const tail = Buffer.concat([hex('0007 0800'), outerPacket(vxlan(frameOf(inner, 4)), 4789, {})[0]]);

test('the number that announced two tags before 802.1ad does so inside', () => {
  const tagged = frameOf(inner, 4, [1, 2]);
  tagged.writeUInt16BE(EtherType.qinqLegacy, 12);
  expect(hashOf('flow', vxlan(tagged), 4789)).toBe(expected('flow', talk, true, 0));
});

test.each([
  ['a port that is not ours', outerPacket(vxlan(frameOf(inner, 4)), 4790, {})],
  ['a fragment of the outer packet', [later, EtherType.ipv4] as const],
  ['ARP', [Buffer.alloc(28), EtherType.arp] as const],
  ['nothing', [Buffer.alloc(0), EtherType.ipv4] as const],
  ['what looks like the rest of a tag', [tail, EtherType.qinqLegacy] as const],
  ['the rest of a tag around ARP', [hex('0007 0806'), EtherType.vlan] as const],
])('of the outer packets, %s: worker 0', (_, [packet, protocol]) => {
  for (const steering of steerings)
    expect(run(fanOut[steering], packet, { [Ad.protocol]: protocol })).toBe(0);
});

test('UDP to a VXLAN port inside GENEVE is raw IP where it is a fragment or ends before its ports', () => {
  const addresses = [resolver.ipv4, server.ipv4] as const;
  const hash = ofPair(addresses[0], addresses[1]);
  const whole = carried(4, vxlan(frameOf(inner, 4)));
  const fragment = Buffer.from(whole);
  fragment.writeUInt16BE(0x2000, 6);
  for (const packet of [fragment, whole.subarray(0, 20), whole.subarray(0, 23)])
    expect(hashOf('flow', geneve(EtherType.ipv4, packet), 6081)).toBe(hash);
  // four header words: what stands where the ports would be is an address, here of 18.181, which is 4789
  const short = Buffer.from(whole);
  short[0] = 0x44;
  short.set([18, 181], 18);
  expect(hashOf('flow', geneve(EtherType.ipv4, short), 6081)).toBe(
    ofPair(resolver.ipv4, short.subarray(16, 20)),
  );
  expect(hashOf('flow', geneve(EtherType.ipv4, whole), 6081)).toBe(expected('flow', talk, true, 0));
});

test('the sender’s own packets: both directions of all its traffic, by VXLAN and by GENEVE', () => {
  const addressPairs = new Map<string, Set<number | undefined>>();
  const direct = vxlanTunnel(client, server, 42);
  const balanced = gwlbTunnel(client, server, resolver, server, 7, [1, 2]);
  for (const { bytes } of traffic()) {
    for (const [tunnel, port] of [
      [direct, 4789],
      [balanced, 6081],
    ] as const) {
      const payload = mirrored(tunnel, bytes).subarray(14 + 20 + 8);
      // frames with tags, of version 6 and of ARP have their addresses elsewhere
      if (bytes.readUInt16BE(12) !== EtherType.ipv4) continue;
      const key = [bytes.toString('hex', 26, 30), bytes.toString('hex', 30, 34)].sort().join();
      const hashes = addressPairs.get(key) ?? new Set();
      addressPairs.set(key, hashes.add(hashOf('flow', payload, port)));
    }
  }
  expect(addressPairs.size).toBeGreaterThan(2);
  for (const hashes of addressPairs.values()) expect([...hashes]).toEqual([expect.any(Number)]);
});

test('the kernel would take every program, with the most ports that settings allow', () => {
  const vxlanPorts = Array.from({ length: 16 }, (_, index) => 4789 + index);
  const genevePorts = Array.from({ length: 16 }, (_, index) => 6081 + index);
  for (const steering of steerings) {
    const options = { steering, vxlanPorts, genevePorts };
    const programs = [
      fanOutProgram(options),
      reusePortProgram(options, 4790, 8),
      reusePortProgram(options, 6090, 1),
    ];
    for (const program of programs) expect(() => verify(program)).not.toThrow();
  }
});

test('a port that is named for both carries GENEVE, as for the receiver', () => {
  const both = { steering: 'flow', vxlanPorts: [4789, 6081], genevePorts: [6081] } as const;
  const payload = geneve(EtherType.ipv4, inner);
  const [packet, protocol] = outerPacket(payload, 6081, {});
  const hash = expected('flow', talk, true, 0);
  expect(run(fanOutProgram(both), packet, { [Ad.protocol]: protocol })).toBe(hash);
  expect(run(reusePortProgram(both, 6081, MEMBERS), payload)).toBe(hash % MEMBERS);
  // inside GENEVE there is no second one
  const inside = carried(4, vxlan(frameOf(inner, 4)));
  inside.writeUInt16BE(6081, 22);
  const carrier = ofPair(resolver.ipv4, server.ipv4);
  expect(run(reusePortProgram(both, 6081, MEMBERS), geneve(EtherType.ipv4, inside))).toBe(carrier % MEMBERS);
});
