import { packetFlags, packetRemarks } from '../../../format/pcapng-marks.ts';
import {
  interfaceBlock,
  interfaceBlockBytes,
  PACKET_OVERHEAD_BYTES,
  packetBlock,
  sectionHeaderBlock,
  sectionHeaderBytes,
} from '../../../format/pcapng-encoder.ts';
import { addRemarks } from '../../../format/pcapng-remark.ts';
import type { PacketBlockReader } from '../../../format/packet-block.ts';
import type { Lane } from '../../../packet/lane.ts';
import { type Block, blockOf } from '../../../wire/block.ts';

/** What a value begins with at least; it doubles as it grows. */
const BYTES_MIN = 1024;
const NANOSECONDS_A_MILLISECOND = 1_000_000;

/**
 * A pcapng of one lane in the making: section header, one interface, packets. There are no statistics in it: how many packets came
 * and were dropped is not known of a part of a lane.
 */
export class PcapngValue {
  packets = 0;
  /** Arrival of the newest packet, milliseconds since the epoch: whoever looks for what came from then on finds the value. */
  newestMs = 0;
  readonly #bytesMax: number;
  #out: Block;
  #end: number;

  /**
   * @param bytesMax what the value does not exceed, unless its only packet does
   * @param expectedBytes what it will probably take: memory to begin with
   */
  constructor({ name, linkType }: Lane, bytesMax: number, expectedBytes: number) {
    this.#bytesMax = bytesMax;
    const headBytes = sectionHeaderBytes() + interfaceBlockBytes(name);
    const bytes = Math.min(Math.max(BYTES_MIN, expectedBytes), bytesMax);
    this.#out = blockOf(Buffer.allocUnsafeSlow(Math.max(headBytes, bytes)));
    this.#end = interfaceBlock(this.#out.bytes, sectionHeaderBlock(this.#out.bytes, 0), linkType, name);
  }

  /** Whether the packet that the reader has found still goes in. */
  takes({ frameAt, frameEnd }: PacketBlockReader): boolean {
    return this.packets === 0 || this.#end + PACKET_OVERHEAD_BYTES + frameEnd - frameAt <= this.#bytesMax;
  }

  add(reader: PacketBlockReader): void {
    const { frameAt, frameEnd, seconds, nanoseconds, frameWireLen, marks } = reader;
    this.#makeRoom(PACKET_OVERHEAD_BYTES + frameEnd - frameAt);
    const flags = packetFlags(marks, reader.transportVerdict);
    const remarks = packetRemarks(marks);
    const out = this.#out;
    const at = this.#end;
    const end = packetBlock(out, at, 0, seconds, nanoseconds, reader, frameAt, frameEnd, frameWireLen, flags);
    this.#end = remarks === 0 ? end : addRemarks(out.bytes, at, end, flags, remarks);
    this.packets++;
    const ms = seconds * 1000 + ((nanoseconds / NANOSECONDS_A_MILLISECOND) | 0);
    if (ms > this.newestMs) this.newestMs = ms;
  }

  /** The whole pcapng; nothing is added after it. */
  get bytes(): Buffer {
    return this.#out.bytes.subarray(0, this.#end);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#end + bytes;
    const { length } = this.#out.bytes;
    if (needed <= length) return;
    const grown = blockOf(Buffer.allocUnsafeSlow(Math.max(needed, Math.min(2 * length, this.#bytesMax))));
    this.#out.bytes.copy(grown.bytes, 0, 0, this.#end);
    this.#out = grown;
  }
}
