/** Packets of one connection in every shape that steering has to keep together, and every tunnel around them. */
import {
  frame,
  ipv4Packet,
  ipv6Packet,
  opaque,
  tcpSegment,
  type Transport,
  udpDatagram,
} from '../../samples/make/packets.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as ipv6 from '../../src/wire/ipv6.ts';
import { hex } from './hex.ts';
import { carried, geneve, vxlan } from './tunnels.ts';

export interface Conversation {
  readonly version: 4 | 6;
  readonly protocol: 'tcp' | 'udp';
  /** Four bytes or sixteen. */
  readonly addresses: readonly [Uint8Array, Uint8Array];
  readonly ports: readonly [number, number];
}

/** `has ports`: steering by ports may look at them; all others go by their addresses alone. */
export const shapes = {
  whole: { hasPorts: true },
  'with IP options or extension headers': { hasPorts: true },
  'first fragment': { hasPorts: false },
  'later fragment': { hasPorts: false },
  'whole, behind a fragment header (IPv6)': { hasPorts: true },
  'ICMP error about it': { hasPorts: true },
  'ICMP error about a fragment of it': { hasPorts: false },
} as const;
export type Shape = keyof typeof shapes;

/** Options of IPv4: a record of the route that is not asked for. */
const OPTIONS = hex('94040000 01010101');
/** Hop-by-hop options, destination options, a routing header that has been followed, authentication. */
const EXTENSIONS = hex(`3c00010400000000 2b00010400000000 3300000000000000 0002${'00'.repeat(14)}`);
const AUTHENTICATION_AT = 24;
const FRAGMENT_DATA = 16;

/** An IP packet of the conversation; `forward` is from the first address to the second. */
export function packetOf(conversation: Conversation, forward: boolean, shape: Shape): Buffer {
  const transport = transportOf(conversation, forward);
  switch (shape) {
    case 'whole':
      return ip(conversation, forward, transport);
    case 'with IP options or extension headers':
      return extended(conversation, forward, transport);
    case 'first fragment':
      return fragment(conversation, forward, transport, 0, true);
    case 'later fragment':
      return fragment(conversation, forward, transport, FRAGMENT_DATA, false);
    case 'whole, behind a fragment header (IPv6)':
      return fragment(conversation, forward, transport, 0, false);
    case 'ICMP error about it':
      return errorAbout(conversation, forward, packetOf(conversation, !forward, 'whole'));
    default:
      return errorAbout(conversation, forward, packetOf(conversation, !forward, 'first fragment'));
  }
}

/** In Ethernet, with VLAN tags. */
export function frameOf(packet: Uint8Array, version: 4 | 6, tags: readonly number[] = []): Buffer {
  const [source, destination] = [hex('020000000001'), hex('020000000002')];
  return frame(source, destination, packet, version === 4 ? EtherType.ipv4 : EtherType.ipv6, tags);
}

export interface Tunnel {
  readonly kind: 'vxlan' | 'geneve' | 'geneve, raw IP' | 'geneve+vxlan over IPv4' | 'geneve+vxlan over IPv6';
  readonly vni: number;
  /** Words of GENEVE options. */
  readonly optionWords: number;
  /** VLAN tags of the inner frame. */
  readonly tags: readonly number[];
}

export const tunnelKinds = [
  'vxlan',
  'geneve',
  'geneve, raw IP',
  'geneve+vxlan over IPv4',
  'geneve+vxlan over IPv6',
] as const satisfies readonly Tunnel['kind'][];

/** The UDP payload that carries an IP packet of this version. */
export function payloadOf(tunnel: Tunnel, packet: Uint8Array, version: 4 | 6): Buffer {
  const header = `08 000000 ${tunnel.vni.toString(16).padStart(6, '0')} 00`;
  const framed = frameOf(packet, version, tunnel.tags);
  const inGeneve = (protocol: number, payload: Uint8Array, vni: number): Buffer => {
    const bytes = geneve(protocol, payload, optionsOf(tunnel.optionWords));
    bytes.writeUIntBE(vni, 4, 3);
    return bytes;
  };
  switch (tunnel.kind) {
    case 'vxlan':
      return vxlan(framed, header);
    case 'geneve':
      return inGeneve(EtherType.ethernet, framed, tunnel.vni);
    case 'geneve, raw IP':
      return inGeneve(version === 4 ? EtherType.ipv4 : EtherType.ipv6, packet, tunnel.vni);
    case 'geneve+vxlan over IPv4':
      return inGeneve(EtherType.ipv4, carried(4, vxlan(framed, header)), 0);
    default:
      return inGeneve(EtherType.ipv6, carried(6, vxlan(framed, header)), 0);
  }
}

export function portOf(tunnel: Tunnel): number {
  return tunnel.kind === 'vxlan' ? 4789 : 6081;
}

/** One option of that many words, of a class for experiments, without data that means anything. */
function optionsOf(words: number): string {
  if (words === 0) return '';
  const first = Math.min(words, 32);
  return `ff00 01 ${(first - 1).toString(16).padStart(2, '0')} ${'5a'.repeat(4 * (first - 1))} ${optionsOf(words - first)}`;
}

function transportOf({ protocol, ports }: Conversation, forward: boolean): Transport {
  const [sourcePort, destinationPort] = forward ? ports : [ports[1], ports[0]];
  const data = Buffer.alloc(40, 0x61);
  if (protocol === 'udp') return udpDatagram(sourcePort, destinationPort, data);
  return tcpSegment({ sourcePort, destinationPort, sequence: 1, acknowledgement: 2, flags: 0x10, data });
}

function ends({ addresses }: Conversation, forward: boolean): readonly [Uint8Array, Uint8Array] {
  return forward ? addresses : [addresses[1], addresses[0]];
}

function ip(conversation: Conversation, forward: boolean, transport: Transport): Buffer {
  const [source, destination] = ends(conversation, forward);
  return conversation.version === 4
    ? ipv4Packet(source, destination, transport)
    : ipv6Packet(source, destination, transport);
}

function extended(conversation: Conversation, forward: boolean, transport: Transport): Buffer {
  const [source, destination] = ends(conversation, forward);
  if (conversation.version === 6) {
    const extensions = Buffer.from(EXTENSIONS);
    // the authentication header, the last one, names the transport
    extensions[AUTHENTICATION_AT] = transport.protocol;
    return ipv6Packet(source, destination, transport, {}, IpProtocol.hopByHop, extensions);
  }
  const plain = ipv4Packet(source, destination, transport);
  const bytes = Buffer.concat([plain.subarray(0, ipv4.HEADER_LEN), OPTIONS, plain.subarray(ipv4.HEADER_LEN)]);
  bytes[0] = 0x40 | ((ipv4.HEADER_LEN + OPTIONS.length) / 4);
  bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
}

function fragment(
  conversation: Conversation,
  forward: boolean,
  { protocol, bytes }: Transport,
  offset: number,
  more: boolean,
): Buffer {
  const [source, destination] = ends(conversation, forward);
  const piece = opaque(protocol, more ? bytes.subarray(0, FRAGMENT_DATA) : bytes.subarray(offset));
  if (conversation.version === 4) {
    const flagsAndOffset = (more ? ipv4.MORE_FRAGMENTS : 0) | (offset / 8);
    return ipv4Packet(source, destination, piece, { flagsAndOffset });
  }
  const header = Buffer.alloc(8);
  header[0] = protocol;
  header.writeUInt16BE(offset | Number(more), 2);
  return ipv6Packet(source, destination, piece, {}, IpProtocol.fragment, header);
}

const routers = { 4: hex('0a636363'), 6: hex('fd000000000000000000000000636363') } as const;
/** The messages that carry a packet: RFC 792, RFC 4443. */
export const errorTypes = { 4: [3, 4, 5, 11, 12], 6: [1, 2, 3, 4] } as const;

/** From a router to the host that sent `packet`, which the error carries. */
export function errorAbout(
  conversation: Conversation,
  forward: boolean,
  packet: Uint8Array,
  type: number = errorTypes[conversation.version][0],
): Buffer {
  const message = Buffer.concat([Buffer.of(type, 0, 0, 0, 0, 0, 0, 0), packet]);
  const [, destination] = ends(conversation, forward);
  const router = routers[conversation.version];
  return conversation.version === 4
    ? ipv4Packet(router, destination, opaque(IpProtocol.icmp, message))
    : ipv6Packet(router, destination, opaque(IpProtocol.icmpv6, message));
}

/** Bytes of an IP header without options. */
export function headerLen(version: 4 | 6): number {
  return version === 4 ? ipv4.HEADER_LEN : ipv6.HEADER_LEN;
}
