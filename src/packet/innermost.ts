import { ABSENT } from './layers.ts';

/** Whether the two port fields of a packet are known. */
export const Ports = {
  /** The protocol has none. */
  none: 0,
  known: 1,
  /** The protocol has some, and they are cut away, or in a fragment that was not seen. */
  unknown: 2,
} as const;
export type Ports = (typeof Ports)[keyof typeof Ports];

/** Tunnels inside mirrored packets, 1..15: one step of `Innermost.path`. */
export const Nest = { vxlan: 1, geneve: 2, gre: 3, ipv4: 4, ipv6: 5 } as const;
export type Nest = (typeof Nest)[keyof typeof Nest];

/** Names by number, as flow records show them. */
export const nestNames: readonly string[] = ['', 'vxlan', 'geneve', 'gre', 'ipv4', 'ipv6'];

/** Tunnels that are followed into a packet; what is deeper belongs to the flow of the tunnel. */
export const NEST_DEPTH_MAX = 4;

/**
 * The IP packet that a flow is made of: that of the mirrored frame, or the innermost one where the mirrored traffic is
 * itself a tunnel. Set by receive/innermost.ts for every frame; one instance serves all packets of a worker.
 *
 * Offsets are into the batch's block.
 */
export class Innermost {
  /** 4 or 6; 0 where the frame has no IP header whose addresses arrived: it is of no flow. */
  ipVersion = 0;
  ipAt = ABSENT;
  sourceAt = ABSENT;
  destinationAt = ABSENT;
  /** One past the last byte of the packet that arrived: padding of the frame is not part of it. */
  end = 0;
  /** Bytes of the packet, IP header included, before anything cut it; at least what arrived. */
  wireLen = 0;
  /** IANA number of the header at `transportAt`. */
  protocol = 0;
  /** ABSENT where it is unknown or in another fragment. */
  transportAt = ABSENT;
  ports: Ports = Ports.none;
  /** TCP, UDP, SCTP: ports. ICMP and ICMPv6: type and code. 0 where `ports` says so. */
  sourcePort = 0;
  destinationPort = 0;
  /** 1 for any fragment, the first included. */
  fragment = 0;
  /** Tunnels that were followed, 0..NEST_DEPTH_MAX. */
  depth = 0;
  /** Their kinds, four bits each, the outermost in the lowest. */
  path = 0;
  /** VNI or GRE key of the innermost of these tunnels, 32 bits; 0 where it has none. */
  nestedId = 0;
  /** Outermost VLAN id of the mirrored frame, 0..4095; ABSENT without tag. */
  vlanId = ABSENT;
}
