import type { Recorded } from './recorded-tcp.ts';

/**
 * Frames of recorded connections as AWS delivers them where the interfaces of both ends are mirrored: each packet is copied
 * where it is sent, and again where it arrives, one hop and some time later.
 */

/** One of the two mirrored interfaces. */
export interface MirrorEnd {
  /** Last byte of its address, the VXLAN packet's source. */
  readonly mirrorSource: number;
  readonly vni: number;
  /** How much later than it would the copy of a frame comes, by the frame's number: not at all unless given. */
  readonly delayUs?: (frame: number) => number;
}

interface Copy {
  readonly timeUs: number;
  readonly packet: Buffer;
}

/** Less than half the time of the quickest answer, since the recording is that of the first frame's sender. */
const ON_THE_WAY_US = 3;
const BEFORE_US = 1000;
const FIRST_SECONDS = 1_795_233_600;
const OUTER_BYTES = 50;
const ETHERNET_BYTES = 14;
const VXLAN_PORT = 4789;

/**
 * A pcap of the frames; `ends` are that of the first frame's sender and that of its receiver. With one end only, what
 * that one sees.
 */
export function bothEnds(frames: readonly Recorded[], ends: readonly MirrorEnd[]): Buffer {
  const [near, far] = ends;
  const nearMac = frames[0]!.frame.toString('hex', 6, 12);
  const copies = frames.flatMap(({ frame, timeUs }, number) => {
    const isOut = frame.toString('hex', 6, 12) === nearMac;
    const nearUs = BEFORE_US + timeUs;
    const farUs = isOut ? nearUs + ON_THE_WAY_US : nearUs - ON_THE_WAY_US;
    const nearCopy = {
      timeUs: nearUs + (near?.delayUs?.(number) ?? 0),
      packet: mirrored(isOut ? frame : afterHop(frame), near),
    };
    const farCopy = {
      timeUs: farUs + (far?.delayUs?.(number) ?? 0),
      packet: mirrored(isOut ? afterHop(frame) : frame, far),
    };
    return [nearCopy, farCopy].filter(({ packet }) => packet.length > 0);
  });
  const inTime = copies.toSorted((a, b) => a.timeUs - b.timeUs);
  return Buffer.concat([FILE_HEADER, ...inTime.map(record)]);
}

/** pcap, microseconds, little-endian, Ethernet (draft-ietf-opsawg-pcap section 4). */
const FILE_HEADER = Buffer.from('d4c3b2a10200040000000000000000000000040001000000', 'hex');

function record({ timeUs, packet }: Copy): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(FIRST_SECONDS + Math.floor(timeUs / 1e6), 0);
  header.writeUInt32LE(timeUs % 1e6, 4);
  header.writeUInt32LE(packet.length, 8);
  header.writeUInt32LE(packet.length, 12);
  return Buffer.concat([header, packet]);
}

/** In the VXLAN of an end; empty where that end is not mirrored. The outer checksums are 0: the receiver reads neither. */
function mirrored(frame: Buffer, end: MirrorEnd | undefined): Buffer {
  if (end === undefined) return Buffer.alloc(0);
  const outer = Buffer.alloc(OUTER_BYTES);
  outer.writeUInt16BE(0x0800, 12);
  outer.writeUInt8(0x45, 14);
  outer.writeUInt16BE(OUTER_BYTES - ETHERNET_BYTES + frame.length, 16);
  outer.writeUInt8(255, 22);
  outer.writeUInt8(17, 23);
  outer.set([10, 9, 0, end.mirrorSource, 10, 9, 1, 1], 26);
  outer.writeUInt16BE(65_408, 34);
  outer.writeUInt16BE(VXLAN_PORT, 36);
  outer.writeUInt16BE(OUTER_BYTES - ETHERNET_BYTES - 20 + frame.length, 38);
  outer.writeUInt8(0x08, 42);
  outer.writeUIntBE(end.vni, 46, 3);
  return Buffer.concat([outer, frame]);
}

/** Other MAC addresses and a TTL or hop limit less by one, with the header's checksum as RFC 1624 mends it. */
function afterHop(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy.set([2, 0, 0, 0, 9, 1, 2, 0, 0, 0, 9, 2], 0);
  const isIpv4 = copy[ETHERNET_BYTES]! >>> 4 === 4;
  const hopsAt = ETHERNET_BYTES + (isIpv4 ? 8 : 7);
  copy[hopsAt] = copy[hopsAt]! - 1;
  if (!isIpv4) return copy;
  const sumAt = ETHERNET_BYTES + 10;
  const sum = copy.readUInt16BE(sumAt) + 0x100;
  copy.writeUInt16BE((sum & 0xffff) + (sum >>> 16), sumAt);
  return copy;
}
