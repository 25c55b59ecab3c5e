import type { Innermost } from '../packet/innermost.ts';
import * as innermostConstants from '../packet/innermost.ts';
import { Layers } from '../packet/layers.ts';
import * as layersConstants from '../packet/layers.ts';
import { u32 } from '../wire/bytes.ts';
import * as ethernet from '../wire/ethernet.ts';
import * as ipProtocols from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import { ExtensionWalk, isExtension, walk } from '../wire/ipv6-extension.ts';
import * as ipv6Extension from '../wire/ipv6-extension.ts';
import * as vlan from '../wire/vlan.ts';
import * as analysisTallies from './analysis-tally.ts';
import { Fragment } from './fragment.ts';
import type { FragmentTable } from './fragment-table.ts';
import { readInner } from './inner.ts';
import { findNested, mayNest } from './nested.ts';
import * as nesting from './nested.ts';
import { readPlainInner } from './plain.ts';

// for speed: see "Constants" in src/README.md
const { HEADER_LEN: ETHERNET_LEN } = ethernet;
const { HEADER_LEN: IPV6_LEN, SOURCE: IPV6_SOURCE, DESTINATION: IPV6_DESTINATION } = ipv6;
const { HEADER_LEN: IPV4_LEN, SOURCE: IPV4_SOURCE, DESTINATION: IPV4_DESTINATION } = ipv4;
const { NEST_DEPTH_MAX, Ports } = innermostConstants;
const { ABSENT } = layersConstants;
const { IpProtocol } = ipProtocols;
const { FRAGMENT_LEN } = ipv6Extension;
const { AnalysisTally } = analysisTallies;
const { NO_NEST } = nesting;

const PORTS_LEN = 4;
const TYPE_AND_CODE_LEN = 2;
const IDENTIFICATION_IN_FRAGMENT = 4;
/** Bits of `Innermost.path` for one tunnel. */
const STEP_BITS = 4;

export interface InnermostReaderOptions {
  /** A row of `AnalysisTally`. */
  readonly tally: Float64Array;
  readonly fragments: FragmentTable;
}

/**
 * Finds the IP packet that a flow is made of: the mirrored frame's own, or what is in the tunnels that it is. Allocates
 * nothing, throws nothing, reads nothing past the frame's end.
 *
 *   addresses     where they arrived, also if options or extension headers behind them did not. No flow without them.
 *   protocol      of IPv6 with a chain of headers that was cut: that of the first header that is not there
 *   ports         where their bytes arrived, whatever is cut behind them; for later fragments those of the first
 *   wireLen, end  by the length in the IP header. Where that is 0 (segmentation offload, jumbograms) or less than the
 *                 header: all that arrived.
 *   tunnels       followed where whole, unfragmented and readable to the addresses inside; see nested.ts. What cannot be
 *                 followed is of the tunnel's flow.
 */
export class InnermostReader {
  readonly #tally: Float64Array;
  readonly #fragments: FragmentTable;
  readonly #nested = new Layers();
  readonly #fragment = new Fragment();
  readonly #extensions = new ExtensionWalk();

  constructor({ tally, fragments }: InnermostReaderOptions) {
    this.#tally = tally;
    this.#fragments = fragments;
  }

  /**
   * Sets every field of `out` from the frame of which `layers` tells.
   *
   * @param view    of the same block as `bytes`
   * @param layers  after `readInner`
   * @param seconds arrival of the packet
   */
  read(bytes: Buffer, view: DataView, layers: Layers, seconds: number, out: Innermost): void {
    out.depth = 0;
    out.path = 0;
    out.nestedId = 0;
    out.vlanId = layers.vlanCount === 0 ? ABSENT : vlan.id(bytes, layers.frameAt + ETHERNET_LEN);
    if (!readIp(bytes, view, layers, out)) {
      clear(out);
      this.#tally[AnalysisTally.withoutFlow]!++;
      return;
    }
    if (mayNest(out)) this.#follow(bytes, view, out);
    if (out.fragment === 1) this.#seeFragment(bytes, view, layers, seconds, out);
  }

  /** Goes into the tunnels, as long as there is an IP packet with addresses inside. */
  #follow(bytes: Buffer, view: DataView, out: Innermost): void {
    const nested = this.#nested;
    for (;;) {
      const kind = findNested(bytes, out, nested);
      if (kind === NO_NEST) break;
      if (out.depth === NEST_DEPTH_MAX) {
        this.#tally[AnalysisTally.nestedTooDeep]!++;
        break;
      }
      if (!readPlainInner(view, nested)) readInner(bytes, nested);
      if (!readIp(bytes, view, nested, out)) break;
      out.path |= kind << (STEP_BITS * out.depth);
      out.depth++;
      out.nestedId = nested.vni;
    }
    if (out.depth !== 0) this.#tally[AnalysisTally.nested]!++;
  }

  #seeFragment(bytes: Buffer, view: DataView, layers: Layers, seconds: number, out: Innermost): void {
    const fragment = this.#fragment;
    if (out.ipVersion === 4) describeIpv4(bytes, out, fragment);
    else describeIpv6(bytes, this.#extensions, out, fragment);
    this.#fragments.see(view, layers, fragment, seconds, out);
  }
}

/**
 * Takes over what `layers`, after `readInner`, knows of an IP packet: all of `out` but tunnels and tag.
 *
 * @returns false, with `out` untouched, where the addresses did not arrive
 */
export function readIp(bytes: Buffer, view: DataView, layers: Layers, out: Innermost): boolean {
  const { ipAt, frameEnd, transportAt } = layers;
  if (ipAt === ABSENT) return false;
  if (layers.ipVersion === 6) {
    if (ipAt + IPV6_LEN > frameEnd) return false;
    out.sourceAt = ipAt + IPV6_SOURCE;
    out.destinationAt = ipAt + IPV6_DESTINATION;
  } else {
    if (ipAt + IPV4_LEN > frameEnd) return false;
    out.sourceAt = ipAt + IPV4_SOURCE;
    out.destinationAt = ipAt + IPV4_DESTINATION;
  }
  out.ipVersion = layers.ipVersion;
  out.ipAt = ipAt;
  out.protocol = layers.protocol;
  out.fragment = layers.fragment;
  out.transportAt = transportAt;

  let headersEnd = transportAt;
  if (transportAt === ABSENT) headersEnd = fillWithoutTransport(bytes, layers, out);
  const { ipEnd } = layers;
  out.end = ipEnd < headersEnd || ipEnd > frameEnd ? frameEnd : ipEnd;
  // 0 and less than the headers say nothing
  out.wireLen = (ipEnd < headersEnd ? frameEnd : ipEnd) - ipAt;
  fillPorts(view, out);
  return true;
}

/**
 * What is still to be found where no transport header was: in a later fragment, and behind IPv4 options that were cut.
 *
 * @returns where the IP headers end at the soonest
 */
function fillWithoutTransport(bytes: Buffer, layers: Layers, out: Innermost): number {
  const { ipAt } = layers;
  if (layers.ipVersion === 6) return ipAt + IPV6_LEN;
  if (layers.ipHeaderComplete === 0) {
    // these were not read from a header that is not there to its end
    out.protocol = ipv4.protocol(bytes, ipAt);
    out.fragment = ipv4.isFragment(bytes, ipAt) ? 1 : 0;
  }
  return ipAt + headerLenOf(bytes, ipAt);
}

function fillPorts(view: DataView, out: Innermost): void {
  const { transportAt, end } = out;
  switch (out.protocol) {
    case IpProtocol.tcp:
    case IpProtocol.udp:
    case IpProtocol.sctp:
    case IpProtocol.dccp:
    case IpProtocol.udpLite:
      if (transportAt !== ABSENT && transportAt + PORTS_LEN <= end) {
        out.ports = Ports.known;
        out.sourcePort = view.getUint16(transportAt);
        out.destinationPort = view.getUint16(transportAt + 2);
        return;
      }
      break;
    case IpProtocol.icmp:
    case IpProtocol.icmpv6:
      if (transportAt !== ABSENT && transportAt + TYPE_AND_CODE_LEN <= end) {
        out.ports = Ports.known;
        out.sourcePort = view.getUint8(transportAt);
        out.destinationPort = view.getUint8(transportAt + 1);
        return;
      }
      break;
    default:
      // behind a header that was cut, or in another fragment, there may be ports
      if (transportAt !== ABSENT || out.ipVersion === 4 || !isExtension(out.protocol)) {
        noPorts(Ports.none, out);
        return;
      }
  }
  noPorts(Ports.unknown, out);
}

function noPorts(why: innermostConstants.Ports, out: Innermost): void {
  out.ports = why;
  out.sourcePort = 0;
  out.destinationPort = 0;
}

/** A frame of no flow. */
function clear(out: Innermost): void {
  out.ipVersion = 0;
  out.ipAt = ABSENT;
  out.sourceAt = ABSENT;
  out.destinationAt = ABSENT;
  out.end = 0;
  out.wireLen = 0;
  out.protocol = 0;
  out.transportAt = ABSENT;
  out.fragment = 0;
  noPorts(Ports.none, out);
}

function describeIpv4(bytes: Buffer, { ipAt, wireLen }: Innermost, out: Fragment): void {
  out.identification = ipv4.identification(bytes, ipAt);
  out.offset = ipv4.fragmentOffset(bytes, ipAt);
  out.more = ipv4.moreFragments(bytes, ipAt) ? 1 : 0;
  out.dataLen = Math.max(0, wireLen - headerLenOf(bytes, ipAt));
  out.transportLen = out.dataLen;
}

function describeIpv6(bytes: Buffer, extensions: ExtensionWalk, innermost: Innermost, out: Fragment): void {
  const { ipAt, end } = innermost;
  walk(bytes, ipAt, end, extensions);
  const { fragmentAt, transportAt } = extensions;
  const wireEnd = ipAt + innermost.wireLen;
  out.identification = u32(bytes, fragmentAt + IDENTIFICATION_IN_FRAGMENT);
  out.offset = extensions.fragmentOffset;
  out.more = extensions.moreFragments;
  out.dataLen = wireEnd - fragmentAt - FRAGMENT_LEN;
  if (transportAt !== ABSENT) out.transportLen = wireEnd - transportAt;
  // headers that end in no first fragment hide the transport (RFC 7112); those that were cut may do so or not
  else out.transportLen = end < wireEnd ? out.dataLen : 0;
}

/** Bytes of an IPv4 header, at least those without which it is none. */
function headerLenOf(bytes: Buffer, ipAt: number): number {
  return Math.max(IPV4_LEN, ipv4.headerLen(bytes, ipAt));
}
