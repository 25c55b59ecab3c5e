import type { FlowRecord } from '../packet/flow-record.ts';
import { NEST_DEPTH_MAX, nestNames, Ports } from '../packet/innermost.ts';
import { COUNTERPART as ICMP_COUNTERPART, ONE_WAY } from '../wire/icmp.ts';
import { COUNTERPART as ICMPV6_COUNTERPART } from '../wire/icmpv6.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import { piece, putCount, putPiece } from './json-bytes.ts';

const QUOTE = 0x22;
const SLASH = 0x2f;
const COLON = 0x3a;
const CLOSE = 0x7d;

const DUPLICATES = piece(',"duplicate_packets":');
const FRAGMENTS = piece(',"fragments":');
const CHECKSUM_BAD = piece(',"checksum":{"bad":');
const CHECKSUM_PARTIAL = piece(',"partial":');
const PORTS_UNKNOWN = piece(',"ports_unknown":true');
const ICMP_TYPE = piece(',"icmp":{"type":');
const ICMP_CODE = piece(',"code":');
const NESTED = piece(',"nested":"');
const NESTS = nestNames.map(piece);

/** Members of `mirrortap` that most records have nothing of: left out there. */
export function putSeldom(out: Buffer, at: number, record: FlowRecord): number {
  const { duplicatePackets, fragments, badChecksums, partialChecksums, ports } = record;
  let next = at;
  if (duplicatePackets > 0) next = putCount(out, putPiece(out, next, DUPLICATES), duplicatePackets);
  if (fragments > 0) next = putCount(out, putPiece(out, next, FRAGMENTS), fragments);
  if (badChecksums > 0 || partialChecksums > 0) {
    next = putCount(out, putPiece(out, next, CHECKSUM_BAD), badChecksums);
    next = putCount(out, putPiece(out, next, CHECKSUM_PARTIAL), partialChecksums);
    out[next++] = CLOSE;
  }
  if (ports === Ports.unknown) next = putPiece(out, next, PORTS_UNKNOWN);
  if (ports === Ports.known && isIcmp(record)) {
    next = putCount(out, putPiece(out, next, ICMP_TYPE), record.source.port);
    next = putCount(out, putPiece(out, next, ICMP_CODE), icmpCode(record));
    out[next++] = CLOSE;
  }
  return record.nestedPath === 0 ? next : putNested(out, next, record.nestedPath, record.nestedId);
}

/** `vxlan/gre:77`: the tunnels, the outermost first, and the VNI or key of the innermost. */
function putNested(out: Buffer, at: number, path: number, id: number): number {
  let next = putPiece(out, at, NESTED);
  for (let depth = 0; depth < NEST_DEPTH_MAX; depth++) {
    const name = NESTS[(path >>> (4 * depth)) & 15];
    if (name === undefined || name.length === 0) break;
    if (depth > 0) out[next++] = SLASH;
    next = putPiece(out, next, name);
  }
  if (id !== 0) {
    out[next++] = COLON;
    next = putCount(out, next, id >>> 0);
  }
  out[next++] = QUOTE;
  return next;
}

/** Messages that are answered have the type of the answer where others have their code; theirs is 0. */
function icmpCode({ protocol, source, destination }: FlowRecord): number {
  const counterparts = protocol === IpProtocol.icmp ? ICMP_COUNTERPART : ICMPV6_COUNTERPART;
  return counterparts[source.port & 0xff] === ONE_WAY ? destination.port : 0;
}

export function isIcmp({ protocol }: FlowRecord): boolean {
  return protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6;
}
