import type { Layers } from '../packet/layers.ts';
import * as layersConstants from '../packet/layers.ts';
import * as linkTypes from '../packet/link-type.ts';
import * as etherTypes from '../wire/ether-type.ts';
import * as ethernet from '../wire/ethernet.ts';
import * as ipv4 from '../wire/ipv4.ts';
import * as ipv6 from '../wire/ipv6.ts';
import { ExtensionWalk, walk } from '../wire/ipv6-extension.ts';
import * as vlan from '../wire/vlan.ts';

// for speed: see "Constants" in src/README.md
const { ABSENT } = layersConstants;
const { LinkType } = linkTypes;
const { EtherType } = etherTypes;

/** A frame with more tags than this keeps them: what follows is not looked into. */
const MAX_INNER_TAGS = 4;
const extensions = new ExtensionWalk();

/**
 * Reads the link and IP headers of the inner frame, as far as they arrived, and sets the inner fields of `out`.
 *
 * Nothing here is a fault: a frame may end anywhere, and what it carries is the mirrored host's business.
 */
export function readInner(bytes: Uint8Array, out: Layers): void {
  out.etherType = 0;
  out.vlanCount = 0;
  out.ipVersion = 0;
  out.ipAt = ABSENT;
  out.headerCut = 0;
  out.ipHeaderComplete = 0;
  out.ipEnd = ABSENT;
  out.protocol = 0;
  out.fragment = 0;
  out.fragmentOffset = 0;
  out.transportAt = ABSENT;
  out.pseudoDestinationAt = ABSENT;

  if (out.linkType === LinkType.raw) readRaw(bytes, out);
  else readEthernet(bytes, out);
}

function readRaw(bytes: Uint8Array, out: Layers): void {
  if (out.frameAt >= out.frameEnd) {
    out.headerCut = 1;
    return;
  }
  const version = bytes[out.frameAt]! >>> 4;
  if (version === 4) readIpv4(bytes, out.frameAt, out);
  else if (version === 6) readIpv6(bytes, out.frameAt, out);
}

function readEthernet(bytes: Uint8Array, out: Layers): void {
  if (!ethernet.complete(out.frameAt, out.frameEnd)) {
    out.headerCut = 1;
    return;
  }
  let etherType = ethernet.etherType(bytes, out.frameAt);
  let at = out.frameAt + ethernet.HEADER_LEN;
  while (vlan.isTag(etherType) && out.vlanCount < MAX_INNER_TAGS) {
    if (!vlan.complete(at, out.frameEnd)) {
      out.headerCut = 1;
      return;
    }
    etherType = vlan.etherType(bytes, at);
    at += vlan.TAG_LEN;
    out.vlanCount++;
  }
  out.etherType = etherType;
  if (etherType !== EtherType.ipv4 && etherType !== EtherType.ipv6) return;
  if (at >= out.frameEnd) {
    out.ipVersion = etherType === EtherType.ipv4 ? 4 : 6;
    out.headerCut = 1;
    return;
  }
  const version = bytes[at]! >>> 4;
  if (etherType === EtherType.ipv4 && version === 4) readIpv4(bytes, at, out);
  if (etherType === EtherType.ipv6 && version === 6) readIpv6(bytes, at, out);
}

function readIpv4(bytes: Uint8Array, at: number, out: Layers): void {
  out.ipVersion = 4;
  out.ipAt = at;
  const headerLen = ipv4.headerLen(bytes, at);
  if (at + Math.max(headerLen, ipv4.HEADER_LEN) > out.frameEnd) out.headerCut = 1;
  // bytes 2-3: enough to know how long the packet was, wherever the frame ends after them
  if (at + 4 <= out.frameEnd) {
    const totalLength = ipv4.totalLength(bytes, at);
    if (totalLength !== 0) out.ipEnd = at + totalLength;
  }
  if (!ipv4.complete(bytes, at, out.frameEnd)) return;
  out.ipHeaderComplete = 1;
  out.protocol = ipv4.protocol(bytes, at);
  out.fragment = ipv4.isFragment(bytes, at) ? 1 : 0;
  out.fragmentOffset = ipv4.fragmentOffset(bytes, at);
  out.pseudoDestinationAt = at + ipv4.DESTINATION;
  if (out.fragmentOffset === 0) out.transportAt = at + headerLen;
}

function readIpv6(bytes: Uint8Array, at: number, out: Layers): void {
  out.ipVersion = 6;
  out.ipAt = at;
  if (at + 6 <= out.frameEnd) {
    // 0: a jumbogram (RFC 2675) or a segment caught before the network card cut it
    const payloadLength = ipv6.payloadLength(bytes, at);
    if (payloadLength !== 0) out.ipEnd = at + ipv6.HEADER_LEN + payloadLength;
  }
  if (!ipv6.complete(bytes, at, out.frameEnd)) {
    out.headerCut = 1;
    return;
  }
  // what lies past the promised end is padding, not headers
  const end = out.ipEnd === ABSENT ? out.frameEnd : Math.min(out.ipEnd, out.frameEnd);
  walk(bytes, at, end, extensions);
  // without a promised length nothing else tells that the frame ends inside an extension header
  if (extensions.complete === 0 && out.ipEnd === ABSENT) out.headerCut = 1;
  out.ipHeaderComplete = extensions.complete;
  out.protocol = extensions.protocol;
  out.fragment = extensions.fragment;
  out.fragmentOffset = extensions.fragmentOffset;
  out.transportAt = extensions.transportAt;
  out.pseudoDestinationAt = extensions.pseudoDestinationAt;
}
