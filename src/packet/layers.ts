import { Encapsulation } from './lane.ts';
import { LinkType } from './link-type.ts';
import { Verdict } from './verdict.ts';

/** Says that an offset of `Layers` points nowhere: the header is not there. */
export const ABSENT = -1;

/**
 * Everything the receiver finds out about one packet. One instance serves all packets of a worker: each step
 * sets its own fields for every packet, and a later step reads only fields of steps before it.
 *
 * Offsets are into the batch's block; `…End` is one past the last byte that arrived unless said otherwise.
 */
export class Layers {
  // outer: set by receive/outer.ts
  /** 4 or 6; 0 where the outer packet is not IP. */
  outerVersion = 0;
  outerIpAt = ABSENT;
  udpAt = ABSENT;
  destinationPort = 0;
  /** UDP payload that arrived: `payloadAt .. payloadEnd`. Both 0 where the packet is not UDP. */
  payloadAt = 0;
  payloadEnd = 0;
  /** 1 where the outer datagram itself is incomplete: the capture cut it, not the mirror. */
  snapped = 0;

  // tunnel: set by receive/decap.ts
  encapsulation: Encapsulation = Encapsulation.none;
  vni = 0;
  /** 1 where the GENEVE option with the Gateway Load Balancer endpoint is present. */
  hasEndpoint = 0;
  endpointHigh = 0;
  endpointLow = 0;
  /** Source address of the VXLAN packet (of the GENEVE packet where there is no VXLAN): 4 or 16 bytes. */
  mirrorSourceAt = ABSENT;
  mirrorSourceVersion = 0;
  /** 1 where a bit was set that its standard reserves: ignored, and counted apart. */
  reservedBits = 0;
  /** Where the header that was refused begins, and where the bytes for it ended. Set with a fault. */
  faultAt = 0;
  faultEnd = 0;

  // inner frame: set by receive/decap.ts
  frameAt = 0;
  frameEnd = 0;
  linkType: LinkType = LinkType.ethernet;

  // inner headers: set by receive/inner.ts
  /** EtherType after all VLAN tags; 0 where the frame ends before it. */
  etherType = 0;
  vlanCount = 0;
  /** 4 or 6 where the frame says it carries IP, also when its header is cut; 0 otherwise. */
  ipVersion = 0;
  ipAt = ABSENT;
  /** 1 where the frame ends inside its Ethernet, VLAN or IP header. */
  headerCut = 0;
  /** 1 where the whole IP header (IPv4 with options, IPv6 with the extension headers walked) arrived. */
  ipHeaderComplete = 0;
  /** One past the last byte the inner IP header promises; may lie past `frameEnd`. ABSENT where unknown. */
  ipEnd = ABSENT;
  /** IANA number of the header at `transportAt`. */
  protocol = 0;
  /** 1 for any fragment, the first included. */
  fragment = 0;
  /** Byte offset of this fragment's data in the original packet's payload. */
  fragmentOffset = 0;
  /** First byte after the IP headers; ABSENT where it is unknown or a later fragment. */
  transportAt = ABSENT;
  /** Address that the pseudo-header takes as destination: the last of a routing header, else the header's. */
  pseudoDestinationAt = ABSENT;

  // verdicts: set by receive/verdict.ts
  truncated = 0;
  /** Bytes of the frame before anything cut it. */
  frameWireLen = 0;
  ipVerdict: Verdict = Verdict.none;
  transportVerdict: Verdict = Verdict.none;
}
