/** Writes packets as capture files, with the encoders of the project. */
import * as pcap from '../../src/format/pcap-encoder.ts';
import * as pcapng from '../../src/format/pcapng-encoder.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { blockOf } from '../../src/wire/block.ts';

/** Time zero of all samples: 2026-01-01T00:00:00Z. */
const EPOCH_SECONDS = 1_767_225_600;

export interface Packet {
  /** Microseconds after time zero. */
  readonly timeUs: number;
  readonly bytes: Buffer;
  /** Bytes the packet had where the capture cut it; left out where it did not. */
  readonly wireLen?: number;
  /** Sum of `PacketFlag` values; pcapng only. */
  readonly flags?: number;
  /** Index of the interface; pcapng only, 0 unless given. */
  readonly interface?: number;
}

/** Packets in order of time; those of one time stay in order. */
export function inOrder(packets: readonly Packet[]): Packet[] {
  return packets.toSorted((one, other) => one.timeUs - other.timeUs);
}

/** A pcap file of Ethernet packets, nanosecond time stamps. */
export function pcapFile(packets: readonly Packet[]): Buffer {
  const header = Buffer.alloc(pcap.FILE_HEADER_BYTES);
  pcap.fileHeader(header, 0, LinkType.ethernet);
  const records = packets.map((packet) => {
    const { bytes, wireLen = bytes.length } = packet;
    const record = Buffer.alloc(pcap.RECORD_HEADER_BYTES + bytes.length);
    pcap.packetRecord(
      blockOf(record),
      0,
      seconds(packet),
      nanoseconds(packet),
      blockOf(bytes),
      0,
      bytes.length,
      wireLen,
    );
    return record;
  });
  return Buffer.concat([header, ...records]);
}

/** A pcapng file of Ethernet interfaces with these names. */
export function pcapngFile(packets: readonly Packet[], names: readonly string[]): Buffer {
  const section = Buffer.alloc(pcapng.sectionHeaderBytes());
  pcapng.sectionHeaderBlock(section, 0);
  const interfaces = names.map((name) => {
    const block = Buffer.alloc(pcapng.interfaceBlockBytes(name));
    pcapng.interfaceBlock(block, 0, LinkType.ethernet, name);
    return block;
  });
  return Buffer.concat([section, ...interfaces, ...packets.map(packetBlock)]);
}

function packetBlock(packet: Packet): Buffer {
  const { bytes, wireLen = bytes.length, flags = 0 } = packet;
  const block = Buffer.alloc(pcapng.PACKET_OVERHEAD_BYTES + bytes.length);
  const end = pcapng.packetBlock(
    blockOf(block),
    0,
    packet.interface ?? 0,
    seconds(packet),
    nanoseconds(packet),
    blockOf(bytes),
    0,
    bytes.length,
    wireLen,
    flags,
  );
  return block.subarray(0, end);
}

function seconds(packet: Packet): number {
  return EPOCH_SECONDS + Math.floor(packet.timeUs / 1e6);
}

function nanoseconds(packet: Packet): number {
  return (packet.timeUs % 1e6) * 1000;
}
