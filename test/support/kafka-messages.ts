import type { Message } from 'kafkajs';
import type { Packet } from '../../samples/make/capture.ts';

/** Time zero of the samples: 2026-01-01T00:00:00Z. */
const EPOCH_SECONDS = 1_767_225_600;

export interface LanePacket extends Packet {
  readonly lane: string;
  /** LINKTYPE_ value: 1 Ethernet, 101 raw IP. */
  readonly linkType: number;
}

/** A packet's time as tshark prints it. */
export function epochTime({ timeUs }: Packet): string {
  const [seconds, micros] = [Math.floor(timeUs / 1e6), timeUs % 1e6];
  return `${EPOCH_SECONDS + seconds}.${String(micros).padStart(6, '0')}000`;
}

/**
 * A packet as docs/kafka.md says that `packets.encoding: frame` has it, put together independently of `src`.
 *
 * @param more headers besides those that every record has
 */
export function frameMessage(packet: LanePacket, more: Readonly<Record<string, string>> = {}): Message {
  const { lane, linkType, bytes, wireLen = bytes.length } = packet;
  const time = epochTime(packet);
  return {
    key: `${lane}/10.0.1.10/10.0.2.20`,
    value: bytes,
    timestamp: time.replace('.', '').slice(0, 13),
    headers: {
      vni: String(/\d+/.exec(lane)),
      encapsulation: 'vxlan',
      'mirror-source': '10.0.1.10',
      observer: 'mirrortap-1',
      'ts-ns': time.replace('.', ''),
      'wire-len': String(wireLen),
      'link-type': String(linkType),
      ...(wireLen > bytes.length ? { truncated: '1' } : {}),
      ...more,
    },
  };
}
