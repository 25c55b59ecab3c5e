import type { PacketBatch } from '../../packet/batch.ts';
import type { Lane } from '../../packet/lane.ts';
import type { Block } from '../../wire/block.ts';
import type { Encoding } from './encoding.ts';
import type { PieceFacts, SharedFileTable } from './shared-file-table.ts';
import type { SharedFiles } from './shared-files.ts';

/** What a portion has of one lane, before it is encoded. */
export interface LaneShare {
  /** Directory slot. */
  readonly slot: number;
  readonly lane: Lane;
  readonly packets: number;
  /** Of the frames. */
  readonly bytes: number;
}

/** What is added to one file: bytes `at .. used - 1` of the block. */
class Region {
  readonly file: number;
  readonly ticket: number;
  readonly lane: Lane;
  readonly isNewFile: boolean;
  readonly pieces: Piece[] = [];
  /** Most bytes it can come to. */
  room = 0;
  at = 0;
  used = 0;

  constructor(file: number, ticket: number, lane: Lane, isNewFile: boolean) {
    this.file = file;
    this.ticket = ticket;
    this.lane = lane;
    this.isNewFile = isNewFile;
  }
}

/** One lane's part of a region. */
class Piece implements PieceFacts {
  readonly slot: number;
  readonly region: Region;
  readonly lane: Lane;
  readonly interfaceId: number;
  /** What says which lane this is has still to be written. */
  unbegun: boolean;
  packets = 0;
  startSeconds = 0;
  startNanoseconds = 0;
  endSeconds = 0;
  endNanoseconds = 0;

  constructor(slot: number, region: Region, lane: Lane, interfaceId: number, unbegun: boolean) {
    this.slot = slot;
    this.region = region;
    this.lane = lane;
    this.interfaceId = interfaceId;
    this.unbegun = unbegun;
  }
}

/**
 * Encodes a portion of packets in memory and appends it to files that other threads write as well.
 *
 * In this order: `plan` with the turn to hand out tickets, then `encode` and `write` at any time.
 */
export class PortionEncoder {
  readonly #files: SharedFiles;
  readonly #table: SharedFileTable;
  readonly #encoding: Encoding;
  #block: Block = { bytes: Buffer.alloc(0), view: new DataView(new ArrayBuffer(0)) };
  readonly #regions = new Map<number, Region>();
  readonly #pieces = new Map<number, Piece>();
  /** By the number that a packet has in the `lane` column. */
  #pieceOf: (Piece | undefined)[] = [];

  constructor(files: SharedFiles, encoding: Encoding) {
    this.#files = files;
    this.#table = files.table;
    this.#encoding = encoding;
  }

  /**
   * Gives every lane of the portion its place; makes the files of new lanes.
   *
   * @param shares by the number that a packet has in the `lane` column, in order of first appearance; several may
   *   share a slot
   * @throws MirrorError `OUTPUT_EXISTS`, `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  plan(shares: readonly LaneShare[]): void {
    this.#files.beginTurn();
    this.#pieces.clear();
    this.#regions.clear();
    this.#pieceOf = shares.map((share) => {
      const piece = this.#piece(share);
      piece.region.room += share.bytes + share.packets * this.#encoding.packetOverheadBytes;
      return piece;
    });
  }

  /** Encodes the packets of `batches[0 .. count - 1]`. */
  encode(batches: readonly PacketBatch[], count: number): void {
    this.#makeRoom();
    for (let index = 0; index < count; index++) {
      const batch = batches[index];
      if (batch !== undefined) this.#encodeBatch(batch);
    }
  }

  /**
   * Appends what was encoded, each file when it is its turn.
   *
   * @param wait called while nothing can be written: waits a little, or throws
   * @returns packets written
   * @throws MirrorError `DISK_FULL`, `CAPTURE_WRITE_FAILED`
   */
  write(wait: (file: number, ticket: number) => void): number {
    let packets = 0;
    let waiting = [...this.#regions.values()];
    while (waiting.length > 0) {
      const later: Region[] = [];
      for (const region of waiting) {
        if (this.#table.isDue(region.file, region.ticket)) packets += this.#append(region);
        else later.push(region);
      }
      waiting = later;
      const first = later[0];
      if (first !== undefined) wait(first.file, first.ticket);
    }
    return packets;
  }

  #piece({ slot, lane }: LaneShare): Piece {
    const known = this.#pieces.get(slot);
    if (known !== undefined) return known;
    const files = this.#files;
    const file = files.file(slot);
    const isNewFile = this.#table.tickets(file) === 0;
    const id = this.#table.interfaceOf(slot);
    const interfaceId = id ?? files.begin(slot, lane);
    let region = this.#regions.get(file);
    if (region === undefined) {
      region = new Region(file, this.#table.takeTicket(file), lane, isNewFile);
      this.#regions.set(file, region);
    }
    const piece = new Piece(slot, region, lane, interfaceId, id === undefined);
    if (piece.unbegun) region.room += this.#encoding.headerBytes(lane.name);
    region.pieces.push(piece);
    this.#pieces.set(slot, piece);
    return piece;
  }

  #makeRoom(): void {
    let total = 0;
    for (const region of this.#regions.values()) {
      region.at = total;
      region.used = total;
      total += region.room;
    }
    if (total <= this.#block.bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(total + (total >>> 3));
    this.#block = { bytes, view: new DataView(bytes.buffer) };
  }

  #encodeBatch(batch: PacketBatch): void {
    const { delivered, deliveredCount, lane, seconds, nanoseconds } = batch;
    const block = this.#block;
    const encoding = this.#encoding;
    const pieceOf = this.#pieceOf;
    for (let i = 0; i < deliveredCount; i++) {
      const slot = delivered[i] ?? 0;
      const piece = pieceOf[lane[slot] ?? 0];
      if (piece === undefined) continue;
      const second = seconds[slot] ?? 0;
      const nanosecond = nanoseconds[slot] ?? 0;
      if (piece.packets === 0) this.#begin(piece, second, nanosecond);
      piece.packets++;
      piece.endSeconds = second;
      piece.endNanoseconds = nanosecond;
      const { region } = piece;
      region.used = encoding.packet(block, region.used, piece.interfaceId, batch, slot);
    }
  }

  #begin(piece: Piece, seconds: number, nanoseconds: number): void {
    piece.startSeconds = seconds;
    piece.startNanoseconds = nanoseconds;
    if (!piece.unbegun) return;
    const { region, lane } = piece;
    const { bytes } = this.#block;
    if (region.isNewFile && region.used === region.at) {
      region.used = this.#encoding.begin(bytes, region.used, lane.linkType);
    }
    region.used = this.#encoding.beginInterface(bytes, region.used, lane.linkType, lane.name);
  }

  #append(region: Region): number {
    this.#files.append(region.file, this.#block.bytes, region.at, region.used, region.lane);
    let packets = 0;
    for (const piece of region.pieces) {
      this.#table.count(piece);
      packets += piece.packets;
    }
    this.#table.served(region.file);
    return packets;
  }
}
