import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A frame of test/scenario/recordings/kernel-tcp.pcap; test/support/programs/record-tcp.ts says how it was made. */
export interface Recorded {
  /** Its place in the recording. */
  readonly index: number;
  /** After the first frame. */
  readonly timeUs: number;
  /** Its first bytes: the headers. */
  readonly frame: Buffer;
  /** Bytes it had. */
  readonly wireLen: number;
  /** Addresses and ports with direction. */
  readonly stream: string;
  readonly sequence: number;
  /** Data, SYN and FIN: 0 for a packet that only acknowledges. */
  readonly length: number;
  readonly isSyn: boolean;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;

/** All frames, in the order in which the first host sent and received them. */
export function recordedTcp(): Recorded[] {
  const bytes = readFileSync(join(import.meta.dirname, '../scenario/recordings/kernel-tcp.pcap'));
  const frames: Recorded[] = [];
  const timeOf = (at: number): number => bytes.readUInt32LE(at) * 1e6 + bytes.readUInt32LE(at + 4);
  for (let at = FILE_HEADER_BYTES; at < bytes.length; ) {
    const end = at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 8);
    const frame = bytes.subarray(at + RECORD_HEADER_BYTES, end);
    const timeUs = timeOf(at) - timeOf(FILE_HEADER_BYTES);
    frames.push({
      index: frames.length,
      timeUs,
      frame,
      wireLen: bytes.readUInt32LE(at + 12),
      ...segmentOf(frame),
    });
    at = end;
  }
  return frames;
}

/** Read here by hand, so that what is tested is not what tests. */
function segmentOf(frame: Buffer): Pick<Recorded, 'stream' | 'sequence' | 'length' | 'isSyn'> {
  const isIpv4 = frame[ETHERNET_BYTES]! >>> 4 === 4;
  const ip = frame.subarray(ETHERNET_BYTES);
  const headerBytes = isIpv4 ? 20 : 40;
  const ipBytes = isIpv4 ? ip.readUInt16BE(2) : headerBytes + ip.readUInt16BE(4);
  const tcp = ip.subarray(headerBytes);
  const flags = tcp[13]!;
  const dataBytes = ipBytes - headerBytes - (tcp[12]! >>> 4) * 4;
  return {
    stream: ip.toString('hex', isIpv4 ? 12 : 8, headerBytes) + tcp.toString('hex', 0, 4),
    sequence: tcp.readUInt32BE(4),
    length: dataBytes + ((flags >>> 1) & 1) + (flags & 1),
    isSyn: (flags & 2) !== 0,
  };
}

/**
 * Segments that stand behind one of a higher sequence number of their stream though they carry bytes that none before
 * them did. What is sent again is not among them.
 */
export function outOfOrder(segments: readonly Recorded[]): Set<Recorded> {
  const streams = new Map<string, Seen>();
  const found = new Set<Recorded>();
  for (const segment of segments) {
    if (segment.length === 0) continue;
    let seen = streams.get(segment.stream);
    if (seen === undefined) streams.set(segment.stream, (seen = new Seen(segment.sequence)));
    if (seen.add(segment)) found.add(segment);
  }
  return found;
}

/** The sequence numbers of one stream that were there, as offsets from the first: a plain list of ranges. */
class Seen {
  readonly #first: number;
  readonly #ranges: (readonly [from: number, to: number])[] = [];
  #highest = -Infinity;

  constructor(first: number) {
    this.#first = first;
  }

  /** Says whether the segment is out of order. */
  add({ sequence, length }: Recorded): boolean {
    const from = (sequence - this.#first) | 0;
    const to = from + length;
    let missing = [[from, to] as const];
    for (const [start, end] of this.#ranges) {
      missing = missing.flatMap(([a, b]) => {
        if (end <= a || start >= b) return [[a, b] as const];
        return [[a, Math.min(b, start)] as const, [Math.max(a, end), b] as const].filter(([x, y]) => x < y);
      });
    }
    const isOut = missing.length > 0 && from < this.#highest;
    this.#ranges.push([from, to]);
    this.#highest = Math.max(this.#highest, to);
    return isOut;
  }
}

/** Segments whose first byte is at or above everything that their stream had sent before. */
export function firstSent(segments: readonly Recorded[]): Set<Recorded> {
  const highest = new Map<string, number>();
  const found = new Set<Recorded>();
  for (const segment of segments) {
    const { stream, sequence, length } = segment;
    const before = highest.get(stream);
    const end = (sequence + length) | 0;
    if (before === undefined || ((sequence - before) | 0) >= 0) found.add(segment);
    if (before === undefined || ((end - before) | 0) > 0) highest.set(stream, end);
  }
  return found;
}
