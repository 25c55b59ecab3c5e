import type { PacketBatch } from '../../packet/batch.ts';
import type { Innermost } from '../../packet/innermost.ts';
import * as innermostConstants from '../../packet/innermost.ts';
import * as layersConstants from '../../packet/layers.ts';
import * as ipProtocols from '../../wire/ip-protocol.ts';
import * as tcp from '../../wire/tcp.ts';
import * as udp from '../../wire/udp.ts';
import * as layout from './flow-layout.ts';
import type { NameFinder } from './name-finder.ts';

// for speed: see "Constants" in src/README.md
const { HEADER_LEN: UDP_LEN } = udp;
const { Ports } = innermostConstants;
const { ABSENT } = layersConstants;
const { IpProtocol } = ipProtocols;
const { LOOKS_ENOUGH, LOOKS_MASK, LOOKS_SHIFT, NAMES, ROW_WORDS, STATE } = layout;

/** Packets with payload of a flow that are looked into for names. */
const LOOKS_MAX = 8;
const UNKNOWN = -1;

/** Has the finder look into a packet of a row's flow, as long as it is one of the first with payload. */
export function lookForNames(
  names: NameFinder,
  words: Int32Array,
  row: number,
  batch: PacketBatch,
  innermost: Innermost,
): void {
  const at = row * ROW_WORDS;
  const { bytes, view } = batch;
  const payloadAt = payloadOf(bytes, innermost);
  if (payloadAt === UNKNOWN) return;
  const payloadEnd = endOf(bytes, innermost);
  if (payloadAt >= payloadEnd) return;

  const looks = (words[at + STATE]! & LOOKS_MASK) >>> LOOKS_SHIFT;
  const head = words[at + NAMES]!;
  if (!names.wants(innermost, head, looks)) {
    words[at + STATE]! |= LOOKS_ENOUGH << LOOKS_SHIFT;
    return;
  }
  const arrived = innermost.end - innermost.ipAt;
  const isWhole = innermost.fragment === 0 && innermost.wireLen === arrived;
  words[at + NAMES] = names.look(bytes, view, innermost, payloadAt, payloadEnd, isWhole, head);
  const next = looks + 1 === LOOKS_MAX ? LOOKS_ENOUGH : looks + 1;
  words[at + STATE] = (words[at + STATE]! & ~LOOKS_MASK) | (next << LOOKS_SHIFT);
}

/** Where the payload of TCP or UDP begins; UNKNOWN for others, and where the header did not arrive. */
function payloadOf(bytes: Uint8Array, innermost: Innermost): number {
  const { protocol, transportAt, end } = innermost;
  if (transportAt === ABSENT || innermost.ports !== Ports.known) return UNKNOWN;
  if (protocol === IpProtocol.tcp) {
    return tcp.complete(bytes, transportAt, end) ? transportAt + tcp.headerLen(bytes, transportAt) : UNKNOWN;
  }
  return protocol === IpProtocol.udp && udp.complete(transportAt, end) ? transportAt + UDP_LEN : UNKNOWN;
}

/** One past the last byte of the payload that arrived. */
function endOf(bytes: Uint8Array, innermost: Innermost): number {
  const { protocol, transportAt, end } = innermost;
  if (protocol === IpProtocol.tcp) return end;
  const length = udp.length(bytes, transportAt);
  return length < UDP_LEN ? end : Math.min(end, transportAt + length);
}
