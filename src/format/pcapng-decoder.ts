import type { PacketBatch } from '../packet/batch.ts';
import { type CaptureDecoder, type CaptureProblem, cutProblem } from './capture-decoder.ts';
import { MAX_INTERFACES, MAX_PACKET_BYTES, MAX_RECORD_BYTES } from './limits.ts';
import { InterfaceTable } from './pcapng-interfaces.ts';
import { putFineTime, putTime } from './pcapng-time.ts';

const SECTION_HEADER = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const BYTE_ORDER_MAGIC_SWAPPED = 0x4d3c_2b1a;
const VERSION_MAJOR = 1;

/** Type and length before the body, length after it. */
const MIN_BLOCK_BYTES = 12;
const TRAILER_BYTES = 4;
/** A section header up to and with its section length. */
const SECTION_FIXED_BYTES = 24;
const INTERFACE_MIN_BYTES = 20;
/** Where the data of a packet begins in its block. */
const PACKET_DATA = 28;
const PACKET_MIN_BYTES = PACKET_DATA + TRAILER_BYTES;
const SIMPLE_DATA = 12;

/**
 * Reads pcapng files: both byte orders, sections and interfaces as they come, enhanced, simple and obsolete packet
 * blocks. Other blocks are skipped as they stream by, whatever their size.
 *
 * Layout of blocks: see `pcapng-encoder.ts`. An obsolete packet block differs from an enhanced one only in bytes
 * 8-11: interface (8-9), drop count (10-11). A simple one has the packet's length (8-11) and its data, belongs to
 * interface 0, and has no time: it gets 0.
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

  /**
   * Reads enhanced packet blocks until something else comes: another block, the end of the window, or a block that
   * is not right. Says nothing of why it stopped: `#readBlock` looks again, and does.
   */
  #readPackets(batch: PacketBatch, at: number, end: number): number {
    const view = batch.view;
    const littleEndian = this.#littleEndian;
    const interfaces = this.#interfaces;
    const { linkType, units, offsetSeconds, count } = interfaces;
    const { capacity, at: starts, end: ends, wireLen: wireLens, linkType: linkTypes } = batch;
    let slot = batch.count;
    let next = at;
    while (slot < capacity && end - next >= PACKET_MIN_BYTES) {
      if (view.getUint32(next, littleEndian) !== ENHANCED_PACKET) break;
      const length = view.getUint32(next + 4, littleEndian);
      const id = view.getUint32(next + 8, littleEndian);
      const kept = view.getUint32(next + 20, littleEndian);
      if (length > end - next || (length & 3) !== 0 || kept > length - PACKET_MIN_BYTES) break;
      if (kept > MAX_PACKET_BYTES || id >= count) break;
      if (view.getUint32(next + length - TRAILER_BYTES, littleEndian) !== length) break;

      const high = view.getUint32(next + 12, littleEndian);
      const low = view.getUint32(next + 16, littleEndian);
      if (units[id] === 0) this.#putFineTime(batch, slot, id, high, low);
      else putTime(batch, slot, high, low, units[id]!, offsetSeconds[id]!);
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
    if (type === SECTION_HEADER) return this.#readSection(view, at, end, base);
    if (!this.#sectionSeen) {
      return this.#damaged(at, base, 'The capture does not begin with a section.', type, 'a section header');
    }
    const length = view.getUint32(at + 4, this.#littleEndian);
    if (length < MIN_BLOCK_BYTES || (length & 3) !== 0) return this.#badLength(at, base, length);
    if (!readsWhole(type)) return this.#beginSkip(at, base, MIN_BLOCK_BYTES - TRAILER_BYTES, length);

    if (length > MAX_RECORD_BYTES) {
      const expected = `at most ${MAX_RECORD_BYTES} bytes`;
      return this.#damaged(at, base, 'A block is longer than its kind can be.', length, expected);
    }
    this.neededBytes = length;
    if (end - at < length) return at;
    const trailer = view.getUint32(at + length - TRAILER_BYTES, this.#littleEndian);
    if (trailer !== length) return this.#badTrailer(at, base, trailer, length);
    if (type === INTERFACE_DESCRIPTION) return this.#readInterface(view, at, base, length);
    if (type === SIMPLE_PACKET) return this.#readSimplePacket(batch, at, base, length);
    return this.#readPacket(batch, at, base, length, type);
  }

  /** Reads a section header: byte-order magic (8-11), version (12-15), section length (16-23), which is ignored. */
  #readSection(view: DataView, at: number, end: number, base: number): number {
    const magic = view.getUint32(at + 8, true);
    if (magic !== BYTE_ORDER_MAGIC && magic !== BYTE_ORDER_MAGIC_SWAPPED) {
      return this.#damaged(at, base, 'A section header has no byte-order magic.', magic, '0x1a2b3c4d');
    }
    const littleEndian = magic === BYTE_ORDER_MAGIC;
    const length = view.getUint32(at + 4, littleEndian);
    if (length < SECTION_FIXED_BYTES + TRAILER_BYTES || (length & 3) !== 0) {
      return this.#badLength(at, base, length);
    }
    this.neededBytes = SECTION_FIXED_BYTES;
    if (end - at < SECTION_FIXED_BYTES) return at;
    const major = view.getUint16(at + 12, littleEndian);
    if (major !== VERSION_MAJOR) {
      const message = `This is pcapng version ${major}, which is not read.`;
      this.problem = { kind: 'unsupported', offset: base + at, message, found: major, expected: 'version 1' };
      return at;
    }
    this.#littleEndian = littleEndian;
    this.#sectionSeen = true;
    this.#interfaces.clear();
    return this.#beginSkip(at, base, SECTION_FIXED_BYTES, length);
  }

  #readInterface(view: DataView, at: number, base: number, length: number): number {
    if (length < INTERFACE_MIN_BYTES) return this.#badLength(at, base, length);
    if (this.#interfaces.full) {
      const message = `A section has more than ${MAX_INTERFACES} interfaces, which is not read.`;
      const expected = `at most ${MAX_INTERFACES} interfaces`;
      this.problem = { kind: 'unsupported', offset: base + at, message, found: MAX_INTERFACES + 1, expected };
      return at;
    }
    if (!this.#interfaces.add(view, at, at + length - TRAILER_BYTES, this.#littleEndian)) {
      return this.#damaged(
        at,
        base,
        'An option runs past its block.',
        length,
        'options that fit in the block',
      );
    }
    return at + length;
  }

  /** Reads an obsolete packet block, or says what is wrong with an enhanced one that `#readPackets` refused. */
  #readPacket(batch: PacketBatch, at: number, base: number, length: number, type: number): number {
    if (length < PACKET_MIN_BYTES) return this.#badLength(at, base, length);
    const view = batch.view;
    const obsolete = type === OBSOLETE_PACKET;
    const id = obsolete
      ? view.getUint16(at + 8, this.#littleEndian)
      : view.getUint32(at + 8, this.#littleEndian);
    if (id >= this.#interfaces.count) return this.#noInterface(at, base, id);
    const kept = view.getUint32(at + 20, this.#littleEndian);
    const room = Math.min(length - PACKET_MIN_BYTES, MAX_PACKET_BYTES);
    if (kept > room) return this.#tooLong(at, base, kept, room);

    const slot = batch.count;
    const high = view.getUint32(at + 12, this.#littleEndian);
    const low = view.getUint32(at + 16, this.#littleEndian);
    const units = this.#interfaces.units[id]!;
    if (units === 0) this.#putFineTime(batch, slot, id, high, low);
    else putTime(batch, slot, high, low, units, this.#interfaces.offsetSeconds[id]!);
    this.#addSlot(batch, at + PACKET_DATA, kept, view.getUint32(at + 24, this.#littleEndian), id);
    return at + length;
  }

  /** Reads a simple packet block: what was kept is the packet, or the snap length of interface 0 where that is less. */
  #readSimplePacket(batch: PacketBatch, at: number, base: number, length: number): number {
    if (length < SIMPLE_DATA + TRAILER_BYTES) return this.#badLength(at, base, length);
    if (this.#interfaces.count === 0) return this.#noInterface(at, base, 0);
    const wireLen = batch.view.getUint32(at + 8, this.#littleEndian);
    const snapLength = this.#interfaces.snapLength[0]!;
    const kept = snapLength === 0 ? wireLen : Math.min(wireLen, snapLength);
    const room = Math.min(length - SIMPLE_DATA - TRAILER_BYTES, MAX_PACKET_BYTES);
    if (kept > room) return this.#tooLong(at, base, kept, room);

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

  #putFineTime(batch: PacketBatch, slot: number, id: number, high: number, low: number): void {
    putFineTime(
      batch,
      slot,
      high,
      low,
      this.#interfaces.resolution[id]!,
      this.#interfaces.offsetSeconds[id]!,
    );
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
    if (trailer !== this.#skippedLength)
      return this.#badTrailer(next, this.#skippedOffset - next, trailer, this.#skippedLength);
    this.#skippedLength = 0;
    return next + TRAILER_BYTES;
  }

  #badLength(at: number, base: number, length: number): number {
    return this.#damaged(
      at,
      base,
      `A block says that it has ${length} bytes.`,
      length,
      'a multiple of 4 that holds its kind',
    );
  }

  #badTrailer(at: number, base: number, trailer: number, length: number): number {
    return this.#damaged(
      at,
      base,
      'A block ends in another length than it begins with.',
      trailer,
      `${length}`,
    );
  }

  #noInterface(at: number, base: number, id: number): number {
    const message = `A packet belongs to interface ${id}, which no block describes.`;
    return this.#damaged(at, base, message, id, `less than ${this.#interfaces.count}`);
  }

  #tooLong(at: number, base: number, kept: number, room: number): number {
    return this.#damaged(
      at,
      base,
      `A packet block promises ${kept} bytes of data.`,
      kept,
      `at most ${room} bytes`,
    );
  }

  #damaged(at: number, base: number, message: string, found: number, expected: string): number {
    this.problem = { kind: 'damaged', offset: base + at, message, found, expected };
    return at;
  }
}

/** Says whether a block of this type must be in the window as a whole. */
function readsWhole(type: number): boolean {
  return (
    type === ENHANCED_PACKET ||
    type === INTERFACE_DESCRIPTION ||
    type === SIMPLE_PACKET ||
    type === OBSOLETE_PACKET
  );
}
