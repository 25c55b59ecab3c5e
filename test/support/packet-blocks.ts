/** Blocks as a Kafka sink hands them to its courier, from packets and flow records that are written down as their fields. */
import { createHash } from 'node:crypto';
import {
  flowEntryBytes,
  FLOW_HEAD_BYTES,
  LANE_ENTRY_BYTES,
  packetEntryBytes,
  writeFlowHead,
  writeLane,
  writePacket,
} from '../../src/format/packet-block.ts';
import { PacketBatch } from '../../src/packet/batch.ts';
import { type Lane, makeLane } from '../../src/packet/lane.ts';
import { InnerFrameReader } from '../../src/receive/inner-frame-reader.ts';
import type { EncoderOptions } from '../../src/sinks/kafka/records/record-encoder.ts';
import { parseAddress } from '../../src/wire/address.ts';
import { blockOf } from '../../src/wire/block.ts';
import { TEST_SECONDS } from './batches.ts';

/** What a test says of one packet; the rest is filled in. */
export interface BlockPacket {
  readonly frame: Uint8Array;
  readonly lane?: Lane;
  readonly seconds?: number;
  readonly nanoseconds?: number;
  readonly wireLen?: number;
  /** By default those of the lane. */
  readonly vni?: number;
  readonly encapsulation?: number;
  readonly mirrorSource?: string;
  readonly transportVerdict?: number;
  readonly marks?: number;
}

export const lane42: Lane = makeLane(1, 42, false, 0, 0, 1);
/** What packets past the lane limit share. */
export const overflowLane: Lane = makeLane(0, 0, false, 0, 0, 1);

/** A block of these packets, each lane described before its first one. In shared memory, as that of a channel is. */
export function packetBlock(packets: readonly BlockPacket[]): Buffer {
  const slots = new Map<string, number>();
  const bytes = packets.reduce(
    (sum, { frame }) => sum + packetEntryBytes(frame.length) + LANE_ENTRY_BYTES,
    0,
  );
  const block = blockOf(Buffer.from(new SharedArrayBuffer(bytes)));
  let at = 0;
  for (const packet of packets) {
    const lane = packet.lane ?? lane42;
    const known = slots.get(lane.name);
    const slot = known ?? slots.size + 3;
    if (known === undefined) {
      at = writeLane(block, at, slot, lane);
      slots.set(lane.name, slot);
    }
    at = writePacket(block, at, batchWith(packet, lane, slot), 0);
  }
  return block.bytes.subarray(0, at);
}

/** Made once: a batch is twenty arrays. */
const batch = new PacketBatch(1, Buffer.alloc(0));

function batchWith(packet: BlockPacket, lane: Lane, slot: number): PacketBatch {
  const { frame, mirrorSource } = packet;
  const address = mirrorSource === undefined ? undefined : parseAddress(mirrorSource);
  batch.setBlock(Buffer.concat([address?.bytes ?? Buffer.alloc(0), frame]));
  const frameAt = address?.bytes.length ?? 0;
  batch.mirrorSourceVersion[0] = address?.version ?? 0;
  batch.frameAt[0] = frameAt;
  batch.frameEnd[0] = frameAt + frame.length;
  batch.frameWireLen[0] = packet.wireLen ?? frame.length;
  batch.lane[0] = slot;
  batch.vni[0] = packet.vni ?? lane.vni ?? 0;
  batch.encapsulation[0] = packet.encapsulation ?? lane.encapsulation;
  batch.seconds[0] = packet.seconds ?? TEST_SECONDS;
  batch.nanoseconds[0] = packet.nanoseconds ?? 0;
  batch.transportVerdict[0] = packet.transportVerdict ?? 0;
  batch.marks[0] = packet.marks ?? 0;
  return batch;
}

export interface BlockFlow {
  readonly key: string;
  readonly json: string;
  readonly vni?: number;
  readonly seconds?: number;
  readonly nanoseconds?: number;
}

/** A block of flow records. */
export function flowBlock(flows: readonly BlockFlow[]): Buffer {
  const entries = flows.map(({ key, json, vni = 42, seconds = TEST_SECONDS, nanoseconds = 0 }) => {
    const keyBytes = Buffer.from(key);
    const jsonBytes = Buffer.from(json);
    const block = blockOf(Buffer.alloc(flowEntryBytes(keyBytes.length, jsonBytes.length)));
    writeFlowHead(block, 0, seconds, nanoseconds, vni, keyBytes.length, jsonBytes.length);
    block.bytes.set(keyBytes, FLOW_HEAD_BYTES);
    block.bytes.set(jsonBytes, FLOW_HEAD_BYTES + keyBytes.length);
    return block.bytes;
  });
  return Buffer.concat(entries);
}

export function encoderOptions(batchBytes = 900_000): EncoderOptions {
  return {
    observer: 'mirror-1',
    batchBytes,
    frames: new InnerFrameReader(),
    sha1Base64: (bytes) => createHash('sha1').update(bytes).digest('base64'),
  };
}
