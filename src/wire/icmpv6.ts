/**
 * ICMPv6 header, RFC 4443 section 2.1. Eight bytes, of which the last four depend on the type:
 *
 *   byte 0    type
 *   byte 1    code
 *   byte 2-3  checksum over pseudo-header and the whole message
 *   byte 4-5  echo: identifier
 *   byte 6-7  echo: sequence number
 *
 * The layout is that of ICMP, and so are the readers; types and their counterparts differ.
 */
import { ONE_WAY } from './icmp.ts';

export {
  CHECKSUM,
  HEADER_LEN,
  ONE_WAY,
  checksum,
  code,
  complete,
  echoId,
  echoSequence,
  emit,
  type,
} from './icmp.ts';

/** Types that mirrortap names. */
export const Type = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echo: 128,
  echoReply: 129,
  listenerQuery: 130,
  listenerReport: 131,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  nodeInformation: 139,
  nodeInformationReply: 140,
  homeAgentDiscovery: 144,
  homeAgentDiscoveryReply: 145,
} as const;

/**
 * Type that answers each type, or ONE_WAY; both directions of an exchange share one Community ID through it.
 * Source: Community ID specification, version 1, "ICMP".
 */
export const COUNTERPART: Int16Array = new Int16Array(256).fill(ONE_WAY);
COUNTERPART[Type.echo] = Type.echoReply;
COUNTERPART[Type.echoReply] = Type.echo;
COUNTERPART[Type.listenerQuery] = Type.listenerReport;
COUNTERPART[Type.listenerReport] = Type.listenerQuery;
COUNTERPART[Type.routerSolicitation] = Type.routerAdvertisement;
COUNTERPART[Type.routerAdvertisement] = Type.routerSolicitation;
COUNTERPART[Type.neighborSolicitation] = Type.neighborAdvertisement;
COUNTERPART[Type.neighborAdvertisement] = Type.neighborSolicitation;
COUNTERPART[Type.nodeInformation] = Type.nodeInformationReply;
COUNTERPART[Type.nodeInformationReply] = Type.nodeInformation;
COUNTERPART[Type.homeAgentDiscovery] = Type.homeAgentDiscoveryReply;
COUNTERPART[Type.homeAgentDiscoveryReply] = Type.homeAgentDiscovery;
