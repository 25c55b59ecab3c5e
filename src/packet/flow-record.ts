import type { Lane } from './lane.ts';
import { LinkType } from './link-type.ts';
import { Ports } from './innermost.ts';

/** Why a record was written. */
export const FlowEndReason = {
  /** Not ended: it goes on, and is reported every so often. */
  active: 0,
  idle: 1,
  fin: 2,
  rst: 3,
  /** Its place was needed for another flow. */
  evicted: 4,
  /** The input ended. */
  end: 5,
} as const;
export type FlowEndReason = (typeof FlowEndReason)[keyof typeof FlowEndReason];
/** Names by number. */
export const flowEndReasonNames: readonly string[] = Object.keys(FlowEndReason);

/** How it is known which side opened a flow. */
export const Initiator = {
  /** A SYN, or its answer, was seen. */
  syn: 0,
  /** One port is that of a service. */
  port: 1,
  /** The first packet that came was from that side. */
  first: 2,
} as const;
export type Initiator = (typeof Initiator)[keyof typeof Initiator];
export const initiatorNames: readonly string[] = Object.keys(Initiator);

/** Direction of the flow's opener as the mirrored interface sees it. */
export const Direction = { unknown: 0, ingress: 1, egress: 2 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];
export const directionNames: readonly string[] = Object.keys(Direction);

/** Where a TCP connection stands. */
export const TcpState = {
  /** Not TCP, or its flags were cut away. */
  none: 0,
  synSent: 1,
  synReceived: 2,
  established: 3,
  /** One side has sent FIN. */
  closing: 4,
  /** Both sides have sent FIN. */
  closed: 5,
  reset: 6,
} as const;
export type TcpState = (typeof TcpState)[keyof typeof TcpState];
export const tcpStateNames: readonly string[] = [
  '',
  'syn_sent',
  'syn_received',
  'established',
  'closing',
  'closed',
  'reset',
];

/** What was seen in the payload of a flow's first packets. */
export const NameKind = {
  dnsQuestion: 1,
  /** An address or name that answers it. */
  dnsAnswer: 2,
  tlsServerName: 3,
  /** First protocol of ALPN that the client offers. */
  tlsAlpn: 4,
  ja4: 5,
  httpHost: 6,
  httpMethod: 7,
  /** An application protocol that was recognised: `dns`, `tls`, `http`, `quic`. */
  protocol: 8,
} as const;
export type NameKind = (typeof NameKind)[keyof typeof NameKind];

export interface FlowName {
  readonly kind: NameKind;
  readonly text: string;
}

/** One side of a flow. Counters are since the flow's last record. */
export class FlowSide {
  /** 4 bytes, or all 16 for IPv6. */
  readonly address: Uint8Array = new Uint8Array(16);
  port = 0;
  /** Sent by this side. */
  packets = 0;
  /** Bytes of the IP packets before anything cut them. */
  wireBytes = 0;
  /** Bytes of them that arrived. */
  capturedBytes = 0;
  /** All TCP flags seen from this side, bits of `Flag` in wire/tcp.ts. */
  tcpFlags = 0;
  retransmissions = 0;
  outOfOrder = 0;
  zeroWindows = 0;
  resets = 0;
  /** Payload bytes of this side that the other acknowledged, and those of them that never came here. */
  ackedBytes = 0;
  unseenBytes = 0;
}

/** What is reported of a flow at one time. One instance serves all records: who keeps one copies it. */
export class FlowRecord {
  /** The side that opened the flow, and the other. */
  readonly source: FlowSide = new FlowSide();
  readonly destination: FlowSide = new FlowSide();
  initiator: Initiator = Initiator.first;
  /** 4 or 6. */
  ipVersion = 4;
  /** IANA number. */
  protocol = 0;
  ports: Ports = Ports.none;
  communityId = '';
  /** Two halves of a number that all records of the flow share, 32 bits each. */
  idHigh = 0;
  idLow = 0;
  /** 0 for the flow's first record. */
  sequence = 0;
  endReason: FlowEndReason = FlowEndReason.active;
  lane: Lane = NO_LANE;
  /** 4 bytes, or all 16 for IPv6. */
  readonly mirrorSource: Uint8Array = new Uint8Array(16);
  mirrorSourceVersion = 4;
  direction: Direction = Direction.unknown;
  /** First packet of the flow: seconds since the epoch and nanoseconds within the second. */
  startSeconds = 0;
  startNanoseconds = 0;
  /** First and last packet that this record counts. */
  firstSeconds = 0;
  firstNanoseconds = 0;
  lastSeconds = 0;
  lastNanoseconds = 0;

  truncatedPackets = 0;
  badChecksums = 0;
  partialChecksums = 0;
  /** Copies of packets, which are counted nowhere else in the record. */
  duplicatePackets = 0;
  fragments = 0;

  tcpState: TcpState = TcpState.none;
  /** Zeek's letters: upper case from the source, lower case from the destination. */
  history = '';
  /** SYN to SYN-ACK and SYN-ACK to ACK as seen here; -1 where unknown. */
  serverRttUs = -1;
  clientRttUs = -1;
  /** Data came from one side only, of two that must have talked. */
  oneSided = false;

  /** -1 without. */
  vlanId = -1;
  /** See `Innermost`. */
  nestedPath = 0;
  nestedId = 0;
  /** In the order in which they were seen. */
  names: readonly FlowName[] = [];
}

const NO_LANE: Lane = {
  name: '',
  encapsulation: 0,
  vni: null,
  gwlbEndpointId: undefined,
  linkType: LinkType.ethernet,
};
