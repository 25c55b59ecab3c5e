import { PacketBatch } from '../../src/packet/batch.ts';
import { type Lane, type LaneReader, makeLane } from '../../src/packet/lane.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import type { Block } from '../../src/wire/block.ts';

/** What a test says of one delivered packet; the rest is filled in. */
export interface TestPacket {
  /** Directory slot of its lane. */
  readonly lane?: number;
  readonly frame?: Uint8Array;
  readonly seconds?: number;
  readonly nanoseconds?: number;
  /** Bytes the frame had before it was cut. */
  readonly wireLen?: number;
  readonly transportVerdict?: number;
}

/** When packets of tests arrive where nothing else is said: 2026-11-21T04:00:00Z. */
export const TEST_SECONDS = 1_795_233_600;

const FRAME_BYTES = 60;

/** A frame that says its number in its first four bytes. */
export function numberedFrame(number: number, bytes: number = FRAME_BYTES): Buffer {
  const frame = Buffer.alloc(bytes, 0x5a);
  frame.writeUInt32BE(number, 0);
  return frame;
}

/** A batch that delivers these packets, in this order, from slots in reverse order. */
export function batchOf(packets: readonly TestPacket[]): PacketBatch {
  const frames = packets.map(({ frame }) => frame ?? numberedFrame(0));
  const gap = 3;
  const block = Buffer.alloc(
    frames.reduce((sum, frame) => sum + frame.length + gap, gap),
    0xa5,
  );
  const batch = new PacketBatch(Math.max(packets.length, 1), block);
  let at = gap;
  for (const [i, packet] of packets.entries()) {
    const slot = packets.length - 1 - i;
    const frame = frames[i] ?? Buffer.alloc(0);
    block.set(frame, at);
    batch.frameAt[slot] = at;
    batch.frameEnd[slot] = at + frame.length;
    batch.frameWireLen[slot] = packet.wireLen ?? frame.length;
    batch.lane[slot] = packet.lane ?? 0;
    batch.seconds[slot] = packet.seconds ?? TEST_SECONDS;
    batch.nanoseconds[slot] = packet.nanoseconds ?? 0;
    batch.transportVerdict[slot] = packet.transportVerdict ?? 0;
    batch.delivered[i] = slot;
    at += frame.length + gap;
  }
  batch.count = batch.deliveredCount = packets.length;
  return batch;
}

/** A batch of `count` numbered frames of one lane, from `first` on. */
export function numbered(count: number, first = 0, lane = 0): PacketBatch {
  return batchOf(Array.from({ length: count }, (_, i) => ({ lane, frame: numberedFrame(first + i) })));
}

/** What becomes of a batch that is given back: everything in it changes. */
export function overwrite(batch: PacketBatch): void {
  batch.bytes.fill(0xee);
  for (const column of [batch.frameAt, batch.frameEnd, batch.frameWireLen, batch.lane, batch.seconds])
    column.fill(0);
  batch.clear();
}

/** Lanes by slot: VXLAN, VNI equal to the slot, unless a test puts another lane there. */
export class TestLanes implements LaneReader {
  readonly #lanes = new Map<number, Lane>();

  lane(slot: number): Lane {
    let lane = this.#lanes.get(slot);
    if (lane === undefined) this.#lanes.set(slot, (lane = makeLane(1, slot, false, 0, 0, LinkType.ethernet)));
    return lane;
  }

  replace(slot: number, lane: Lane): void {
    this.#lanes.set(slot, lane);
  }
}

/** The bytes as a block: copied, with a view on them. */
export function blockOf(bytes: Uint8Array): Block {
  const copy = Buffer.from(bytes);
  return { bytes: copy, view: new DataView(copy.buffer, copy.byteOffset, copy.byteLength) };
}
