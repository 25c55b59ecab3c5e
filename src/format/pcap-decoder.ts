import type { PacketBatch } from '../packet/batch.ts';
import { type CaptureDecoder, type CaptureProblem, cutProblem } from './capture-decoder.ts';
import { MAX_PACKET_BYTES } from './limits.ts';
import { FILE_HEADER_BYTES, RECORD_HEADER_BYTES } from './pcap-encoder.ts';

/** First four bytes of a pcap file, read as a big-endian number. */
export const PcapMagic = {
  microsecondsBig: 0xa1b2_c3d4,
  microsecondsLittle: 0xd4c3_b2a1,
  nanosecondsBig: 0xa1b2_3c4d,
  nanosecondsLittle: 0x4d3c_b2a1,
} as const;

const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
/** The upper half of the link type field says whether frames end in a check sequence, and how long it is. */
const LINK_TYPE_MASK = 0xffff;
const NANOSECONDS_PER_SECOND = 1_000_000_000;

/** Indices of what `save` writes. */
const State = { offset: 0, headerRead: 1, littleEndian: 2, nanosecondsPerUnit: 3, linkType: 4 } as const;

/**
 * Reads pcap files: microseconds and nanoseconds, both byte orders, version 2.4.
 *
 * The file header is described at `fileHeader`, the record at `packetRecord`. A fraction of a whole second or more
 * is carried into the seconds. A record that says it had fewer bytes than were kept had as many as were kept.
 *
 * Source: draft-ietf-opsawg-pcap, sections 4 and 5.
 */
export class PcapDecoder implements CaptureDecoder {
  readonly format = 'pcap';
  problem: CaptureProblem | undefined = undefined;
  offset = 0;
  neededBytes: number = FILE_HEADER_BYTES;

  #headerRead = false;
  #littleEndian = true;
  #nanosecondsPerUnit = 1;
  #linkType = 0;

  decode(batch: PacketBatch, at: number, end: number): number {
    if (this.problem !== undefined) return at;
    let next = at;
    if (!this.#headerRead) {
      if (end - at < FILE_HEADER_BYTES) return at;
      this.#readHeader(batch.view, at);
      if (this.problem !== undefined) return at;
      next += FILE_HEADER_BYTES;
    }
    next = this.#readPackets(batch, next, end, this.offset - at);
    this.offset += next - at;
    return next;
  }

  finish(leftoverBytes: number): void {
    if (this.problem !== undefined || leftoverBytes === 0) return;
    const what = this.#headerRead ? 'a packet record' : 'the file header';
    this.problem = cutProblem(this.offset, what, leftoverBytes, this.neededBytes);
  }

  save(state: Float64Array): void {
    state[State.offset] = this.offset;
    state[State.headerRead] = this.#headerRead ? 1 : 0;
    state[State.littleEndian] = this.#littleEndian ? 1 : 0;
    state[State.nanosecondsPerUnit] = this.#nanosecondsPerUnit;
    state[State.linkType] = this.#linkType;
  }

  restore(state: Float64Array): void {
    this.offset = state[State.offset]!;
    this.#headerRead = state[State.headerRead] === 1;
    this.#littleEndian = state[State.littleEndian] === 1;
    this.#nanosecondsPerUnit = state[State.nanosecondsPerUnit]!;
    this.#linkType = state[State.linkType]!;
  }

  #readHeader(view: DataView, at: number): void {
    const magic = view.getUint32(at);
    this.#littleEndian = magic === PcapMagic.microsecondsLittle || magic === PcapMagic.nanosecondsLittle;
    const nanoseconds = magic === PcapMagic.nanosecondsBig || magic === PcapMagic.nanosecondsLittle;
    this.#nanosecondsPerUnit = nanoseconds ? 1 : 1000;
    const major = view.getUint16(at + 4, this.#littleEndian);
    const minor = view.getUint16(at + 6, this.#littleEndian);
    if (major !== VERSION_MAJOR || minor !== VERSION_MINOR) {
      const message = `This is pcap version ${major}.${minor}, which is not read.`;
      this.problem = { kind: 'unsupported', offset: 0, message, found: major, expected: 'version 2.4' };
      return;
    }
    this.#linkType = view.getUint32(at + 20, this.#littleEndian) & LINK_TYPE_MASK;
    this.#headerRead = true;
  }

  /** @param base what to add to an offset in the block for the offset in the stream */
  #readPackets(batch: PacketBatch, at: number, end: number, base: number): number {
    const view = batch.view;
    const littleEndian = this.#littleEndian;
    const nanosecondsPerUnit = this.#nanosecondsPerUnit;
    const capacity = batch.capacity;
    let slot = batch.count;
    let next = at;
    this.neededBytes = RECORD_HEADER_BYTES;
    while (slot < capacity && end - next >= RECORD_HEADER_BYTES) {
      const kept = view.getUint32(next + 8, littleEndian);
      if (kept > MAX_PACKET_BYTES) {
        this.#damaged(base + next, kept);
        break;
      }
      const packetAt = next + RECORD_HEADER_BYTES;
      if (end - packetAt < kept) {
        this.neededBytes = RECORD_HEADER_BYTES + kept;
        break;
      }
      const wireLen = view.getUint32(next + 12, littleEndian);
      const nanoseconds = view.getUint32(next + 4, littleEndian) * nanosecondsPerUnit;
      const carried =
        nanoseconds < NANOSECONDS_PER_SECOND ? 0 : Math.floor(nanoseconds / NANOSECONDS_PER_SECOND);
      batch.seconds[slot] = view.getUint32(next, littleEndian) + carried;
      batch.nanoseconds[slot] = nanoseconds - carried * NANOSECONDS_PER_SECOND;
      batch.at[slot] = packetAt;
      batch.end[slot] = packetAt + kept;
      batch.wireLen[slot] = wireLen < kept ? kept : wireLen;
      batch.linkType[slot] = this.#linkType;
      slot++;
      next = packetAt + kept;
    }
    batch.count = slot;
    return next;
  }

  #damaged(offset: number, kept: number): void {
    const message = `A packet record promises ${kept} bytes, more than a packet can have.`;
    const expected = `at most ${MAX_PACKET_BYTES} bytes`;
    this.problem = { kind: 'damaged', offset, message, found: kept, expected };
  }
}
