import * as pcap from '../../format/pcap-encoder.ts';
import * as pcapng from '../../format/pcapng-encoder.ts';
import { packetFlags, packetRemarks } from '../../format/pcapng-marks.ts';
import { addRemarks } from '../../format/pcapng-remark.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { Block } from '../../wire/block.ts';

/** What the sink knows of one interface of a file when the file ends. */
export type InterfaceStatistics = pcapng.InterfaceStatistics;

/** One format of capture files. Writers return the offset just past what they wrote; the caller makes room. */
export interface Encoding {
  readonly format: 'pcapng' | 'pcap';
  /** Most bytes that a packet needs besides those of its frame. */
  readonly packetOverheadBytes: number;
  /** Most bytes that `begin` and one `beginInterface` write together. */
  headerBytes(name: string): number;
  /** Writes what a file begins with. */
  begin(out: Buffer, at: number, linkType: number): number;
  /** Writes what stands before the first packet of an interface. */
  beginInterface(out: Buffer, at: number, linkType: number, name: string): number;
  /** Writes the frame of one packet of the batch. */
  packet(out: Block, at: number, interfaceId: number, batch: PacketBatch, slot: number): number;
  /** What closes a file with these interfaces, in a buffer of its own. */
  end(interfaces: readonly InterfaceStatistics[]): Buffer;
}

const ENHANCED_PACKET = 6;
const EMPTY = Buffer.alloc(0);

/** Said of a file whose sink was given packets in the order of their streams. */
const IN_ORDER =
  'Packets of a TCP stream are in the order of their sequence numbers; time stamps are those of arrival.';

export const pcapngEncoding: Encoding = pcapngWith('');

/** The same, for packets that were put in the order of their streams: each file says so. */
const orderedPcapngEncoding: Encoding = pcapngWith(IN_ORDER);

/** @param comment of the section that a file is */
function pcapngWith(comment: string): Encoding {
  return {
    format: 'pcapng',
    packetOverheadBytes: pcapng.PACKET_OVERHEAD_BYTES,
    headerBytes: (name) => pcapng.sectionHeaderBytes(comment) + pcapng.interfaceBlockBytes(name),
    begin: (out, at) => pcapng.sectionHeaderBlock(out, at, comment),
    beginInterface: pcapng.interfaceBlock,
    packet: pcapngPacket,
    end: (interfaces) => {
      const out = Buffer.allocUnsafe(interfaces.length * pcapng.STATISTICS_BLOCK_BYTES);
      let at = 0;
      for (const [id, statistics] of interfaces.entries())
        at = pcapng.statisticsBlock(out, at, id, statistics);
      return out.subarray(0, at);
    },
  };
}

function pcapngPacket(out: Block, at: number, interfaceId: number, batch: PacketBatch, slot: number): number {
  const marks = batch.marks[slot] ?? 0;
  const flags = packetFlags(marks, batch.transportVerdict[slot] ?? 0);
  const remarks = packetRemarks(marks);
  const end = pcapng.packetBlock(
    out,
    at,
    interfaceId,
    batch.seconds[slot] ?? 0,
    batch.nanoseconds[slot] ?? 0,
    batch,
    batch.frameAt[slot] ?? 0,
    batch.frameEnd[slot] ?? 0,
    batch.frameWireLen[slot] ?? 0,
    flags,
  );
  return remarks === 0 ? end : addRemarks(out.bytes, at, end, flags, remarks);
}

export const pcapEncoding: Encoding = {
  format: 'pcap',
  packetOverheadBytes: pcap.RECORD_HEADER_BYTES,
  headerBytes: () => pcap.FILE_HEADER_BYTES,
  begin: pcap.fileHeader,
  beginInterface: (_out, at) => at,
  packet: (out, at, _interfaceId, batch, slot) =>
    pcap.packetRecord(
      out,
      at,
      batch.seconds[slot] ?? 0,
      batch.nanoseconds[slot] ?? 0,
      batch,
      batch.frameAt[slot] ?? 0,
      batch.frameEnd[slot] ?? 0,
      batch.frameWireLen[slot] ?? 0,
    ),
  end: () => EMPTY,
};

/**
 * The encoding of a format.
 *
 * @param ordered whether packets come in the order of their streams; pcap has no place to say so
 */
export function encodingOf(format: 'pcapng' | 'pcap', ordered: boolean): Encoding {
  if (format === 'pcap') return pcapEncoding;
  return ordered ? orderedPcapngEncoding : pcapngEncoding;
}

/** How many packets of each interface stand in the whole pcapng blocks `bytes[0 .. end)`. */
export function packetsByInterface(bytes: Buffer, end: number): number[] {
  const counts: number[] = [];
  for (let at = 0; at < end; at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) !== ENHANCED_PACKET) continue;
    const id = bytes.readUInt32LE(at + 8);
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}
