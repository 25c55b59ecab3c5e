/** Mirrored packets to send over a test network, and what the programs of sockets see of each. */
import { outer } from '../../samples/make/mirrored.ts';
import { frame, host, ipv4Packet, ipv6Packet, opaque } from '../../samples/make/packets.ts';
import { client, server } from '../../samples/make/traffic.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import {
  type Conversation,
  packetOf,
  payloadOf,
  portOf,
  type Shape,
  shapes,
  tunnelKinds,
} from './steered.ts';

/** The two hosts of `namespaces.ts`. */
const sender = host(1, '10.99.0.1', 'fd00:99::1');
export const receiver = host(2, '10.99.0.2', 'fd00:99::2');

/** One packet as it is sent, and as the programs see it. */
export interface Probe {
  readonly frames: readonly Buffer[];
  /** From the network header on, put together; what the kernel knows besides. */
  readonly seen: Buffer;
  readonly etherType: number;
  readonly packetType?: number;
  readonly vlanTag?: number;
  /** UDP payload and port, for the sockets of the port; missing where the host's own UDP does not take it. */
  readonly payload?: Buffer;
  readonly port?: number;
}

let made = 0;

function conversations(count: number): Conversation[] {
  return Array.from({ length: count }, (_, index) => {
    const protocol = index % 2 === 0 ? 'tcp' : 'udp';
    const portPair = [40_000 + index, 443] as const;
    return index % 3 === 0
      ? {
          version: 6,
          protocol,
          ports: portPair,
          addresses: [host(1, '10.0.0.1', `2001:db8::${index + 1}`).ipv6, server.ipv6],
        }
      : { version: 4, protocol, ports: portPair, addresses: [Uint8Array.of(10, 1, 0, index), server.ipv4] };
  });
}

/** The outer Ethernet frame; every packet differs from all others by its VNI. */
function outerFrame(
  version: 4 | 6,
  talk: Conversation,
  shape: Shape,
  kind: (typeof tunnelKinds)[number],
): [Buffer, Buffer, number] {
  const vni = ++made;
  const tunnel = { kind, vni, optionWords: made % 9, tags: made % 4 === 0 ? [7, 8].slice(made % 2) : [] };
  const payload = payloadOf(tunnel, packetOf(talk, made % 2 === 0, shape), talk.version);
  // a source port that says nothing of the connection: that of the answers of every name server
  const bytes = outer(
    { from: sender, to: receiver, version, port: portOf(tunnel) },
    40_000 + (made % 128),
    payload,
    'valid',
  );
  return [bytes, payload, portOf(tunnel)];
}

function etherTypeOf(version: 4 | 6): number {
  return version === 4 ? EtherType.ipv4 : EtherType.ipv6;
}

/** Every shape of packet in every tunnel, over IPv4 and IPv6. */
export function tunnelProbes(): Probe[] {
  const probes: Probe[] = [];
  for (const talk of conversations(18)) {
    for (const shape of Object.keys(shapes) as Shape[]) {
      for (const kind of tunnelKinds) {
        for (const version of [4, 6] as const) {
          const [bytes, payload, port] = outerFrame(version, talk, shape, kind);
          probes.push({
            frames: [bytes],
            seen: bytes.subarray(14),
            etherType: etherTypeOf(version),
            payload,
            port,
          });
        }
      }
    }
  }
  return probes;
}

/** Tagged once and twice, in fragments, to other ports and to other hosts. */
export function oddProbes(): Probe[] {
  const talk = conversations(2)[1]!;
  return ([4, 6] as const).flatMap((version) => {
    const etherType = etherTypeOf(version);
    const bare = (): Buffer => outerFrame(version, talk, 'whole', 'vxlan')[0].subarray(14);
    const tagged = (tags: readonly number[], ip: Buffer): Buffer =>
      frame(sender.mac, receiver.mac, ip, etherType, tags);
    const [one, two, elsewhere] = [bare(), bare(), bare()];
    const wrongPort = Buffer.from(bare());
    wrongPort.writeUInt16BE(4790, version === 4 ? 22 : 42);
    const twice = tagged([7, 8], two);
    return [
      { frames: [tagged([7], one)], seen: one, etherType, vlanTag: 7 },
      { frames: [twice], seen: twice.subarray(18), etherType: EtherType.vlan, vlanTag: 7 },
      { frames: [tagged([], wrongPort)], seen: wrongPort, etherType },
      {
        frames: [frame(sender.mac, client.mac, elsewhere, etherType)],
        seen: elsewhere,
        etherType,
        packetType: 3,
      },
      inFragments(version, talk),
    ];
  });
}

/** The kernel puts IPv4 together before it asks the programs of packet sockets, IPv6 only for its own sockets. */
function inFragments(version: 4 | 6, talk: Conversation): Probe {
  const [bytes, payload, port] = outerFrame(version, talk, 'whole', 'geneve+vxlan over IPv4');
  const etherType = etherTypeOf(version);
  const ip = bytes.subarray(14);
  const header = version === 4 ? 20 : 40;
  const whole = ip.subarray(header);
  const cut = 64;
  const pieces = [whole.subarray(0, cut), whole.subarray(cut)].map((piece, index) => {
    if (version === 4) {
      const fields = { identification: 77, ttl: 255, flagsAndOffset: index === 0 ? 0x2000 : cut / 8 };
      return ipv4Packet(sender.ipv4, receiver.ipv4, opaque(17, piece), fields);
    }
    const extension = Buffer.of(17, 0, 0, index === 0 ? 1 : cut, 0, 0, 0, 77);
    return ipv6Packet(sender.ipv6, receiver.ipv6, opaque(17, piece), {}, 44, extension);
  });
  const frames = pieces.map((piece) => frame(sender.mac, receiver.mac, piece, etherType));
  const seen = ipv4Packet(sender.ipv4, receiver.ipv4, opaque(17, whole), { identification: 77, ttl: 255 });
  return { frames, seen: version === 4 ? seen : (pieces[0] ?? seen), etherType, payload, port };
}
