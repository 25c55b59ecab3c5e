import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipv4Packet, ipv6Packet, udpDatagram } from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import { fanOutProgram, reusePortProgram } from '../../src/inputs/bpf/steering.ts';
import { Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { decap } from '../../src/receive/decap.ts';
import { readInner } from '../../src/receive/inner.ts';
import { readOuter } from '../../src/receive/outer.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import { Fault } from '../../src/wire/fault.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import { isExtension } from '../../src/wire/ipv6-extension.ts';
import { Ad, run } from '../support/bpf-machine.ts';
import { finish, ofPair } from '../support/expected-hash.ts';
import { defaultPorts } from '../support/receiving.ts';
import { scaled } from '../support/scale.ts';
import { mutated, Seeded } from '../support/seeded.ts';
import {
  type Conversation,
  packetOf,
  payloadOf,
  portOf,
  type Shape,
  shapes,
  tunnelKinds,
} from '../support/steered.ts';

const options = { vxlanPorts: [4789], genevePorts: [6081] };
const flow = fanOutProgram({ steering: 'flow', ...options });
const vni = fanOutProgram({ steering: 'vni', ...options });
const others = [
  fanOutProgram({ steering: 'flow-ports', ...options }),
  reusePortProgram({ steering: 'flow', ...options }, 4789, 4),
  reusePortProgram({ steering: 'flow-ports', ...options }, 6081, 4),
];
const layers = new Layers();

const talks: readonly Conversation[] = [
  { version: 4, protocol: 'tcp', addresses: [client.ipv4, server.ipv4], ports: [40_000, 443] },
  { version: 6, protocol: 'udp', addresses: [client.ipv6, server.ipv6], ports: [40_000, 53] },
];
const seeds = talks.flatMap((talk) =>
  (Object.keys(shapes) as Shape[]).flatMap((shape) =>
    tunnelKinds.map((kind) => {
      const tunnel = { kind, vni: 42, optionWords: 3, tags: [7] };
      const payload = payloadOf(tunnel, packetOf(talk, true, shape), talk.version);
      return { payload, port: portOf(tunnel) };
    }),
  ),
);

/** The hash by what the receiver reads in a packet that it delivers; `undefined` where the two may differ. */
function byReceiver(packet: Buffer): number | undefined {
  if (readOuter(packet, 0, packet.length, LinkType.raw, defaultPorts, layers) !== Fault.none)
    return undefined;
  if (decap(packet, defaultPorts, layers) !== Fault.none) return undefined;
  // bytes behind what the headers promise are no part of the frame for the receiver; the program sees them
  if (layers.frameEnd !== packet.length) return undefined;
  readInner(packet, layers);
  if (layers.ipVersion === 0) return 0;
  const [sourceLen, sourceAt] = layers.ipVersion === 4 ? [4, 12] : [16, 8];
  const at = layers.ipAt + sourceAt;
  if (layers.ipAt < 0 || at + 2 * sourceLen > layers.frameEnd) return 0;
  const own = ofPair(
    packet.subarray(at, at + sourceLen),
    packet.subarray(at + sourceLen, at + 2 * sourceLen),
  );
  return mayDiffer(packet) ? undefined : own;
}

/** What the receiver does not look into, or not as far: ICMP errors, and headers that contradict each other. */
function mayDiffer(packet: Buffer): boolean {
  if (layers.ipEnd >= 0 && layers.ipEnd < layers.frameEnd) return true;
  if (layers.ipVersion === 6) return layers.protocol === IpProtocol.icmpv6 || isExtension(layers.protocol);
  return ipv4.protocol(packet, layers.ipAt) === IpProtocol.icmp && !ipv4.isFragment(packet, layers.ipAt);
}

test('damaged packets: what the receiver delivers is hashed by the addresses that it finds', () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0 }), fc.constantFrom(...seeds), fc.boolean(), (number, seed, over6) => {
      const payload = mutated(new Seeded(number), seed.payload);
      const datagram = udpDatagram(60_000, seed.port, payload);
      const packet = over6
        ? ipv6Packet(client.ipv6, server.ipv6, datagram, { checksum: 'zero' })
        : ipv4Packet(client.ipv4, server.ipv4, datagram, { checksum: 'zero' });
      const seen = { [Ad.protocol]: over6 ? EtherType.ipv6 : EtherType.ipv4 };
      const hash = run(flow, packet, seen);
      const expected = byReceiver(packet);
      if (expected !== undefined) {
        compared++;
        expect(hash).toBe(expected);
        expect(run(vni, packet, seen)).toBe(finish(layers.vni));
      }
    }),
    { numRuns: scaled(100_000) },
  );
  expect(compared).toBeGreaterThan(scaled(100_000) / 4);
});

test('noise: every program ends, with a number of its range', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(4, 6), (bytes, version) => {
      bytes[0] = (version << 4) | 5;
      const seen = { [Ad.protocol]: version === 4 ? EtherType.ipv4 : EtherType.ipv6 };
      for (const program of [flow, vni, ...others]) {
        const result = run(program, bytes, seen);
        expect(result >= 0 && result <= 0xffff_ffff).toBe(true);
      }
    }),
    { numRuns: scaled(20_000) },
  );
});
