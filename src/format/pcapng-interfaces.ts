import type { PacketBatch } from '../packet/batch.ts';
import { INTERFACE_STATE_LENGTH } from './capture-decoder.ts';
import { MAX_INTERFACES } from './limits.ts';
import { END_OF_OPTIONS, IF_TSRESOL, OPTION_HEADER_BYTES, padded } from './pcapng-block.ts';
import { DEFAULT_RESOLUTION, putFineTime, putTime, unitsPerSecond } from './pcapng-time.ts';

const INITIAL_CAPACITY = 16;

const LINK_TYPE = 8;
const SNAP_LENGTH = 12;
const OPTIONS = 16;
const IF_TSOFFSET = 14;

/**
 * What a pcapng section has said of its interfaces, in columns; the index is the interface's number.
 *
 * Body of an interface block: link type (8-9), reserved (10-11), snap length (12-15, 0 for no limit), options.
 *
 * Source: draft-ietf-opsawg-pcapng, section 4.2.
 */
export class InterfaceTable {
  /** Interfaces of the current section. */
  count = 0;
  linkType = new Uint16Array(INITIAL_CAPACITY);
  snapLength = new Uint32Array(INITIAL_CAPACITY);
  /** `if_tsresol` as it stands in the file. */
  resolution = new Uint8Array(INITIAL_CAPACITY);
  /** Units of time a second; 0 where `putFineTime` must be used. */
  units = new Float64Array(INITIAL_CAPACITY);
  /** Lower 32 bits of `if_tsoffset`, in seconds: all that matters for seconds of 32 bits. */
  offsetSeconds = new Int32Array(INITIAL_CAPACITY);

  /** Forgets all interfaces: a new section begins. */
  clear(): void {
    this.count = 0;
  }

  get full(): boolean {
    return this.count === MAX_INTERFACES;
  }

  /**
   * Adds the interface of the block at `at`, whose body ends at `bodyEnd`. The caller has checked that the body has
   * at least its 8 fixed bytes and that the table is not full.
   *
   * @returns false where an option runs past the block; the interface is not added then
   */
  add(view: DataView, at: number, bodyEnd: number, littleEndian: boolean): boolean {
    if (this.count === this.linkType.length) this.#grow();
    const id = this.count;
    this.linkType[id] = view.getUint16(at + LINK_TYPE, littleEndian);
    this.snapLength[id] = view.getUint32(at + SNAP_LENGTH, littleEndian);
    let resolution = DEFAULT_RESOLUTION;
    let offsetSeconds = 0;

    let next = at + OPTIONS;
    while (bodyEnd - next >= OPTION_HEADER_BYTES) {
      const code = view.getUint16(next, littleEndian);
      const length = view.getUint16(next + 2, littleEndian);
      if (code === END_OF_OPTIONS) break;
      const value = next + OPTION_HEADER_BYTES;
      if (bodyEnd - value < length) return false;
      if (code === IF_TSRESOL && length >= 1) resolution = view.getUint8(value);
      if (code === IF_TSOFFSET && length >= 8) {
        offsetSeconds = view.getUint32(littleEndian ? value : value + 4, littleEndian);
      }
      next = value + padded(length);
    }
    this.resolution[id] = resolution;
    this.units[id] = unitsPerSecond(resolution);
    this.offsetSeconds[id] = offsetSeconds;
    this.count++;
    return true;
  }

  /** Writes the time of a packet of interface `id`; `high` and `low` are the halves of its time stamp. */
  putTime(batch: PacketBatch, slot: number, id: number, high: number, low: number): void {
    const units = this.units[id]!;
    if (units !== 0) putTime(batch, slot, high, low, units, this.offsetSeconds[id]!);
    else putFineTime(batch, slot, high, low, this.resolution[id]!, this.offsetSeconds[id]!);
  }

  /** Writes all interfaces to `state` from index `at` on, `INTERFACE_STATE_LENGTH` numbers each. */
  save(state: Float64Array, at: number): void {
    let next = at;
    for (let id = 0; id < this.count; id++) {
      state[next] = this.linkType[id]!;
      state[next + 1] = this.snapLength[id]!;
      state[next + 2] = this.resolution[id]!;
      state[next + 3] = this.offsetSeconds[id]!;
      next += INTERFACE_STATE_LENGTH;
    }
  }

  /** Takes over `count` interfaces that another table wrote. */
  restore(state: Float64Array, at: number, count: number): void {
    while (this.linkType.length < count) this.#grow();
    let next = at;
    for (let id = 0; id < count; id++) {
      this.linkType[id] = state[next]!;
      this.snapLength[id] = state[next + 1]!;
      this.resolution[id] = state[next + 2]!;
      this.units[id] = unitsPerSecond(state[next + 2]!);
      this.offsetSeconds[id] = state[next + 3]!;
      next += INTERFACE_STATE_LENGTH;
    }
    this.count = count;
  }

  #grow(): void {
    const capacity = 2 * this.linkType.length;
    this.linkType = grown(this.linkType, new Uint16Array(capacity));
    this.snapLength = grown(this.snapLength, new Uint32Array(capacity));
    this.resolution = grown(this.resolution, new Uint8Array(capacity));
    this.units = grown(this.units, new Float64Array(capacity));
    this.offsetSeconds = grown(this.offsetSeconds, new Int32Array(capacity));
  }
}

function grown<Column extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  from: Column,
  to: Column,
): Column {
  to.set(from);
  return to;
}
