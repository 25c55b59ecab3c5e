/** The packets that the Kafka bench sends, and the records that mirrortap makes of them. */
import { frame4, host, tcpSegment } from '../../samples/make/packets.ts';
import { sha1Base64 } from '../../src/app/name-hashes.ts';
import { PacketBatch } from '../../src/packet/batch.ts';
import { Verdict } from '../../src/packet/verdict.ts';
import { allocateChannel, CHANNEL_BLOCK_BYTES } from '../../src/pipeline/channel/channel-memory.ts';
import { ChannelReader } from '../../src/pipeline/channel/channel-reader.ts';
import { InnerFrameReader } from '../../src/receive/inner-frame-reader.ts';
import type { PartitionBatch } from '../../src/sinks/kafka/client.ts';
import { packetEncoder } from '../../src/sinks/kafka/courier/make-encoder.ts';
import { KafkaPacketsSink } from '../../src/sinks/kafka/packets-sink.ts';
import * as ethernet from '../../src/wire/ethernet.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import * as tcp from '../../src/wire/tcp.ts';
import { TestLanes } from '../support/batches.ts';
import { Seeded } from '../support/seeded.ts';
import { newCounters } from '../support/sink-context.ts';

export const FLOWS = 10_000;
export const PARTITIONS = 4;
const VNIS = 16;
const SERVERS = 50;
const INTERFACES = 64;
const BATCH_PACKETS = 500;
const HEADERS_LEN = ethernet.HEADER_LEN + ipv4.HEADER_LEN + tcp.HEADER_LEN;
const SOURCE_LEN = 4;
/** `ProducerPerformance` fills its values with letters too. */
const LETTERS = 26;
const FIRST_LETTER = 0x41;
/** As the courier takes them together: `PORTION_BYTES` and `PCAPNG_PORTION_BYTES`. */
const PORTION_BLOCKS = { frame: 4, pcapng: 16 } as const;
/** Prebuilt portions that are sent again and again. */
const PORTIONS = { frame: 8, pcapng: 4 } as const;

export type Encoding = keyof typeof PORTION_BLOCKS;

/** Batches with one packet of each of `FLOWS` flows of TCP, in a mixed order, as a receiver hands them to its sinks. */
export function packetBatches(frameBytes: number): PacketBatch[] {
  const random = new Seeded(6);
  const order = Array.from({ length: FLOWS }, (_, flow) => ({ flow, at: random.below(2 ** 30) }));
  order.sort((a, b) => a.at - b.at);
  return Array.from({ length: FLOWS / BATCH_PACKETS }, (_, batch) =>
    batchOf(
      order.slice(batch * BATCH_PACKETS, (batch + 1) * BATCH_PACKETS).map(({ flow }) => flow),
      frameBytes,
      random,
    ),
  );
}

function batchOf(flows: readonly number[], frameBytes: number, random: Seeded): PacketBatch {
  const stride = SOURCE_LEN + frameBytes;
  const batch = new PacketBatch(flows.length, Buffer.alloc(flows.length * stride));
  const now = Date.now();
  for (const [slot, flow] of flows.entries()) {
    const at = slot * stride;
    batch.bytes.set([10, 254, 0, 1 + (flow % INTERFACES)], at);
    batch.bytes.set(frameOf(flow, frameBytes, random), at + SOURCE_LEN);
    batch.mirrorSourceAt[slot] = at;
    batch.mirrorSourceVersion[slot] = 4;
    batch.frameAt[slot] = at + SOURCE_LEN;
    batch.frameEnd[slot] = at + stride;
    batch.frameWireLen[slot] = frameBytes;
    batch.vni[slot] = batch.lane[slot] = 1 + (flow % VNIS);
    batch.encapsulation[slot] = 1;
    batch.seconds[slot] = Math.floor(now / 1000);
    batch.nanoseconds[slot] = random.below(1_000_000_000);
    batch.transportVerdict[slot] = Verdict.valid;
    batch.delivered[slot] = slot;
  }
  batch.count = batch.deliveredCount = flows.length;
  return batch;
}

function frameOf(flow: number, frameBytes: number, random: Seeded): Buffer {
  const client = host(1, `10.1.${flow >> 8}.${flow & 255}`, '2001:db8::1');
  const server = host(2, `10.2.0.${1 + (flow % SERVERS)}`, '2001:db8::2');
  const data = Buffer.alloc(frameBytes - HEADERS_LEN);
  for (let i = 0; i < data.length; i++) data[i] = FIRST_LETTER + random.below(LETTERS);
  const segment = tcpSegment({
    sourcePort: 32_768 + flow,
    destinationPort: 443,
    sequence: random.below(2 ** 31),
    acknowledgement: random.below(2 ** 31),
    flags: tcp.Flag.ack,
    data,
  });
  return frame4(client, server, segment);
}

/** What the sink makes of these packets, portion by portion; a portion holds batches of each partition. */
export async function prebuiltPortions(
  topic: string,
  encoding: Encoding,
  frameBytes: number,
  batchBytes: number,
): Promise<PartitionBatch[][]> {
  const blocks = blocksOf(frameBytes, PORTION_BLOCKS[encoding] * PORTIONS[encoding]);
  const options = { observer: 'bench', frames: new InnerFrameReader(), sha1Base64 };
  const { signal } = new AbortController();
  const encoder = await packetEncoder({ topic, encoding }, options)(batchBytes, signal);
  return Array.from({ length: PORTIONS[encoding] }, (_, index) => {
    const from = index * PORTION_BLOCKS[encoding];
    const some = blocks.slice(from, from + PORTION_BLOCKS[encoding]);
    return [...encoder.encode(some, new Map([[topic, PARTITIONS]])).batches];
  });
}

/** Full blocks, as a worker's half of the sink writes them. */
function blocksOf(frameBytes: number, count: number): Buffer[] {
  const batches = packetBatches(frameBytes);
  const channel = allocateChannel(2 * count * CHANNEL_BLOCK_BYTES, 1e9);
  const lanes = new TestLanes();
  const sink = new KafkaPacketsSink({ channel, counters: newCounters([]), now: Date.now, lanes });
  const reader = new ChannelReader(channel);
  for (let i = 0; reader.waiting < count; i++) void sink.write(batches[i % batches.length]!);
  return Array.from({ length: count }, () => Buffer.from(reader.next()!.bytes));
}
