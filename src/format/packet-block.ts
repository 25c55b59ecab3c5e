import { addressBytes } from '../wire/address-bytes.ts';
import type { Block } from '../wire/block.ts';
import { copyBlock } from '../wire/copy.ts';
import { type Lane, makeLane } from '../packet/lane.ts';
import type { LinkType } from '../packet/link-type.ts';
import type { PacketBatch } from '../packet/batch.ts';
import type { Encapsulation } from '../packet/lane.ts';

/**
 * Packets and flow records on their way to another thread or machine: entries one after the other, each telling its length.
 * A block can be read alone: a lane is described in it before its first packet.
 *
 * All numbers are little-endian; every entry begins at a multiple of four bytes.
 *
 *     0  u32  bytes of the entry, a multiple of four
 *     4  u8   kind, a `BlockEntry`
 */
export const BlockEntry = { end: 0, lane: 1, packet: 2, flow: 3 } as const;
export type BlockEntry = (typeof BlockEntry)[keyof typeof BlockEntry];

const KIND = 4;
/**
 * Lane: 5 u8 encapsulation; 6 u8 1 with an endpoint; 8 u32 slot; 12 u32 VNI; 16 u32, 20 u32 endpoint; 24 u32 link type.
 */
export const LANE_ENTRY_BYTES = 28;
const NO_VNI = 0xffff_ffff;
/**
 * Packet: 5 u8 encapsulation; 6 u8 transport verdict; 7 u8 marks; 8 u32 lane slot; 12 u32 seconds; 16 u32 nanoseconds;
 * 20 u32 frame bytes; 24 u32 wire length; 28 u32 VNI; 32 u32 version of the mirror source; 36 its address, 16 bytes; 52 frame.
 */
export const PACKET_HEAD_BYTES = 52;
/** Flow record: 8 u32 seconds; 12 u32 nanoseconds; 16 u32 key bytes; 20 u32 JSON bytes; 24 u32 VNI; 28 key, then JSON. */
export const FLOW_HEAD_BYTES = 28;

const padded = (bytes: number): number => (bytes + 3) & ~3;

/** Bytes that a packet's entry takes. */
export function packetEntryBytes(frameBytes: number): number {
  return padded(PACKET_HEAD_BYTES + frameBytes);
}

/** Bytes that a flow record's entry takes. */
export function flowEntryBytes(keyBytes: number, jsonBytes: number): number {
  return padded(FLOW_HEAD_BYTES + keyBytes + jsonBytes);
}

/** Writes a lane's description at `at` and returns the offset behind it. */
export function writeLane({ view }: Block, at: number, slot: number, lane: Lane): number {
  const endpoint = lane.gwlbEndpointId;
  view.setUint32(at, LANE_ENTRY_BYTES, true);
  view.setUint32(at + KIND, 0, true);
  view.setUint8(at + KIND, BlockEntry.lane);
  view.setUint8(at + 5, lane.encapsulation);
  view.setUint8(at + 6, endpoint === undefined ? 0 : 1);
  view.setUint32(at + 8, slot, true);
  view.setUint32(at + 12, lane.vni ?? NO_VNI, true);
  view.setUint32(at + 16, endpoint === undefined ? 0 : Number.parseInt(endpoint.slice(0, 8), 16), true);
  view.setUint32(at + 20, endpoint === undefined ? 0 : Number.parseInt(endpoint.slice(8), 16), true);
  view.setUint32(at + 24, lane.linkType, true);
  return at + LANE_ENTRY_BYTES;
}

/** Copies the packet of a slot to `at` and returns the offset behind it. Allocates nothing. */
export function writePacket(block: Block, at: number, batch: PacketBatch, slot: number): number {
  const { view } = block;
  const frameAt = batch.frameAt[slot]!;
  const frameBytes = batch.frameEnd[slot]! - frameAt;
  const bytes = packetEntryBytes(frameBytes);
  view.setUint32(at, bytes, true);
  view.setUint8(at + KIND, BlockEntry.packet);
  view.setUint8(at + 5, batch.encapsulation[slot]!);
  view.setUint8(at + 6, batch.transportVerdict[slot]!);
  view.setUint8(at + 7, batch.marks[slot]!);
  view.setUint32(at + 8, batch.lane[slot]!, true);
  view.setUint32(at + 12, batch.seconds[slot]!, true);
  view.setUint32(at + 16, batch.nanoseconds[slot]!, true);
  view.setUint32(at + 20, frameBytes, true);
  view.setUint32(at + 24, batch.frameWireLen[slot]!, true);
  view.setUint32(at + 28, batch.vni[slot]!, true);
  const version = batch.mirrorSourceVersion[slot]!;
  view.setUint32(at + 32, version, true);
  const sourceAt = batch.mirrorSourceAt[slot]!;
  copyBlock(batch, sourceAt, sourceAt + addressBytes(version), block, at + 36);
  copyBlock(batch, frameAt, frameAt + frameBytes, block, at + PACKET_HEAD_BYTES);
  return at + bytes;
}

/** Writes a flow record's head at `at`; the caller puts key and JSON behind it. Returns the offset behind the entry. */
export function writeFlowHead(
  { view }: Block,
  at: number,
  seconds: number,
  nanoseconds: number,
  vni: number,
  keyBytes: number,
  jsonBytes: number,
): number {
  const bytes = flowEntryBytes(keyBytes, jsonBytes);
  view.setUint32(at, bytes, true);
  view.setUint32(at + KIND, 0, true);
  view.setUint8(at + KIND, BlockEntry.flow);
  view.setUint32(at + 8, seconds, true);
  view.setUint32(at + 12, nanoseconds, true);
  view.setUint32(at + 16, keyBytes, true);
  view.setUint32(at + 20, jsonBytes, true);
  view.setUint32(at + 24, vni, true);
  return at + bytes;
}

/**
 * Walks the entries of a block. The fields tell of the entry that `next` has found; offsets are into the block. A block that
 * came from a disk was checked before: still, what does not fit into it ends the walk, with `damaged` set.
 */
export class PacketBlockReader {
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #next = 0;
  /** The walk ended before the block did. */
  damaged = false;

  /** Lanes that were described so far, by slot. */
  readonly lanes = new Map<number, Lane>();

  // of packets
  laneSlot = 0;
  encapsulation: Encapsulation = 0;
  transportVerdict = 0;
  marks = 0;
  frameAt = 0;
  frameEnd = 0;
  frameWireLen = 0;
  /** 4 or 6; 0 where the mirror source is not known. */
  mirrorSourceVersion = 0;
  mirrorSourceAt = 0;
  // of packets and flow records
  seconds = 0;
  nanoseconds = 0;
  /** The true one, also past the lane limit. */
  vni = 0;
  // of flow records
  keyAt = 0;
  keyEnd = 0;
  jsonAt = 0;
  jsonEnd = 0;

  get bytes(): Buffer {
    return this.#bytes;
  }
  get view(): DataView {
    return this.#view;
  }

  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#next = 0;
    this.damaged = false;
    this.lanes.clear();
  }

  /** Goes to the next packet or flow record and says which it is; `BlockEntry.end` behind the last one. */
  next(): BlockEntry {
    const view = this.#view;
    const blockEnd = this.#bytes.length;
    for (;;) {
      const at = this.#next;
      if (at === blockEnd) return BlockEntry.end;
      if (at + KIND + 4 > blockEnd) return this.#stop();
      const end = at + view.getUint32(at, true);
      if (end > blockEnd || end < at + FLOW_HEAD_BYTES) return this.#stop();
      const kind = view.getUint8(at + KIND);
      this.#next = end;
      if (kind === BlockEntry.packet) return this.#readPacket(at, end) ? kind : this.#stop();
      if (kind === BlockEntry.flow) return this.#readFlow(at, end) ? kind : this.#stop();
      if (kind !== BlockEntry.lane || end !== at + LANE_ENTRY_BYTES) return this.#stop();
      this.#readLane(at);
    }
  }

  #readPacket(at: number, end: number): boolean {
    if (end < at + PACKET_HEAD_BYTES) return false;
    const view = this.#view;
    this.encapsulation = view.getUint8(at + 5) as Encapsulation;
    this.transportVerdict = view.getUint8(at + 6);
    this.marks = view.getUint8(at + 7);
    this.laneSlot = view.getUint32(at + 8, true);
    this.seconds = view.getUint32(at + 12, true);
    this.nanoseconds = view.getUint32(at + 16, true);
    this.frameAt = at + PACKET_HEAD_BYTES;
    this.frameEnd = this.frameAt + view.getUint32(at + 20, true);
    this.frameWireLen = view.getUint32(at + 24, true);
    this.vni = view.getUint32(at + 28, true);
    this.mirrorSourceVersion = view.getUint32(at + 32, true);
    this.mirrorSourceAt = at + 36;
    return this.frameEnd <= end;
  }

  #readFlow(at: number, end: number): boolean {
    const view = this.#view;
    this.seconds = view.getUint32(at + 8, true);
    this.nanoseconds = view.getUint32(at + 12, true);
    this.vni = view.getUint32(at + 24, true);
    this.keyAt = at + FLOW_HEAD_BYTES;
    this.keyEnd = this.keyAt + view.getUint32(at + 16, true);
    this.jsonAt = this.keyEnd;
    this.jsonEnd = this.jsonAt + view.getUint32(at + 20, true);
    return this.jsonEnd <= end;
  }

  #readLane(at: number): void {
    const view = this.#view;
    const vni = view.getUint32(at + 12, true);
    const lane = makeLane(
      view.getUint8(at + 5) as Encapsulation,
      vni === NO_VNI ? 0 : vni,
      view.getUint8(at + 6) === 1,
      view.getUint32(at + 16, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true) as LinkType,
    );
    this.lanes.set(view.getUint32(at + 8, true), lane);
  }

  #stop(): BlockEntry {
    this.damaged = true;
    this.#next = this.#bytes.length;
    return BlockEntry.end;
  }
}
