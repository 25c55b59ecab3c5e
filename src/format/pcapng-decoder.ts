import type { PacketBatch } from '../packet/batch.ts';
import {
  type CaptureDecoder,
  type CaptureProblem,
  cutProblem,
  DECODER_HEAD_LENGTH,
} from './capture-decoder.ts';
import { MAX_PACKET_BYTES, MAX_RECORD_BYTES } from './limits.ts';
import {
  BlockType,
  BYTE_ORDER_MAGIC,
  MIN_BLOCK_BYTES,
  PACKET_DATA,
  SIMPLE_DATA,
  TRAILER_BYTES,
  VERSION_MAJOR,
} from './pcapng-block.ts';
import { InterfaceTable } from './pcapng-interfaces.ts';
import * as problems from './pcapng-problem.ts';

const BYTE_ORDER_MAGIC_SWAPPED = 0x4d3c_2b1a;
/** A section header up to and with its section length. */
const SECTION_FIXED_BYTES = 24;
const INTERFACE_MIN_BYTES = 20;
const PACKET_MIN_BYTES = PACKET_DATA + TRAILER_BYTES;

/** Indices of what `save` writes; the interfaces stand behind. */
const State = {
  offset: 0,
  sectionSeen: 1,
  littleEndian: 2,
  skipBytes: 3,
  skippedLength: 4,
  skippedOffset: 5,
  interfaces: 6,
} as const;

/**
 * Reads pcapng files: both byte orders, sections and interfaces as they come, enhanced, simple and obsolete packet
 * blocks. Other blocks are skipped as they stream by, whatever their size.
 *
 * An enhanced packet block is described at `packetBlock` of the encoder. An obsolete one differs from it only in
 * bytes 8-11: interface (8-9), drop count (10-11). A simple one has the packet's length (8-11) and its data, belongs
 * to interface 0, and has no time: it gets 0.
 *
 * Source: draft-ietf-opsawg-pcapng, sections 3.1, 4.1 to 4.4 and appendix A (obsolete packet block).
 */
export class PcapngDecoder implements CaptureDecoder {
  readonly format = 'pcapng';
  problem: CaptureProblem | undefined = undefined;
  offset = 0;
  neededBytes = MIN_BLOCK_BYTES;

  readonly #interfaces = new InterfaceTable();
  #littleEndian = true;
  #sectionSeen = false;
  /** Bytes of a block that are still to be passed over, its trailer left out. */
  #skipBytes = 0;
  /** Length of the block that is being passed over, which its trailer must repeat; 0 where there is none. */
  #skippedLength = 0;
  /** Stream offset of that block. */
  #skippedOffset = 0;

  decode(batch: PacketBatch, at: number, end: number): number {
    const base = this.offset - at;
    let next = at;
    for (let before = -1; next !== before && this.problem === undefined; ) {
      before = next;
      if (this.#skippedLength !== 0) next = this.#skip(batch.view, next, end);
      if (this.#skippedLength !== 0 || this.problem !== undefined) continue;
      next = this.#readPackets(batch, next, end);
      if (batch.count < batch.capacity) next = this.#readBlock(batch, next, end, base);
    }
    this.offset = base + next;
    return next;
  }

  finish(leftoverBytes: number): void {
    if (this.problem !== undefined) return;
    if (this.#skippedLength !== 0) {
      const found = this.offset + leftoverBytes - this.#skippedOffset;
      this.problem = cutProblem(this.#skippedOffset, 'a block', found, this.#skippedLength);
    } else if (leftoverBytes > 0) {
      this.problem = cutProblem(this.offset, 'a block', leftoverBytes, this.neededBytes);
    }
  }

  save(state: Float64Array): void {
    state[State.offset] = this.offset;
    state[State.sectionSeen] = this.#sectionSeen ? 1 : 0;
    state[State.littleEndian] = this.#littleEndian ? 1 : 0;
    state[State.skipBytes] = this.#skipBytes;
    state[State.skippedLength] = this.#skippedLength;
    state[State.skippedOffset] = this.#skippedOffset;
    state[State.interfaces] = this.#interfaces.count;
    this.#interfaces.save(state, DECODER_HEAD_LENGTH);
  }

  restore(state: Float64Array): void {
    this.offset = state[State.offset]!;
    this.#sectionSeen = state[State.sectionSeen] === 1;
    this.#littleEndian = state[State.littleEndian] === 1;
    this.#skipBytes = state[State.skipBytes]!;
    this.#skippedLength = state[State.skippedLength]!;
    this.#skippedOffset = state[State.skippedOffset]!;
    this.#interfaces.restore(state, DECODER_HEAD_LENGTH, state[State.interfaces]!);
  }

  /**
   * Reads enhanced packet blocks until something else comes: another block, the end of the window, or a block that
   * is not right. Says nothing of why it stopped: `#readBlock` looks again, and does.
   */
  #readPackets(batch: PacketBatch, at: number, end: number): number {
    const view = batch.view;
    const littleEndian = this.#littleEndian;
    const interfaces = this.#interfaces;
    const { linkType, count } = interfaces;
    const { capacity, at: starts, end: ends, wireLen: wireLens, linkType: linkTypes } = batch;
    let slot = batch.count;
    let next = at;
    while (slot < capacity && end - next >= PACKET_MIN_BYTES) {
      if (view.getUint32(next, littleEndian) !== BlockType.enhancedPacket) break;
      const length = view.getUint32(next + 4, littleEndian);
      const id = view.getUint32(next + 8, littleEndian);
      const kept = view.getUint32(next + 20, littleEndian);
      if (length > end - next || (length & 3) !== 0 || kept > length - PACKET_MIN_BYTES) break;
      if (kept > MAX_PACKET_BYTES || id >= count) break;
      if (view.getUint32(next + length - TRAILER_BYTES, littleEndian) !== length) break;

      const high = view.getUint32(next + 12, littleEndian);
      const low = view.getUint32(next + 16, littleEndian);
      interfaces.putTime(batch, slot, id, high, low);
      const wireLen = view.getUint32(next + 24, littleEndian);
      starts[slot] = next + PACKET_DATA;
      ends[slot] = next + PACKET_DATA + kept;
      wireLens[slot] = wireLen < kept ? kept : wireLen;
      linkTypes[slot] = linkType[id]!;
      slot++;
      next += length;
    }
    batch.count = slot;
    return next;
  }

  /**
   * Reads one block of any kind, or begins to skip it. Returns `at` where the window does not hold enough of it,
   * with `neededBytes` set, and where there is a problem.
   *
   * @param base what to add to an offset in the block of bytes for the offset in the stream
   */
  #readBlock(batch: PacketBatch, at: number, end: number, base: number): number {
    const view = batch.view;
    this.neededBytes = MIN_BLOCK_BYTES;
    if (end - at < MIN_BLOCK_BYTES) return at;
    const type = view.getUint32(at, this.#littleEndian);
    if (type === BlockType.sectionHeader) return this.#readSection(view, at, end, base);
    if (!this.#sectionSeen) return this.#stop(at, problems.noSection(base + at, type));
    const length = view.getUint32(at + 4, this.#littleEndian);
    if (length < MIN_BLOCK_BYTES || (length & 3) !== 0) {
      return this.#stop(at, problems.badLength(base + at, length));
    }
    if (!readsWhole(type)) return this.#beginSkip(at, base, MIN_BLOCK_BYTES - TRAILER_BYTES, length);

    if (length > MAX_RECORD_BYTES) return this.#stop(at, problems.tooLong(base + at, length));
    this.neededBytes = length;
    if (end - at < length) return at;
    const trailer = view.getUint32(at + length - TRAILER_BYTES, this.#littleEndian);
    if (trailer !== length) return this.#stop(at, problems.badTrailer(base + at, trailer, length));
    if (type === BlockType.interfaceDescription) return this.#readInterface(view, at, base, length);
    if (type === BlockType.simplePacket) return this.#readSimplePacket(batch, at, base, length);
    return this.#readPacket(batch, at, base, length, type);
  }

  /** Reads a section header: byte-order magic (8-11), version (12-15), section length (16-23), which is ignored. */
  #readSection(view: DataView, at: number, end: number, base: number): number {
    const magic = view.getUint32(at + 8, true);
    if (magic !== BYTE_ORDER_MAGIC && magic !== BYTE_ORDER_MAGIC_SWAPPED) {
      return this.#stop(at, problems.badMagic(base + at, magic));
    }
    const littleEndian = magic === BYTE_ORDER_MAGIC;
    const length = view.getUint32(at + 4, littleEndian);
    if (length < SECTION_FIXED_BYTES + TRAILER_BYTES || (length & 3) !== 0) {
      return this.#stop(at, problems.badLength(base + at, length));
    }
    this.neededBytes = SECTION_FIXED_BYTES;
    if (end - at < SECTION_FIXED_BYTES) return at;
    const major = view.getUint16(at + 12, littleEndian);
    if (major !== VERSION_MAJOR) return this.#stop(at, problems.badVersion(base + at, major));
    this.#littleEndian = littleEndian;
    this.#sectionSeen = true;
    this.#interfaces.clear();
    return this.#beginSkip(at, base, SECTION_FIXED_BYTES, length);
  }

  #readInterface(view: DataView, at: number, base: number, length: number): number {
    if (length < INTERFACE_MIN_BYTES) return this.#stop(at, problems.badLength(base + at, length));
    if (this.#interfaces.full) return this.#stop(at, problems.tooManyInterfaces(base + at));
    if (!this.#interfaces.add(view, at, at + length - TRAILER_BYTES, this.#littleEndian)) {
      return this.#stop(at, problems.badOption(base + at, length));
    }
    return at + length;
  }

  /** Reads an obsolete packet block, or says what is wrong with an enhanced one that `#readPackets` refused. */
  #readPacket(batch: PacketBatch, at: number, base: number, length: number, type: number): number {
    if (length < PACKET_MIN_BYTES) return this.#stop(at, problems.badLength(base + at, length));
    const view = batch.view;
    const count = this.#interfaces.count;
    const shortId = type === BlockType.obsoletePacket;
    const id = shortId
      ? view.getUint16(at + 8, this.#littleEndian)
      : view.getUint32(at + 8, this.#littleEndian);
    if (id >= count) return this.#stop(at, problems.noInterface(base + at, id, count));
    const kept = view.getUint32(at + 20, this.#littleEndian);
    const room = Math.min(length - PACKET_MIN_BYTES, MAX_PACKET_BYTES);
    if (kept > room) return this.#stop(at, problems.tooMuchData(base + at, kept, room));

    const high = view.getUint32(at + 12, this.#littleEndian);
    const low = view.getUint32(at + 16, this.#littleEndian);
    this.#interfaces.putTime(batch, batch.count, id, high, low);
    this.#addSlot(batch, at + PACKET_DATA, kept, view.getUint32(at + 24, this.#littleEndian), id);
    return at + length;
  }

  /** Reads a simple packet block: what was kept is the packet, or the snap length of interface 0 where that is less. */
  #readSimplePacket(batch: PacketBatch, at: number, base: number, length: number): number {
    if (length < SIMPLE_DATA + TRAILER_BYTES) return this.#stop(at, problems.badLength(base + at, length));
    if (this.#interfaces.count === 0) return this.#stop(at, problems.noInterface(base + at, 0, 0));
    const wireLen = batch.view.getUint32(at + 8, this.#littleEndian);
    const snapLength = this.#interfaces.snapLength[0]!;
    const kept = snapLength === 0 ? wireLen : Math.min(wireLen, snapLength);
    const room = Math.min(length - SIMPLE_DATA - TRAILER_BYTES, MAX_PACKET_BYTES);
    if (kept > room) return this.#stop(at, problems.tooMuchData(base + at, kept, room));

    batch.seconds[batch.count] = 0;
    batch.nanoseconds[batch.count] = 0;
    this.#addSlot(batch, at + SIMPLE_DATA, kept, wireLen, 0);
    return at + length;
  }

  #addSlot(batch: PacketBatch, packetAt: number, kept: number, wireLen: number, id: number): void {
    const slot = batch.count++;
    batch.at[slot] = packetAt;
    batch.end[slot] = packetAt + kept;
    batch.wireLen[slot] = Math.max(wireLen, kept);
    batch.linkType[slot] = this.#interfaces.linkType[id]!;
  }

  /** Passes over the rest of a block, of which `done` bytes have been read, as it streams by. */
  #beginSkip(at: number, base: number, done: number, length: number): number {
    this.#skippedOffset = base + at;
    this.#skippedLength = length;
    this.#skipBytes = length - TRAILER_BYTES - done;
    return at + done;
  }

  #skip(view: DataView, at: number, end: number): number {
    const step = Math.min(this.#skipBytes, end - at);
    const next = at + step;
    this.#skipBytes -= step;
    this.neededBytes = TRAILER_BYTES;
    if (this.#skipBytes > 0 || end - next < TRAILER_BYTES) return next;
    const trailer = view.getUint32(next, this.#littleEndian);
    if (trailer !== this.#skippedLength) {
      return this.#stop(next, problems.badTrailer(this.#skippedOffset, trailer, this.#skippedLength));
    }
    this.#skippedLength = 0;
    return next + TRAILER_BYTES;
  }

  #stop(at: number, problem: CaptureProblem): number {
    this.problem = problem;
    return at;
  }
}

/** Says whether a block of this type must be in the window as a whole. */
function readsWhole(type: number): boolean {
  return (
    type === BlockType.enhancedPacket ||
    type === BlockType.interfaceDescription ||
    type === BlockType.simplePacket ||
    type === BlockType.obsoletePacket
  );
}
