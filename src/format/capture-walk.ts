import { MAX_INTERFACES, MAX_PACKET_BYTES, MAX_RECORD_BYTES } from './limits.ts';
import { BlockType, BYTE_ORDER_MAGIC, MIN_BLOCK_BYTES, PACKET_DATA, TRAILER_BYTES } from './pcapng-block.ts';
import { FILE_HEADER_BYTES, RECORD_HEADER_BYTES } from './pcap-encoder.ts';
import { WalkedInterface } from './walked-interface.ts';

/** First four bytes of a pcap with nanoseconds, read as a little-endian number. */
const PCAP_MAGIC = 0xa1b2_3c4d;
const PACKET_MIN_BYTES = PACKET_DATA + TRAILER_BYTES;
const SECTION_MIN_BYTES = 28;
const INTERFACE_MIN_BYTES = 20;
const STATISTICS_MIN_BYTES = 24;

/** Why a walk went no further than the last whole record. `foreign`: the first record is none that mirrortap writes. */
export type WalkProblem = 'foreign' | 'damaged';

/**
 * Goes from record to record of a capture file that mirrortap wrote (little-endian, one section) and counts what it
 * holds, without looking into packets. Fed a window at a time like a `CaptureDecoder`; allocates nothing a packet.
 *
 * Source: draft-ietf-opsawg-pcapng, sections 3.1, 4.1 to 4.3 and 4.6; draft-ietf-opsawg-pcap, sections 4 and 5.
 */
export class CaptureWalk {
  readonly interfaces: WalkedInterface[] = [];
  /** Bytes from the beginning that are whole records. */
  wholeBytes = 0;
  /** Bytes up to the first statistics block, where there is one; else as `wholeBytes`. */
  packetBytes = 0;
  problem: WalkProblem | undefined = undefined;
  readonly #pcapng: boolean;
  #statisticsSeen = false;

  constructor(format: 'pcapng' | 'pcap') {
    this.#pcapng = format === 'pcapng';
  }

  get packets(): number {
    return this.interfaces.reduce((sum, { packets }) => sum + packets, 0);
  }

  /**
   * Takes whole records of `bytes[at .. end)`; the first byte is the one at `wholeBytes` of the file. Returns the offset
   * past the last whole record; what is left comes again with more behind it. A window of `MAX_RECORD_BYTES` is enough.
   */
  feed(bytes: Buffer, at: number, end: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let next = at;
    while (this.problem === undefined) {
      const length = this.#pcapng ? this.#block(view, next, end) : this.#record(view, next, end);
      if (length === 0) break;
      next += length;
      this.wholeBytes += length;
      if (!this.#statisticsSeen) this.packetBytes = this.wholeBytes;
    }
    return next;
  }

  /** Length of the pcapng block at `at`; 0 where it is not whole or not right. */
  #block(view: DataView, at: number, end: number): number {
    if (end - at < MIN_BLOCK_BYTES) return 0;
    const type = view.getUint32(at, true);
    if ((this.wholeBytes === 0) !== (type === BlockType.sectionHeader)) return this.#stop();
    if (this.wholeBytes === 0 && view.getUint32(at + 8, true) !== BYTE_ORDER_MAGIC) return this.#stop();
    const length = view.getUint32(at + 4, true);
    if (length < MIN_BLOCK_BYTES || (length & 3) !== 0 || length > MAX_RECORD_BYTES) return this.#stop();
    if (length > end - at) return 0;
    if (view.getUint32(at + length - TRAILER_BYTES, true) !== length) return this.#stop();
    return this.#take(view, at, type, length) ? length : this.#stop();
  }

  /** Notes what a whole block says; false where it contradicts itself or the blocks before. */
  #take(view: DataView, at: number, type: number, length: number): boolean {
    switch (type) {
      case BlockType.enhancedPacket: {
        if (length < PACKET_MIN_BYTES) return false;
        const target = this.interfaces[view.getUint32(at + 8, true)];
        if (target === undefined || view.getUint32(at + 20, true) > length - PACKET_MIN_BYTES) return false;
        // a packet behind statistics: nothing of ours is like that, and the counts would be wrong
        if (this.#statisticsSeen) return false;
        target.add(view.getUint32(at + 12, true), view.getUint32(at + 16, true));
        return true;
      }
      case BlockType.interfaceDescription:
        if (length < INTERFACE_MIN_BYTES || this.interfaces.length === MAX_INTERFACES) return false;
        this.interfaces.push(WalkedInterface.read(view, at, at + length - TRAILER_BYTES));
        return true;
      case BlockType.interfaceStatistics: {
        if (length < STATISTICS_MIN_BYTES) return false;
        const target = this.interfaces[view.getUint32(at + 8, true)];
        if (target === undefined) return false;
        this.#statisticsSeen = true;
        target.readStatistics(view, at, at + length - TRAILER_BYTES);
        return true;
      }
      case BlockType.sectionHeader:
        return length >= SECTION_MIN_BYTES;
      default:
        return true;
    }
  }

  /** Length of the pcap record at `at`, or of the file header. */
  #record(view: DataView, at: number, end: number): number {
    if (this.wholeBytes === 0) {
      if (end - at < 4) return 0;
      if (view.getUint32(at, true) !== PCAP_MAGIC) return this.#stop();
      if (end - at < FILE_HEADER_BYTES) return 0;
      this.interfaces.push(new WalkedInterface('', view.getUint32(at + 20, true) & 0xffff));
      return FILE_HEADER_BYTES;
    }
    if (end - at < RECORD_HEADER_BYTES) return 0;
    const kept = view.getUint32(at + 8, true);
    if (kept > MAX_PACKET_BYTES) return this.#stop();
    if (RECORD_HEADER_BYTES + kept > end - at) return 0;
    this.interfaces[0]?.addAt(view.getUint32(at, true), view.getUint32(at + 4, true));
    return RECORD_HEADER_BYTES + kept;
  }

  #stop(): 0 {
    this.problem = this.wholeBytes === 0 ? 'foreign' : 'damaged';
    return 0;
  }
}
