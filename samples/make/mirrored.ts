/** Wraps frames as a mirror session does, with the sender's own code, and puts the outer headers on. */
import { encapsulate, headersLen } from '../../src/mirror/encapsulate.ts';
import { makeSession, WHOLE_FRAME, type MirrorSession } from '../../src/mirror/session.ts';
import { FlowHash, sourcePort } from '../../src/mirror/source-port.ts';
import { keptLen } from '../../src/mirror/truncate.ts';
import * as geneve from '../../src/wire/geneve.ts';
import * as vxlan from '../../src/wire/vxlan.ts';
import { frame4, frame6, udpDatagram, type ChecksumState, type Host } from './packets.ts';

/** A session and what the outer headers need. */
export interface Tunnel {
  readonly session: MirrorSession;
  readonly from: Host;
  readonly to: Host;
  /** IP version of the outer packet. */
  readonly version: 4 | 6;
  readonly port: number;
}

const flowHash = new FlowHash();

/** From a mirrored interface straight to the appliance. */
export function vxlanTunnel(
  from: Host,
  to: Host,
  vni: number,
  version: 4 | 6 = 4,
  packetLength = WHOLE_FRAME,
): Tunnel {
  const target = {
    type: 'network-interface',
    address: addressOf(to, version),
    endpointHigh: 0,
    endpointLow: 0,
  } as const;
  const session = makeSession({ address: addressOf(from, version) }, target, vni, packetLength);
  return { session, from, to, version, port: vxlan.DEFAULT_PORT };
}

/** From a mirrored interface to a Gateway Load Balancer endpoint, then from the load balancer to the appliance. */
export function gwlbTunnel(
  source: Host,
  endpoint: Host,
  balancer: Host,
  to: Host,
  vni: number,
  id: readonly [high: number, low: number],
): Tunnel {
  const [endpointHigh, endpointLow] = id;
  const target = {
    type: 'gateway-load-balancer-endpoint',
    address: endpoint.ipv4,
    endpointHigh,
    endpointLow,
  } as const;
  const session = makeSession({ address: source.ipv4 }, target, vni, WHOLE_FRAME);
  return { session, from: balancer, to, version: 4, port: geneve.DEFAULT_PORT };
}

/** The whole outer packet that carries this frame. */
export function mirrored(tunnel: Tunnel, inner: Buffer, checksum: ChecksumState = 'zero'): Buffer {
  const { session } = tunnel;
  const kept = keptLen(inner.length, session.packetLength);
  const hash = flowHash.hash(inner, 0, inner.length);
  const payload = Buffer.alloc(headersLen(session) + kept);
  encapsulate(session, inner, 0, kept, hash, payload, 0);
  return outer(tunnel, sourcePort(hash), payload, checksum);
}

/** Outer headers as AWS was seen to write them: TTL 255, identification 0, UDP checksum 0. */
export function outer(
  tunnel: Pick<Tunnel, 'from' | 'to' | 'version' | 'port'>,
  source: number,
  payload: Uint8Array,
  checksum: ChecksumState = 'zero',
): Buffer {
  const make = tunnel.version === 4 ? frame4 : frame6;
  return make(tunnel.from, tunnel.to, udpDatagram(source, tunnel.port, payload), { checksum, ttl: 255 });
}

function addressOf(host: Host, version: 4 | 6): Uint8Array {
  return version === 4 ? host.ipv4 : host.ipv6;
}
