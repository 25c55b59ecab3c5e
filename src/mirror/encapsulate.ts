/**
 * Writes a frame as the UDP payload of a mirrored packet, one case per kind of target:
 *
 *   network interface, network load balancer   VXLAN (8) / frame
 *   Gateway Load Balancer endpoint             GENEVE (8) with the AWS options (32) / IPv4 (20) or IPv6 (40) /
 *                                              UDP (8) / VXLAN (8) / frame
 *
 * The inner IP and UDP headers are as AWS was seen to write them: TTL 255, identification 0, may be fragmented, no
 * UDP checksum (RFC 7348 section 5 asks for 0; RFC 6935 allows it for tunnels over IPv6).
 */
import * as awsOption from '../wire/aws-option.ts';
import { copyBytes } from '../wire/copy.ts';
import { EtherType } from '../wire/ether-type.ts';
import * as geneve from '../wire/geneve.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as udp from '../wire/udp.ts';
import * as vxlan from '../wire/vxlan.ts';
import type { MirrorSession } from './session.ts';
import { sourcePort } from './source-port.ts';

const TTL = 255;
/** VNI of the GENEVE header and attachment id, as a Gateway Load Balancer sends them. */
const GENEVE_VNI = 0;
const ATTACHMENT_ID = 0;

/** Bytes that `encapsulate` puts before the frame. */
export function headersLen(session: MirrorSession): number {
  if (session.target.type !== 'gateway-load-balancer-endpoint') return vxlan.HEADER_LEN;
  const ipLen = isIpv4(session) ? ipv4.HEADER_LEN : ipv6.HEADER_LEN;
  return geneve.FIXED_LEN + awsOption.OPTIONS_LEN + ipLen + udp.HEADER_LEN + vxlan.HEADER_LEN;
}

/**
 * Writes headers and the frame `frameAt .. frameEnd - 1` at `at` and returns the offset just past them.
 *
 * @param hash   flow hash, 0..0xffffffff: the inner source port and the flow cookie follow from it
 * @param target holds `headersLen(session) + frameEnd - frameAt` bytes at `at`; with an inner IP header that sum,
 *               less the 40 bytes of GENEVE, is at most 65,535
 */
export function encapsulate(
  session: MirrorSession,
  frame: Uint8Array,
  frameAt: number,
  frameEnd: number,
  hash: number,
  target: Uint8Array,
  at: number,
): number {
  let next = at;
  if (session.target.type === 'gateway-load-balancer-endpoint') {
    next = emitGeneve(session, target, next, hash);
    next = emitIpUdp(session, target, next, vxlan.HEADER_LEN + frameEnd - frameAt, hash);
  }
  next = vxlan.emit(target, next, session.vni);
  return copyBytes(frame, frameAt, frameEnd, target, next);
}

function emitGeneve(session: MirrorSession, bytes: Uint8Array, at: number, hash: number): number {
  const protocolType = isIpv4(session) ? EtherType.ipv4 : EtherType.ipv6;
  const next = geneve.emit(bytes, at, protocolType, GENEVE_VNI, awsOption.OPTIONS_LEN);
  const { endpointHigh, endpointLow } = session.target;
  return awsOption.emit(bytes, next, endpointHigh, endpointLow, 0, ATTACHMENT_ID, hash);
}

/** @param dataLen bytes behind the UDP header */
function emitIpUdp(
  session: MirrorSession,
  bytes: Uint8Array,
  at: number,
  dataLen: number,
  hash: number,
): number {
  const source = session.source.address;
  const destination = session.target.address;
  const udpLen = udp.HEADER_LEN + dataLen;
  const next = isIpv4(session)
    ? ipv4.emit(bytes, at, ipv4.HEADER_LEN + udpLen, 0, 0, TTL, IpProtocol.udp, source, destination)
    : ipv6.emit(bytes, at, udpLen, IpProtocol.udp, TTL, source, destination);
  const { vxlanPort = vxlan.DEFAULT_PORT } = session.target;
  return udp.emit(bytes, next, sourcePort(hash), vxlanPort, udpLen, 0);
}

function isIpv4(session: MirrorSession): boolean {
  return session.source.address.length === ipv4.ADDRESS_LEN;
}
