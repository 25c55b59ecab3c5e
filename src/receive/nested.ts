import { type Innermost, Nest } from '../packet/innermost.ts';
import * as innermostConstants from '../packet/innermost.ts';
import type { Layers } from '../packet/layers.ts';
import * as layersConstants from '../packet/layers.ts';
import * as linkTypes from '../packet/link-type.ts';
import * as etherTypes from '../wire/ether-type.ts';
import * as faults from '../wire/fault.ts';
import * as geneve from '../wire/geneve.ts';
import * as gre from '../wire/gre.ts';
import * as ipProtocols from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as udp from '../wire/udp.ts';
import * as vxlan from '../wire/vxlan.ts';

// for speed: see "Constants" in src/README.md
const { Ports } = innermostConstants;
const { ABSENT } = layersConstants;
const { LinkType } = linkTypes;
const { EtherType } = etherTypes;
const { Fault } = faults;
const { IpProtocol } = ipProtocols;

/** `findNested` found no tunnel. */
export const NO_NEST = 0;

/** Of what is not IP; no packet has it in its four bits. */
const NO_VERSION = 16;

/** Says whether a packet of this protocol may be a tunnel: most are not, and are done. */
export function mayNest({ protocol, destinationPort }: Innermost): boolean {
  if (protocol === IpProtocol.tcp) return false;
  if (protocol === IpProtocol.udp)
    return destinationPort === vxlan.DEFAULT_PORT || destinationPort === geneve.DEFAULT_PORT;
  return protocol === IpProtocol.gre || protocol === IpProtocol.ipip || protocol === IpProtocol.ipv6;
}

/**
 * Finds the tunnel that the packet `outer` is, and points `inside` at what it carries: frame and link type, for
 * `readInner`. `inside.vni` is the VNI or GRE key, 32 bits, 0 where there is none.
 *
 *   UDP to port 4789      VXLAN with its I flag, around Ethernet
 *   UDP to port 6081      GENEVE version 0, no control packet, around Ethernet or IP; whatever its options
 *   protocol 47           GRE version 0, around Ethernet or IP
 *   protocol 4, 41        IPv4, IPv6
 *
 * Anything else, a header that was cut, a fragment, and IP of another version than the tunnel says are no tunnel.
 *
 * @returns a `Nest`, or NO_NEST with `inside` undefined
 */
export function findNested(bytes: Uint8Array, outer: Innermost, inside: Layers): Nest | typeof NO_NEST {
  const { transportAt, end } = outer;
  inside.vni = 0;
  if (transportAt === ABSENT || outer.fragment === 1) return NO_NEST;
  switch (outer.protocol) {
    case IpProtocol.udp:
      return outer.ports === Ports.known ? findInUdp(bytes, transportAt, end, outer, inside) : NO_NEST;
    case IpProtocol.gre:
      return findInGre(bytes, transportAt, end, inside);
    case IpProtocol.ipip:
      return carries(bytes, EtherType.ipv4, transportAt, end, inside) ? Nest.ipv4 : NO_NEST;
    case IpProtocol.ipv6:
      return carries(bytes, EtherType.ipv6, transportAt, end, inside) ? Nest.ipv6 : NO_NEST;
    default:
      return NO_NEST;
  }
}

function findInUdp(
  bytes: Uint8Array,
  udpAt: number,
  ipEnd: number,
  outer: Innermost,
  inside: Layers,
): Nest | typeof NO_NEST {
  if (!udp.complete(udpAt, ipEnd)) return NO_NEST;
  const length = udp.length(bytes, udpAt);
  const end = length === 0 ? ipEnd : Math.min(ipEnd, udpAt + length);
  const at = udpAt + udp.HEADER_LEN;
  if (outer.destinationPort === vxlan.DEFAULT_PORT) {
    if (vxlan.check(bytes, at, end) !== Fault.none) return NO_NEST;
    inside.vni = vxlan.vni(bytes, at);
    return carries(bytes, EtherType.ethernet, at + vxlan.HEADER_LEN, end, inside) ? Nest.vxlan : NO_NEST;
  }
  return outer.destinationPort === geneve.DEFAULT_PORT ? findInGeneve(bytes, at, end, inside) : NO_NEST;
}

function findInGeneve(bytes: Uint8Array, at: number, end: number, inside: Layers): Nest | typeof NO_NEST {
  const fault = geneve.check(bytes, at, end);
  // a critical option binds the tunnel's end, not who looks on
  if (fault !== Fault.none && fault !== Fault.geneveCritical) return NO_NEST;
  if (geneve.isControl(bytes, at)) return NO_NEST;
  inside.vni = geneve.vni(bytes, at);
  const payloadAt = at + geneve.headerLen(bytes, at);
  return carries(bytes, geneve.protocolType(bytes, at), payloadAt, end, inside) ? Nest.geneve : NO_NEST;
}

function findInGre(bytes: Uint8Array, at: number, end: number, inside: Layers): Nest | typeof NO_NEST {
  if (!gre.complete(bytes, at, end)) return NO_NEST;
  inside.vni = gre.hasKey(bytes, at) ? gre.key(bytes, at) : 0;
  const payloadAt = at + gre.headerLen(bytes, at);
  return carries(bytes, gre.protocolType(bytes, at), payloadAt, end, inside) ? Nest.gre : NO_NEST;
}

/** Says whether what is at `at` can be of this type, and points `inside` at it. */
function carries(bytes: Uint8Array, etherType: number, at: number, end: number, inside: Layers): boolean {
  if (at >= end) return false;
  if (etherType === EtherType.ethernet) {
    inside.linkType = LinkType.ethernet;
  } else {
    const version = etherType === EtherType.ipv4 ? 4 : etherType === EtherType.ipv6 ? 6 : NO_VERSION;
    if (ipv4.version(bytes, at) !== version) return false;
    inside.linkType = LinkType.raw;
  }
  inside.frameAt = at;
  inside.frameEnd = end;
  return true;
}
