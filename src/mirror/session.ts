/**
 * The part of the EC2 mirroring model that this version sends by: a source, a target, and the session that joins
 * them. Words and limits are those of the EC2 API (CreateTrafficMirrorTarget, CreateTrafficMirrorSession).
 */
import { VNI_MAX } from '../wire/vxlan.ts';

/** Smallest and largest `PacketLength` that the EC2 API takes, in bytes after the VXLAN header. */
export const PACKET_LENGTH_MIN = 1;
export const PACKET_LENGTH_MAX = 8500;
/** `packetLength` of a session that keeps whole frames. */
export const WHOLE_FRAME = 0;

/** What stands at the far end. It decides the encapsulation. */
export type TargetType = 'network-interface' | 'network-load-balancer' | 'gateway-load-balancer-endpoint';

/** The mirrored network interface. */
export interface MirrorSource {
  /** Its primary address: 4 bytes or 16. Source of the VXLAN packet behind a Gateway Load Balancer. */
  readonly address: Uint8Array;
}

/** Where mirrored packets go. */
export interface MirrorTarget {
  readonly type: TargetType;
  /** 4 bytes or 16, of the same family as the source's. Destination of the VXLAN packet. */
  readonly address: Uint8Array;
  /** The two halves of the 64-bit id of a Gateway Load Balancer endpoint; 0 for other targets. */
  readonly endpointHigh: number;
  readonly endpointLow: number;
  /** UDP port of the VXLAN packet inside GENEVE; 4789, as AWS sends it, unless given. */
  readonly vxlanPort?: number;
}

/** Which source goes to which target, under which number, and how much of each frame. */
export interface MirrorSession {
  readonly source: MirrorSource;
  readonly target: MirrorTarget;
  /** VXLAN network identifier, 0..VNI_MAX. */
  readonly vni: number;
  /** Bytes of each frame to keep, counted after the VXLAN header; `WHOLE_FRAME` keeps all. */
  readonly packetLength: number;
}

/**
 * Joins a source and a target. Ranges are checked here, once, so that nothing has to be checked per packet.
 *
 * @param packetLength 1..8500, or `WHOLE_FRAME`
 * @throws RangeError when a number is out of its range or the addresses are of two families
 */
export function makeSession(
  source: MirrorSource,
  target: MirrorTarget,
  vni: number,
  packetLength: number,
): MirrorSession {
  if (!isWithin(vni, 0, VNI_MAX)) throw new RangeError(`VNI ${vni} is not within 0..${VNI_MAX}.`);
  if (packetLength !== WHOLE_FRAME && !isWithin(packetLength, PACKET_LENGTH_MIN, PACKET_LENGTH_MAX)) {
    throw new RangeError(
      `Packet length ${packetLength} is not within ${PACKET_LENGTH_MIN}..${PACKET_LENGTH_MAX}.`,
    );
  }
  const addressLen = source.address.length;
  if ((addressLen !== 4 && addressLen !== 16) || target.address.length !== addressLen) {
    throw new RangeError('Source and target addresses must both have 4 bytes, or both 16.');
  }
  return { source, target, vni, packetLength };
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
