import * as laneConstants from '../packet/lane.ts';
import type { Layers } from '../packet/layers.ts';
import * as linkTypes from '../packet/link-type.ts';
import * as aws from '../wire/aws-option.ts';
import { u32 } from '../wire/bytes.ts';
import * as etherTypes from '../wire/ether-type.ts';
import * as faults from '../wire/fault.ts';
import * as geneve from '../wire/geneve.ts';
import * as ipProtocols from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import { ExtensionWalk, walk } from '../wire/ipv6-extension.ts';
import * as udp from '../wire/udp.ts';
import * as vxlan from '../wire/vxlan.ts';
import type { TunnelPorts } from './outer.ts';
import * as outerConstants from './outer.ts';

// for speed: see "Constants" in src/README.md
const { SOURCE: IPV4_SOURCE } = ipv4;
const { SOURCE: IPV6_SOURCE, HEADER_LEN: IPV6_LEN } = ipv6;
const { HEADER_LEN: VXLAN_LEN } = vxlan;
const { HEADER_LEN: UDP_LEN } = udp;
const { Encapsulation } = laneConstants;
const { LinkType } = linkTypes;
const { EtherType } = etherTypes;
const { Fault } = faults;
const { IpProtocol } = ipProtocols;
const { PortUse } = outerConstants;

/** Both ports: the first bytes of a UDP header. */
const UDP_PORTS_LEN = 4;
const extensions = new ExtensionWalk();

/**
 * Finds the inner frame of a datagram that came to a tunnel port, and writes its place and lane to `out`.
 *
 * Reads the outer fields of `out`. A frame cut short, even inside its own headers, is no fault: mirrored
 * packets are cut on purpose (EC2 API, CreateTrafficMirrorSession, PacketLength).
 */
export function decap(bytes: Uint8Array, ports: TunnelPorts, out: Layers): faults.Fault {
  out.encapsulation = Encapsulation.none;
  out.vni = 0;
  out.hasEndpoint = 0;
  out.endpointHigh = 0;
  out.endpointLow = 0;
  out.reservedBits = 0;
  out.mirrorSourceVersion = out.outerVersion;
  out.mirrorSourceAt = out.outerIpAt + (out.outerVersion === 4 ? IPV4_SOURCE : IPV6_SOURCE);
  if (ports[out.destinationPort] === PortUse.vxlan) {
    return decapVxlan(bytes, out.payloadAt, out.payloadEnd, Encapsulation.vxlan, out);
  }
  return decapGeneve(bytes, out.payloadAt, out.payloadEnd, ports, out);
}

function decapVxlan(
  bytes: Uint8Array,
  at: number,
  end: number,
  encapsulation: laneConstants.Encapsulation,
  out: Layers,
): faults.Fault {
  const fault = vxlan.check(bytes, at, end);
  if (fault !== Fault.none) return refuse(fault, at, end, out);
  out.encapsulation = encapsulation;
  out.vni = vxlan.vni(bytes, at);
  if (vxlan.reservedBits(bytes, at)) out.reservedBits = 1;
  out.linkType = LinkType.ethernet;
  out.frameAt = at + VXLAN_LEN;
  out.frameEnd = end;
  return Fault.none;
}

function decapGeneve(
  bytes: Uint8Array,
  at: number,
  end: number,
  ports: TunnelPorts,
  out: Layers,
): faults.Fault {
  const fault = geneve.check(bytes, at, end);
  if (fault !== Fault.none) return refuse(fault, at, end, out);
  if (geneve.reservedBits(bytes, at)) out.reservedBits = 1;
  readEndpoint(bytes, at, out);
  out.frameAt = at + geneve.headerLen(bytes, at);
  out.frameEnd = end;

  switch (geneve.protocolType(bytes, at)) {
    case EtherType.ethernet:
      out.linkType = LinkType.ethernet;
      break;
    case EtherType.ipv4:
      if (findCarriedIpv4(bytes, ports, out))
        return decapVxlan(bytes, carriedAt, carriedEnd, Encapsulation.geneveVxlan, out);
      out.linkType = LinkType.raw;
      break;
    case EtherType.ipv6:
      if (findCarriedIpv6(bytes, ports, out))
        return decapVxlan(bytes, carriedAt, carriedEnd, Encapsulation.geneveVxlan, out);
      out.linkType = LinkType.raw;
      break;
    default:
      return refuse(Fault.geneveProtocol, at, end, out);
  }
  out.encapsulation = Encapsulation.geneve;
  out.vni = geneve.vni(bytes, at);
  return Fault.none;
}

function refuse(fault: faults.Fault, at: number, end: number, out: Layers): faults.Fault {
  out.faultAt = at;
  out.faultEnd = end;
  return fault;
}

function readEndpoint(bytes: Uint8Array, at: number, out: Layers): void {
  const dataAt = geneve.findOption(bytes, at, aws.CLASS, aws.ENDPOINT);
  // of any other length it is not the option that AWS describes, and reading it would read past it
  if (dataAt < 0 || geneve.optionDataLen(bytes, dataAt) !== aws.ENDPOINT_ID_LEN) return;
  out.hasEndpoint = 1;
  out.endpointHigh = u32(bytes, dataAt);
  out.endpointLow = u32(bytes, dataAt + 4);
}

/** UDP payload of the packet that GENEVE carries, where it is unfragmented UDP to a VXLAN port. */
let carriedAt = 0;
let carriedEnd = 0;

function findCarriedIpv4(bytes: Uint8Array, ports: TunnelPorts, out: Layers): boolean {
  const ipAt = out.frameAt;
  if (!ipv4.complete(bytes, ipAt, out.frameEnd)) return false;
  if (ipv4.protocol(bytes, ipAt) !== IpProtocol.udp || ipv4.isFragment(bytes, ipAt)) return false;
  const totalLength = ipv4.totalLength(bytes, ipAt);
  const ipEnd = totalLength === 0 ? out.frameEnd : ipAt + totalLength;
  if (!findVxlanPayload(bytes, ipAt + ipv4.headerLen(bytes, ipAt), Math.min(ipEnd, out.frameEnd), ports))
    return false;
  out.mirrorSourceVersion = 4;
  out.mirrorSourceAt = ipAt + IPV4_SOURCE;
  return true;
}

function findCarriedIpv6(bytes: Uint8Array, ports: TunnelPorts, out: Layers): boolean {
  const ipAt = out.frameAt;
  if (!ipv6.complete(bytes, ipAt, out.frameEnd)) return false;
  walk(bytes, ipAt, out.frameEnd, extensions);
  if (extensions.protocol !== IpProtocol.udp || extensions.fragment === 1 || extensions.transportAt < 0)
    return false;
  const payloadLength = ipv6.payloadLength(bytes, ipAt);
  const ipEnd = payloadLength === 0 ? out.frameEnd : ipAt + IPV6_LEN + payloadLength;
  if (!findVxlanPayload(bytes, extensions.transportAt, Math.min(ipEnd, out.frameEnd), ports)) return false;
  out.mirrorSourceVersion = 6;
  out.mirrorSourceAt = ipAt + IPV6_SOURCE;
  return true;
}

/** The port decides, also where the rest of the UDP header was cut: then the VXLAN header is missing. */
function findVxlanPayload(bytes: Uint8Array, udpAt: number, end: number, ports: TunnelPorts): boolean {
  if (udpAt + UDP_PORTS_LEN > end || ports[udp.destinationPort(bytes, udpAt)] !== PortUse.vxlan) return false;
  const length = udp.complete(udpAt, end) ? udp.length(bytes, udpAt) : 0;
  carriedAt = udpAt + UDP_LEN;
  carriedEnd = length === 0 ? end : Math.min(end, udpAt + length);
  return true;
}
