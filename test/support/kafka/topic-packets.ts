import { PcapngDecoder } from '../../../src/format/pcapng-decoder.ts';
import { decodeAll, type PacketSeen } from '../decoding.ts';
import { walkPcapng } from '../pcapng-walk.ts';
import type { ReadRecord } from './kcat.ts';

/** A packet as a topic or a capture file holds it. */
export interface LanePacketSeen extends PacketSeen {
  readonly lane: string;
}

/** A packet of a topic. */
export interface TopicPacket extends LanePacketSeen {
  readonly record: ReadRecord;
}

/** Packets of a pcapng of one section and, where it has any, one interface. */
export function packetsIn(pcapng: Buffer): LanePacketSeen[] {
  if (pcapng.length === 0) return [];
  const { names } = walkPcapng(pcapng);
  const { packets, problem } = decodeAll(new PcapngDecoder(), pcapng, { capacity: 64 });
  if (problem !== undefined) throw new Error(`The pcapng is damaged: ${JSON.stringify(problem)}`);
  if (names.length > 1) throw new Error(`The pcapng has interfaces ${names.join()}.`);
  return packets.map((packet) => ({ ...packet, lane: names[0] ?? '' }));
}

/** The packet of each record of `packets.encoding: frame`. */
export function packetsOfFrames(records: readonly ReadRecord[]): TopicPacket[] {
  return records.map((record) => {
    const { key, value, headers } = record;
    return {
      lane: String(key).split('/')[0] ?? '',
      time: (headers.get('ts-ns') ?? '').replace(/(?=\d{9}$)/, '.'),
      linkType: Number(headers.get('link-type')),
      wireLen: Number(headers.get('wire-len')),
      data: value?.toString('hex') ?? '',
      record,
    };
  });
}

/** The packets of each record of `packets.encoding: pcapng`. */
export function packetsOfPcapngs(records: readonly ReadRecord[]): TopicPacket[] {
  return records.flatMap((record) =>
    packetsIn(record.value ?? Buffer.alloc(0)).map((packet) => ({ ...packet, record })),
  );
}

/** Everything of a packet that topics and capture files both have, as a text: the same packet has the same. */
export function packetText({ lane, time, linkType, wireLen, data }: LanePacketSeen): string {
  return `${lane} ${time} ${linkType} ${wireLen} ${data}`;
}
