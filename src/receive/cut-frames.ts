import { type FrameCompleter, Lost, NO_FRAME } from '../packet/frame-completer.ts';
import { ABSENT, Layers } from '../packet/layers.ts';
import type { LinkType } from '../packet/link-type.ts';
import type { Block } from '../wire/block.ts';
import { copyBlock } from '../wire/copy.ts';
import * as icmp from '../wire/icmp.ts';
import { IpProtocol } from '../wire/ip-protocol.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import * as tcp from '../wire/tcp.ts';
import * as udp from '../wire/udp.ts';
import { readInner } from './inner.ts';
import { readPlainInner } from './plain.ts';
import { completeHeader, completeTransport, coveredEnd } from './repair.ts';
import { measure } from './verdict.ts';

/** Fragments that others follow are a multiple of this long (RFC 791 section 3.1, RFC 8200 section 4.5). */
const FRAGMENT_UNIT = 8;

/**
 * Completes frames that were cut. What is completed is the frame's own IP packet, not one in a tunnel inside it: of that,
 * lengths agree with the bytes, and its data ends in zeros. UDP without a checksum stays without one, and fragments keep the
 * one of the whole packet. SCTP keeps its own, which is then wrong.
 */
export class CutFrames implements FrameCompleter {
  wasShortened = false;

  /** The frame where it lies, and as it was written. */
  readonly #in = new Layers();
  readonly #out = new Layers();
  #source: Block | undefined;
  #lost: Lost = Lost.nothing;

  look(source: Block, frameAt: number, frameEnd: number, linkType: LinkType): Lost {
    this.#source = source;
    read(source, frameAt, frameEnd, linkType, this.#in);
    this.#lost = lostOf(this.#in);
    return this.#lost;
  }

  pad(target: Block, at: number, bytesMax: number): number {
    const { frameWireLen } = this.#in;
    if (this.#lost === Lost.header) return NO_FRAME;
    if (frameWireLen > bytesMax) return this.#fit(target, at, bytesMax);
    this.wasShortened = false;
    const writtenEnd = this.#copy(target, at, frameWireLen);
    return this.#finish(target, at, at + frameWireLen, writtenEnd);
  }

  shorten(target: Block, at: number, bytesMax: number): number {
    const { frameAt, frameEnd } = this.#in;
    const source = this.#source;
    // a header that was cut among its options is whole again, with fewer options
    const headersEnd = source === undefined ? frameEnd : Math.max(frameEnd, headerEnd(source, this.#in));
    return this.#fit(target, at, Math.min(headersEnd - frameAt, bytesMax));
  }

  /** Writes the frame so long, with lengths that say so. */
  #fit(target: Block, at: number, wanted: number): number {
    const layers = this.#in;
    const source = this.#source;
    if (source === undefined || this.#lost === Lost.header || layers.ipHeaderComplete === 0) return NO_FRAME;
    const ipOffset = layers.ipAt - layers.frameAt;
    const dataOffset =
      ipOffset + (layers.ipVersion === 4 ? ipv4.headerLen(source.bytes, layers.ipAt) : ipv6.HEADER_LEN);
    // what lies behind the IP packet is padding of short Ethernet frames, of no use in a long one
    let bytes = layers.ipEnd === ABSENT ? wanted : Math.min(wanted, layers.ipEnd - layers.frameAt);
    if (mayBeFollowed(source, layers)) bytes -= (bytes - dataOffset) % FRAGMENT_UNIT;
    if (bytes < headerEnd(source, layers) - layers.frameAt || bytes <= dataOffset) return NO_FRAME;
    this.wasShortened = true;
    const writtenEnd = this.#copy(target, at, bytes);
    const { view } = target;
    const ipAt = at + ipOffset;
    if (layers.ipVersion === 4) view.setUint16(ipAt + ipv4.TOTAL_LENGTH, bytes - ipOffset);
    else view.setUint16(ipAt + ipv6.PAYLOAD_LENGTH, bytes - dataOffset);
    const { transportAt, protocol, fragment } = layers;
    if (protocol === IpProtocol.udp && transportAt !== ABSENT && fragment === 0) {
      const udpAt = at + transportAt - layers.frameAt;
      const present = at + bytes - udpAt;
      // an IP packet may itself have no room for a whole UDP header
      if (present >= udp.HEADER_LEN && udp.length(target.bytes, udpAt) > present)
        view.setUint16(udpAt + udp.LENGTH, present);
    }
    return this.#finish(target, at, at + bytes, writtenEnd);
  }

  /** Copies what is there, at most `bytes`, fills up with zeros; returns one past the last byte that was copied. */
  #copy(target: Block, at: number, bytes: number): number {
    const { frameAt, frameEnd, transportAt, protocol } = this.#in;
    const source = this.#source;
    if (source === undefined) return at;
    const copied = Math.min(frameEnd - frameAt, bytes);
    if (copied > 0) copyBlock(source, frameAt, frameAt + copied, target, at);
    if (copied < bytes) target.bytes.fill(0, at + copied, at + bytes);
    if (protocol === IpProtocol.tcp && transportAt !== ABSENT)
      clearCutOption(target.bytes, at + transportAt - frameAt, at + copied);
    return at + copied;
  }

  /** Writes the checksums. */
  #finish(target: Block, at: number, end: number, zerosFrom: number): number {
    const layers = this.#out;
    read(target, at, end, this.#in.linkType, layers);
    if (layers.ipVersion === 4) completeHeader(target, layers);
    const covered = coveredEnd(target.bytes, layers);
    if (covered !== ABSENT) completeTransport(target, layers, covered, zerosFrom);
    return end;
  }
}

function read(
  { bytes, view }: Block,
  frameAt: number,
  frameEnd: number,
  linkType: LinkType,
  layers: Layers,
): void {
  layers.linkType = linkType;
  layers.frameAt = frameAt;
  layers.frameEnd = frameEnd;
  if (!readPlainInner(view, layers)) readInner(bytes, layers);
  measure(layers);
}

function lostOf(layers: Layers): Lost {
  if (layers.truncated === 0) return Lost.nothing;
  if (layers.headerCut === 1 || layers.ipHeaderComplete === 0) return Lost.header;
  return isTransportHeaderThere(layers) ? Lost.data : Lost.header;
}

/** Says whether all of the transport's fixed header arrived, or as much as the IP packet has room for. */
function isTransportHeaderThere({ transportAt, frameEnd, ipEnd, protocol }: Layers): boolean {
  if (transportAt === ABSENT) return true;
  return frameEnd - transportAt >= Math.min(fixedHeaderLen(protocol), ipEnd - transportAt);
}

function fixedHeaderLen(protocol: number): number {
  switch (protocol) {
    case IpProtocol.tcp:
      return tcp.HEADER_LEN;
    case IpProtocol.udp:
      return udp.HEADER_LEN;
    case IpProtocol.icmp:
    case IpProtocol.icmpv6:
      return icmp.HEADER_LEN;
    default:
      return 0;
  }
}

/** One past the frame's last header, TCP's options included, whether or not all of it arrived. */
function headerEnd({ bytes }: Block, { transportAt, protocol, ipAt, ipVersion, ipEnd }: Layers): number {
  if (transportAt === ABSENT) return ipAt + (ipVersion === 4 ? ipv4.headerLen(bytes, ipAt) : ipv6.HEADER_LEN);
  const fixedEnd = transportAt + fixedHeaderLen(protocol);
  const end =
    protocol === IpProtocol.tcp
      ? Math.max(fixedEnd, transportAt + tcp.headerLen(bytes, transportAt))
      : fixedEnd;
  return ipEnd === ABSENT ? end : Math.min(end, ipEnd);
}

/** Fragments follow this one; of IPv6, where that is not known here, perhaps. */
function mayBeFollowed({ bytes }: Block, { fragment, ipVersion, ipAt }: Layers): boolean {
  return fragment === 1 && (ipVersion === 6 || ipv4.moreFragments(bytes, ipAt));
}

/** Ends the list of TCP options before one of which not all arrived: half of it would say something else. */
function clearCutOption(bytes: Uint8Array, tcpAt: number, end: number): void {
  if (tcpAt + tcp.HEADER_LEN > end) return;
  const optionsEnd = tcpAt + tcp.headerLen(bytes, tcpAt);
  if (optionsEnd <= end) return;
  let at = tcpAt + tcp.HEADER_LEN;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === tcp.OptionKind.end) return;
    if (kind === tcp.OptionKind.noOperation) {
      at++;
      continue;
    }
    const next = at + 1 < end ? at + bytes[at + 1]! : end + 1;
    // a length below 2 is the sender's own mistake, and stays
    if (next < at + 2) return;
    if (next > end) {
      bytes.fill(0, at, end);
      return;
    }
    at = next;
  }
}
