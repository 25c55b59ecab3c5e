import type { Layers } from '../packet/layers.ts';
import * as layersConstants from '../packet/layers.ts';
import * as linkTypes from '../packet/link-type.ts';
import { u16 } from '../wire/bytes.ts';
import * as etherTypes from '../wire/ether-type.ts';
import * as ethernet from '../wire/ethernet.ts';
import * as faults from '../wire/fault.ts';
import * as ipProtocols from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import { ExtensionWalk, walk } from '../wire/ipv6-extension.ts';
import * as udp from '../wire/udp.ts';
import * as vlan from '../wire/vlan.ts';

// for speed: see "Constants" in src/README.md
const { ABSENT } = layersConstants;
const { LinkType } = linkTypes;
const { EtherType } = etherTypes;
const { Fault } = faults;
const { IpProtocol } = ipProtocols;

/** Not for a tunnel port, or not UDP at all: counted as `notTunnel`, never as a fault. */
export const NOT_TUNNEL = -1;

/** What a tunnel port carries: the value of a `TunnelPorts` table at its number. */
export const PortUse = { none: 0, vxlan: 1, geneve: 2 } as const;

/** 65,536 entries of `PortUse`, by UDP port. */
export type TunnelPorts = Uint8Array;

/** The table of a receiver's ports, made once. */
export function tunnelPorts(vxlanPorts: readonly number[], genevePorts: readonly number[]): TunnelPorts {
  const table = new Uint8Array(65_536);
  for (const port of vxlanPorts) table[port] = PortUse.vxlan;
  for (const port of genevePorts) table[port] = PortUse.geneve;
  return table;
}

/** More tags than this on the outer packet, and it is left alone. */
const MAX_OUTER_TAGS = 4;
const extensions = new ExtensionWalk();

/**
 * Finds the UDP payload of an outer packet and says whether it came to a tunnel port.
 *
 * Sets the outer fields of `out`; `payloadAt` and `payloadEnd` are set for every UDP datagram whose header
 * arrived, whatever its port, and are 0 elsewhere (in a later fragment too: it has no UDP header).
 *
 * @param at       the outer packet's first byte, of link type `linkType`; `end` is past its last captured byte
 * @returns `Fault.none`, a fault, or `NOT_TUNNEL`
 */
export function readOuter(
  bytes: Uint8Array,
  at: number,
  end: number,
  linkType: number,
  ports: TunnelPorts,
  out: Layers,
): number {
  out.outerVersion = 0;
  out.outerIpAt = ABSENT;
  out.udpAt = ABSENT;
  out.destinationPort = 0;
  out.payloadAt = 0;
  out.payloadEnd = 0;
  out.snapped = 0;

  const ipAt = networkLayer(bytes, at, end, linkType);
  if (ipAt < 0 || ipAt >= end) return NOT_TUNNEL;
  const version = bytes[ipAt]! >>> 4;
  if (version === 4) return readIpv4(bytes, ipAt, end, ports, out);
  if (version === 6) return readIpv6(bytes, ipAt, end, ports, out);
  return NOT_TUNNEL;
}

/** Offset of the IP header, or -1 where the link layer carries something else or is of an unknown type. */
function networkLayer(bytes: Uint8Array, at: number, end: number, linkType: number): number {
  switch (linkType) {
    case LinkType.ethernet:
      return ethernet.complete(at, end)
        ? skipTags(bytes, at + ethernet.HEADER_LEN, end, ethernet.etherType(bytes, at))
        : ABSENT;
    case LinkType.raw:
    case 12: // raw IP as some BSDs number it
    case 14:
    case 228: // IPv4 only
    case 229: // IPv6 only
      return at;
    case LinkType.null:
    case 108: // the same in network byte order (OpenBSD loopback)
      return at + 4;
    case LinkType.linuxSll:
      return at + 16 <= end ? skipTags(bytes, at + 16, end, u16(bytes, at + 14)) : ABSENT;
    case LinkType.linuxSll2:
      return at + 20 <= end ? skipTags(bytes, at + 20, end, u16(bytes, at)) : ABSENT;
    default:
      return ABSENT;
  }
}

function skipTags(bytes: Uint8Array, at: number, end: number, firstType: number): number {
  let etherType = firstType;
  for (let tags = 0; vlan.isTag(etherType); tags++) {
    if (tags === MAX_OUTER_TAGS || !vlan.complete(at, end)) return ABSENT;
    etherType = vlan.etherType(bytes, at);
    at += vlan.TAG_LEN;
  }
  return etherType === EtherType.ipv4 || etherType === EtherType.ipv6 ? at : ABSENT;
}

function readIpv4(bytes: Uint8Array, ipAt: number, end: number, ports: TunnelPorts, out: Layers): number {
  if (ipAt + ipv4.HEADER_LEN > end || ipv4.protocol(bytes, ipAt) !== IpProtocol.udp) return NOT_TUNNEL;
  const headerLen = ipv4.headerLen(bytes, ipAt);
  // no header has fewer than five words: what would be read as ports are the header's own fields
  if (headerLen < ipv4.HEADER_LEN) return NOT_TUNNEL;
  out.outerVersion = 4;
  out.outerIpAt = ipAt;
  const udpAt = ipAt + headerLen;
  const totalLength = ipv4.totalLength(bytes, ipAt);
  const ipEnd = totalLength === 0 ? end : ipAt + totalLength;
  const offset = ipv4.fragmentOffset(bytes, ipAt);
  return readUdp(bytes, udpAt, ipEnd, end, offset, ipv4.moreFragments(bytes, ipAt), ports, out);
}

function readIpv6(bytes: Uint8Array, ipAt: number, end: number, ports: TunnelPorts, out: Layers): number {
  if (!ipv6.complete(bytes, ipAt, end)) return NOT_TUNNEL;
  walk(bytes, ipAt, end, extensions);
  if (extensions.protocol !== IpProtocol.udp) return NOT_TUNNEL;
  out.outerVersion = 6;
  out.outerIpAt = ipAt;
  const payloadLength = ipv6.payloadLength(bytes, ipAt);
  const ipEnd = payloadLength === 0 ? end : ipAt + ipv6.HEADER_LEN + payloadLength;
  const udpAt = extensions.transportAt < 0 ? end : extensions.transportAt;
  return readUdp(
    bytes,
    udpAt,
    ipEnd,
    end,
    extensions.fragmentOffset,
    extensions.moreFragments === 1,
    ports,
    out,
  );
}

function readUdp(
  bytes: Uint8Array,
  udpAt: number,
  ipEnd: number,
  end: number,
  fragmentOffset: number,
  moreFragments: boolean,
  ports: TunnelPorts,
  out: Layers,
): number {
  const arrivedEnd = Math.min(end, ipEnd);
  out.faultAt = udpAt;
  out.faultEnd = arrivedEnd;
  if (fragmentOffset > 0) return Fault.outerFragment;
  if (udpAt + 4 > arrivedEnd) return Fault.udpTruncated;
  const port = udp.destinationPort(bytes, udpAt);
  out.destinationPort = port;
  out.udpAt = udpAt;
  const isTunnel = ports[port] !== PortUse.none;
  if (!udp.complete(udpAt, arrivedEnd)) return isTunnel ? Fault.udpTruncated : NOT_TUNNEL;

  // 0: a length that does not fit its field, or a segmented datagram caught before it was cut (RFC 2675)
  const length = udp.length(bytes, udpAt);
  const udpEnd = length === 0 ? ipEnd : Math.min(ipEnd, udpAt + length);
  out.payloadAt = udpAt + udp.HEADER_LEN;
  out.payloadEnd = Math.max(out.payloadAt, Math.min(end, udpEnd));
  out.snapped = udpEnd > end ? 1 : 0;
  if (!isTunnel) return NOT_TUNNEL;
  if (moreFragments) return Fault.outerFragment;
  if (length !== 0 && length < udp.HEADER_LEN) return Fault.udpLength;
  return Fault.none;
}
