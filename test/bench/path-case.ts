/** What a packet costs from the batch of the input to the end of the receiver, with flows. */
import { PacketPath } from '../../src/app/packet-path.ts';
import { allocateMemory } from '../../src/app/shared-memory.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { PacketBatch } from '../../src/packet/batch.ts';
import { LaneDirectory } from '../../src/receive/lanes.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as tcp from '../../src/wire/tcp.ts';
import * as udp from '../../src/wire/udp.ts';
import * as vxlan from '../../src/wire/vxlan.ts';

const MAX_LANES = 64;
/** Of the inner TCP header in the outer packet. */
const TCP_AT: number =
  ethernet.HEADER_LEN +
  ipv4.HEADER_LEN +
  udp.HEADER_LEN +
  vxlan.HEADER_LEN +
  ethernet.HEADER_LEN +
  ipv4.HEADER_LEN;
const SEQUENCE_AT: number = TCP_AT + 4;
const CHECKSUM_AT: number = TCP_AT + tcp.CHECKSUM;

/**
 * @param batch  mirrored TCP over IPv4 without options, as the input fills it
 * @param goesOn whether connections go on in order; else each pass sends the same segments again
 */
export function pathCase(batch: PacketBatch, goesOn: boolean): () => number {
  const memory = allocateMemory(1, MAX_LANES, []);
  const path = new PacketPath({
    config: loadConfig({ environment: {}, set: [] }),
    memory,
    lanes: new LaneDirectory(memory.lanes),
    worker: 0,
    packets: [],
    flows: [],
    countFlows: true,
  });
  return () => {
    if (goesOn) for (let slot = 0; slot < batch.count; slot++) goOn(batch, slot);
    void path.take(batch);
    return batch.deliveredCount;
  };
}

/** The next segment of its stream: its sequence number grows by its data, and the checksum with it (RFC 1624). */
function goOn({ view, at, end }: PacketBatch, slot: number): void {
  const sequenceAt = at[slot]! + SEQUENCE_AT;
  const checksumAt = at[slot]! + CHECKSUM_AT;
  const data = end[slot]! - at[slot]! - TCP_AT - tcp.HEADER_LEN;
  const before = view.getUint32(sequenceAt);
  const after = (before + data) >>> 0;
  view.setUint32(sequenceAt, after);
  let sum = ~view.getUint16(checksumAt) & 0xffff;
  sum += (~before & 0xffff) + ((~before >>> 16) & 0xffff) + (after & 0xffff) + (after >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(checksumAt, ~sum & 0xffff);
}
