import { MAX_INTERFACES } from '../../format/limits.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { Lane, LaneReader } from '../../packet/lane.ts';
import type { Chunk } from '../files/chunk-pool.ts';
import type { Encoding } from '../files/encoding.ts';

/** What is known of a directory slot in the section that is being written. */
interface Interface {
  readonly lane: Lane;
  readonly id: number;
  /** The batch that it was last looked up for. */
  round: number;
}

/** Puts packets of all lanes into chunks, which are one pcapng section after the other. Does no I/O. */
export class SectionWriter {
  readonly #lanes: LaneReader;
  readonly #encoding: Encoding;
  /** By directory slot. */
  readonly #interfaces: (Interface | undefined)[] = [];
  #count = 0;
  #round = 0;

  constructor(lanes: LaneReader, encoding: Encoding) {
    this.#lanes = lanes;
    this.#encoding = encoding;
  }

  /** Most bytes that `begin` writes. */
  get headerBytes(): number {
    return this.#encoding.headerBytes('');
  }

  /** Begins a section: what came before is none of the next packets' business. */
  begin(chunk: Chunk): void {
    this.#interfaces.length = 0;
    this.#count = 0;
    chunk.used = this.#encoding.begin(chunk.bytes, chunk.used, 0);
  }

  /** Of each batch, before its packets: lanes may have gone, and others have their slots. */
  nextBatch(): void {
    this.#round++;
  }

  /** Most bytes that the packet needs in a chunk, with all that has to stand before it. */
  bytesFor(batch: PacketBatch, slot: number): number {
    const frame = (batch.frameEnd[slot] ?? 0) - (batch.frameAt[slot] ?? 0);
    const known = this.#known(batch.lane[slot] ?? 0);
    const before = known === undefined ? this.#encoding.headerBytes(this.#nameOf(batch, slot)) : 0;
    return before + this.#encoding.packetOverheadBytes + frame;
  }

  /** Writes one packet; the chunk has room for `bytesFor` it. */
  add(chunk: Chunk, batch: PacketBatch, slot: number): void {
    const laneSlot = batch.lane[slot] ?? 0;
    const { id } = this.#known(laneSlot) ?? this.#introduce(chunk, laneSlot);
    chunk.used = this.#encoding.packet(chunk, chunk.used, id, batch, slot);
    chunk.packets++;
  }

  #known(laneSlot: number): Interface | undefined {
    const known = this.#interfaces[laneSlot];
    if (known === undefined || known.round === this.#round) return known;
    if (this.#lanes.lane(laneSlot) !== known.lane) return undefined;
    known.round = this.#round;
    return known;
  }

  #introduce(chunk: Chunk, laneSlot: number): Interface {
    if (this.#count === MAX_INTERFACES) this.begin(chunk);
    const lane = this.#lanes.lane(laneSlot);
    chunk.used = this.#encoding.beginInterface(chunk.bytes, chunk.used, lane.linkType, lane.name);
    const introduced: Interface = { lane, id: this.#count++, round: this.#round };
    this.#interfaces[laneSlot] = introduced;
    return introduced;
  }

  #nameOf(batch: PacketBatch, slot: number): string {
    return this.#lanes.lane(batch.lane[slot] ?? 0).name;
  }
}
