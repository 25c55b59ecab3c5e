/** What makes two packets packets of one flow: lane, mirror source and the innermost addresses, ports and protocol. */
import type { Innermost } from '../../packet/innermost.ts';
import * as innermostConstants from '../../packet/innermost.ts';
import type { Layers } from '../../packet/layers.ts';
import { COUNTERPART as ICMP_COUNTERPART } from '../../wire/icmp.ts';
import * as icmp from '../../wire/icmp.ts';
import { COUNTERPART as ICMPV6_COUNTERPART } from '../../wire/icmpv6.ts';
import * as ipProtocols from '../../wire/ip-protocol.ts';
import { makeKey } from '../lane-key.ts';
import * as layout from './flow-layout.ts';

// for speed: see "Constants" in src/README.md
const { Ports } = innermostConstants;
const { ONE_WAY } = icmp;
const { IpProtocol } = ipProtocols;
const {
  ENDPOINT_HIGH,
  ENDPOINT_LOW,
  HASH,
  HIGH,
  HIGH_REST,
  KIND,
  KIND_IPV6,
  KIND_HAS_REST,
  KIND_MIRROR_IPV6,
  KIND_NESTED,
  KIND_PORTS_SHIFT,
  KIND_TUPLE,
  KIND_VLAN_SHIFT,
  LANE_KEY,
  LOW,
  LOW_REST,
  MIRROR_REST,
  MIRROR_SOURCE,
  NESTED_ID,
  NESTED_PATH,
  PORTS,
} = layout;

/** KIND of a packet, but for what its addresses say. */
export function kindOf(innermost: Innermost, perVlan: boolean): number {
  const kind = innermost.protocol | (innermost.ports << KIND_PORTS_SHIFT);
  const nested = innermost.path === 0 ? kind : kind | KIND_NESTED;
  return perVlan ? nested | ((innermost.vlanId + 1) << KIND_VLAN_SHIFT) : nested;
}

/**
 * Writes the key of a packet to the row at `at`. Both directions of a flow have one key: that with the lower address, then port,
 * is told first. Messages of ICMP that answer each other meet as they do in the Community ID; where nothing answers, the
 * source is told first.
 *
 * @param perVlan whether the outermost VLAN id is part of the key
 * @returns 0 where the packet's source was told first, else 1
 */
export function writeKey(
  words: Int32Array,
  at: number,
  view: DataView,
  layers: Layers,
  innermost: Innermost,
  perVlan: boolean,
): 0 | 1 {
  const { sourceAt, destinationAt, protocol } = innermost;
  const isIpv6 = innermost.ipVersion === 6;
  let kind = kindOf(innermost, perVlan);
  const first = innermost.sourcePort;
  let second = innermost.destinationPort;
  let inOrder = false;
  if ((protocol === IpProtocol.icmp || protocol === IpProtocol.icmpv6) && innermost.ports === Ports.known) {
    const answer = (protocol === IpProtocol.icmp ? ICMP_COUNTERPART : ICMPV6_COUNTERPART)[first & 0xff]!;
    if (answer === ONE_WAY) inOrder = true;
    else second = answer;
  }
  const direction = inOrder || !isHigher(view, sourceAt, destinationAt, isIpv6, first, second) ? 0 : 1;
  const lowAt = direction === 0 ? sourceAt : destinationAt;
  const highAt = direction === 0 ? destinationAt : sourceAt;
  words[at + PORTS] = direction === 0 ? (first << 16) | second : (second << 16) | first;
  words[at + LOW] = view.getInt32(lowAt);
  words[at + HIGH] = view.getInt32(highAt);
  if (isIpv6) {
    kind |= KIND_IPV6;
    writeRest(words, at + LOW_REST, view, lowAt);
    writeRest(words, at + HIGH_REST, view, highAt);
  } else {
    clearRest(words, at + LOW_REST);
    clearRest(words, at + HIGH_REST);
  }
  words[at + KIND] = kind | writeMirrorSource(words, at, view, layers);
  words[at + LANE_KEY] = makeKey(layers.encapsulation, layers.vni, layers.hasEndpoint, layers.linkType);
  words[at + ENDPOINT_HIGH] = layers.hasEndpoint === 0 ? 0 : layers.endpointHigh;
  words[at + ENDPOINT_LOW] = layers.hasEndpoint === 0 ? 0 : layers.endpointLow;
  words[at + NESTED_PATH] = innermost.path;
  words[at + NESTED_ID] = innermost.nestedId;
  return direction;
}

/** Returns the bits of KIND that say what kind of address it is. */
function writeMirrorSource(words: Int32Array, at: number, view: DataView, layers: Layers): number {
  const sourceAt = layers.mirrorSourceAt;
  words[at + MIRROR_SOURCE] = view.getInt32(sourceAt);
  if (layers.mirrorSourceVersion !== 6) {
    clearRest(words, at + MIRROR_REST);
    return 0;
  }
  writeRest(words, at + MIRROR_REST, view, sourceAt);
  return KIND_MIRROR_IPV6;
}

function writeRest(words: Int32Array, at: number, view: DataView, addressAt: number): void {
  words[at] = view.getInt32(addressAt + 4);
  words[at + 1] = view.getInt32(addressAt + 8);
  words[at + 2] = view.getInt32(addressAt + 12);
}

function clearRest(words: Int32Array, at: number): void {
  words[at] = 0;
  words[at + 1] = 0;
  words[at + 2] = 0;
}

/** Whether address, then port of the source come after those of the destination. */
function isHigher(
  view: DataView,
  sourceAt: number,
  destinationAt: number,
  isIpv6: boolean,
  sourcePort: number,
  destinationPort: number,
): boolean {
  const length = isIpv6 ? 16 : 4;
  for (let i = 0; i < length; i += 4) {
    const source = view.getUint32(sourceAt + i);
    const destination = view.getUint32(destinationAt + i);
    if (source !== destination) return source > destination;
  }
  return sourcePort > destinationPort;
}

/** Whether two rows have the same key. */
export function isSameKey(words: Int32Array, at: number, otherAt: number): boolean {
  const isSame =
    words[at + PORTS] === words[otherAt + PORTS] &&
    words[at + LOW] === words[otherAt + LOW] &&
    words[at + HIGH] === words[otherAt + HIGH] &&
    words[at + KIND] === words[otherAt + KIND] &&
    words[at + LANE_KEY] === words[otherAt + LANE_KEY] &&
    words[at + MIRROR_SOURCE] === words[otherAt + MIRROR_SOURCE] &&
    words[at + ENDPOINT_HIGH] === words[otherAt + ENDPOINT_HIGH] &&
    words[at + ENDPOINT_LOW] === words[otherAt + ENDPOINT_LOW];
  if (!isSame || (words[at + KIND]! & KIND_HAS_REST) === 0) return isSame;
  return (
    words[at + NESTED_PATH] === words[otherAt + NESTED_PATH] &&
    words[at + NESTED_ID] === words[otherAt + NESTED_ID] &&
    isSameRest(words, at + LOW_REST, otherAt + LOW_REST) &&
    isSameRest(words, at + HIGH_REST, otherAt + HIGH_REST) &&
    isSameRest(words, at + MIRROR_REST, otherAt + MIRROR_REST)
  );
}

/** Whether two rows are of the same addresses, ports and protocol, wherever they were mirrored. */
export function isSameTuple(words: Int32Array, at: number, otherAt: number): boolean {
  return (
    words[at + PORTS] === words[otherAt + PORTS] &&
    words[at + LOW] === words[otherAt + LOW] &&
    words[at + HIGH] === words[otherAt + HIGH] &&
    ((words[at + KIND]! ^ words[otherAt + KIND]!) & KIND_TUPLE) === 0 &&
    words[at + NESTED_PATH] === words[otherAt + NESTED_PATH] &&
    words[at + NESTED_ID] === words[otherAt + NESTED_ID] &&
    isSameRest(words, at + LOW_REST, otherAt + LOW_REST) &&
    isSameRest(words, at + HIGH_REST, otherAt + HIGH_REST)
  );
}

function isSameRest(words: Int32Array, at: number, otherAt: number): boolean {
  return (
    words[at] === words[otherAt] &&
    words[at + 1] === words[otherAt + 1] &&
    words[at + 2] === words[otherAt + 2]
  );
}

/** Copies the key and its hash from one row to another. */
export function copyKey(words: Int32Array, at: number, toAt: number): void {
  words.copyWithin(toAt + PORTS, at + PORTS, at + MIRROR_SOURCE + 1);
  words.copyWithin(toAt + HASH, at + HASH, at + ENDPOINT_LOW + 1);
  words.copyWithin(toAt + LOW_REST, at + LOW_REST, at + MIRROR_REST + 3);
}
