import type { Layers } from '../packet/layers.ts';
import * as layersConstants from '../packet/layers.ts';
import * as verdicts from '../packet/verdict.ts';
import { u16 } from '../wire/bytes.ts';
import * as checksum from '../wire/checksum.ts';
import * as ipProtocols from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as tcp from '../wire/tcp.ts';
import * as udp from '../wire/udp.ts';

// for speed: see "Constants" in src/README.md
const { HEADER_LEN: IPV4_LEN, SOURCE: IPV4_SOURCE } = ipv4;
const { HEADER_LEN: TCP_LEN } = tcp;
const { HEADER_LEN: UDP_LEN } = udp;
const { SOURCE: IPV6_SOURCE } = ipv6;
const { ABSENT } = layersConstants;
const { Verdict } = verdicts;
const { IpProtocol } = ipProtocols;

const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;
const ICMP_CHECKSUM = 2;
const ICMP_HEADER_LEN = 4;
/** What a ones' complement sum over a block with a right checksum in it folds to (RFC 1071 section 1). */
const ALL_ONES = 0xffff;

/**
 * Says how long the frame was before anything cut it, from the inner IP header, and whether it was cut.
 *
 * Sets `truncated` and `frameWireLen`. A frame is truncated if its IP length promises more than arrived, or if
 * it ends inside its Ethernet, VLAN or IP header; padding after the IP packet is part of the frame.
 */
export function measure(out: Layers): void {
  const arrived = out.frameEnd - out.frameAt;
  const promised = out.ipEnd === ABSENT ? 0 : out.ipEnd - out.frameAt;
  out.truncated = out.headerCut === 1 || promised > arrived ? 1 : 0;
  out.frameWireLen = promised > arrived ? promised : arrived;
}

/** Judges the inner IPv4 header's checksum and the transport checksum: sets `ipVerdict`, `transportVerdict`. */
export function judge(bytes: Uint8Array, view: DataView, out: Layers): void {
  out.ipVerdict = out.ipVersion === 4 ? judgeIpv4(bytes, view, out) : Verdict.none;
  out.transportVerdict = out.ipHeaderComplete === 1 ? judgeTransport(bytes, view, out) : Verdict.none;
}

/** Nothing is judged for this frame. */
export function skip(out: Layers): void {
  out.ipVerdict = Verdict.none;
  out.transportVerdict = Verdict.none;
}

function judgeIpv4(bytes: Uint8Array, view: DataView, out: Layers): verdicts.Verdict {
  const at = out.ipAt;
  if (at === ABSENT || at + IPV4_LEN > out.frameEnd) return Verdict.unverifiable;
  const headerLen = ipv4.headerLen(bytes, at);
  if (headerLen < IPV4_LEN) return Verdict.bad;
  if (at + headerLen > out.frameEnd) return Verdict.unverifiable;
  const sum =
    headerLen === IPV4_LEN ? checksum.plainHeaderSum(view, at) : checksum.sum(view, at, at + headerLen);
  if (checksum.fold(sum) === ALL_ONES) return Verdict.valid;
  // who is to fill in the length is to fill in the checksum
  return out.ipEnd === ABSENT ? Verdict.unverifiable : Verdict.bad;
}

function judgeTransport(bytes: Uint8Array, view: DataView, out: Layers): verdicts.Verdict {
  switch (out.protocol) {
    case IpProtocol.tcp:
    case IpProtocol.udp:
      break;
    case IpProtocol.icmp:
      if (out.ipVersion !== 4) return Verdict.none;
      break;
    case IpProtocol.icmpv6:
      if (out.ipVersion !== 6) return Verdict.none;
      break;
    default:
      return Verdict.none;
  }
  if (out.truncated === 1 || out.fragment === 1 || out.transportAt === ABSENT) return Verdict.unverifiable;
  if (out.ipEnd !== ABSENT) return judgeWhole(bytes, view, out.ipEnd, out);
  // IP length 0, left to segmentation offload: a frame that was cut looks the same as one that is wrong
  const verdict = judgeWhole(bytes, view, out.frameEnd, out);
  return verdict === Verdict.bad ? Verdict.unverifiable : verdict;
}

/** @param end one past the last byte of the IP packet; it arrived */
function judgeWhole(bytes: Uint8Array, view: DataView, end: number, out: Layers): verdicts.Verdict {
  switch (out.protocol) {
    case IpProtocol.tcp:
      return judgeTcp(view, end, out);
    case IpProtocol.udp:
      return judgeUdp(bytes, view, end, out);
    case IpProtocol.icmpv6:
      return judgeIcmpv6(view, end, out);
    default:
      return judgeIcmp(view, end, out);
  }
}

function judgeTcp(view: DataView, end: number, out: Layers): verdicts.Verdict {
  const at = out.transportAt;
  if (at + TCP_LEN > end) return Verdict.bad;
  return judgeSum(view, at, end, at + TCP_CHECKSUM, out);
}

function judgeUdp(bytes: Uint8Array, view: DataView, end: number, out: Layers): verdicts.Verdict {
  const at = out.transportAt;
  if (at + UDP_LEN > end) return Verdict.bad;
  if (u16(bytes, at + UDP_CHECKSUM) === 0) return Verdict.zero;
  const length = udp.length(bytes, at);
  // 0: the length did not fit its field (RFC 2675), the datagram fills the packet
  if (length === 0) return judgeSum(view, at, end, at + UDP_CHECKSUM, out);
  if (length < UDP_LEN || at + length > end) return Verdict.bad;
  return judgeSum(view, at, at + length, at + UDP_CHECKSUM, out);
}

function judgeIcmpv6(view: DataView, end: number, out: Layers): verdicts.Verdict {
  const at = out.transportAt;
  if (at + ICMP_HEADER_LEN > end) return Verdict.bad;
  return judgeSum(view, at, end, at + ICMP_CHECKSUM, out);
}

/** ICMP for IPv4 sums its own bytes only (RFC 792): there is no pseudo-header to be left with. */
function judgeIcmp(view: DataView, end: number, out: Layers): verdicts.Verdict {
  if (out.transportAt + ICMP_HEADER_LEN > end) return Verdict.bad;
  return checksum.fold(checksum.sum(view, out.transportAt, end)) === ALL_ONES ? Verdict.valid : Verdict.bad;
}

/**
 * Judges a checksum over pseudo-header and `at .. end` whose field is at `fieldAt`.
 *
 * Offload leaves the folded pseudo-header sum in the field, not inverted: with the length for a packet that is
 * sent as it is, without it for one that the card is to cut into segments.
 */
function judgeSum(view: DataView, at: number, end: number, fieldAt: number, out: Layers): verdicts.Verdict {
  // a routing header that does not tell the final destination
  if (out.pseudoDestinationAt === ABSENT) return Verdict.unverifiable;
  const sourceAt = out.ipAt + (out.ipVersion === 4 ? IPV4_SOURCE : IPV6_SOURCE);
  const pseudo = checksum.pseudoSum(
    view,
    out.ipVersion,
    sourceAt,
    out.pseudoDestinationAt,
    out.protocol,
    end - at,
  );
  if (checksum.fold(pseudo + checksum.sum(view, at, end)) === ALL_ONES) return Verdict.valid;
  const field = view.getUint16(fieldAt);
  if (field === checksum.fold(pseudo)) return Verdict.partial;
  const withoutLength = checksum.pseudoSum(
    view,
    out.ipVersion,
    sourceAt,
    out.pseudoDestinationAt,
    out.protocol,
    0,
  );
  return field === checksum.fold(withoutLength) ? Verdict.partial : Verdict.bad;
}
