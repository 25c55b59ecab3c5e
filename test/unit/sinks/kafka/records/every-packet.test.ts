import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PcapngDecoder } from '../../../../../src/format/pcapng-decoder.ts';
import type { KafkaRecord } from '../../../../../src/sinks/kafka/client.ts';
import { FrameRecords } from '../../../../../src/sinks/kafka/records/frame-records.ts';
import { PcapngRecords } from '../../../../../src/sinks/kafka/records/pcapng-records.ts';
import type { Encoded, RecordEncoder } from '../../../../../src/sinks/kafka/records/record-encoder.ts';
import { murmur2, partitionOf } from '../../../../../src/wire/murmur2.ts';
import { anyPackets, cutUp } from '../../../../support/any-packets.ts';
import { decodeAll } from '../../../../support/decoding.ts';
import { batchBytes, headersOf, recordsOf } from '../../../../support/kafka-records.ts';
import { type BlockPacket, encoderOptions, lane42, packetBlock } from '../../../../support/packet-blocks.ts';

const TOPIC = 'mirrortap.packets';

/** A packet as a consumer sees it: lane, nanoseconds since the epoch, frame. */
type Seen = string;

function seen({ lane = lane42, seconds = 0, nanoseconds = 0, frame }: BlockPacket): Seen {
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  return `${lane.name} ${time} ${Buffer.from(frame).toString('hex')}`;
}

function packetOf(record: KafkaRecord): Seen[] {
  const lane = record.key.toString().split('/')[0];
  return [`${lane} ${headersOf(record)['ts-ns']} ${record.value.toString('hex')}`];
}

function packetsInside(record: KafkaRecord): Seen[] {
  const lane = record.key.toString().split('/')[0];
  const { packets, problem } = decodeAll(new PcapngDecoder(), record.value);
  expect(problem).toBeUndefined();
  return packets.map(({ time, data }) => `${lane} ${BigInt(time.replace('.', ''))} ${data}`);
}

const encodings = [
  { name: 'frame', make: FrameRecords, unpack: packetOf },
  { name: 'pcapng', make: PcapngRecords, unpack: packetsInside },
] as const;

/** What arrives in each partition, in its order; `by` tells apart what has no order among itself. */
function arrivals(
  encoded: readonly Encoded[],
  unpack: (record: KafkaRecord) => Seen[],
  by: (packet: Seen) => string,
): Map<string, Seen[]> {
  const arrived = new Map<string, Seen[]>();
  for (const { partition, records } of encoded.flatMap(({ batches }) => batches)) {
    for (const record of records) {
      const packets = unpack(record);
      expect(record.count).toBe(packets.length);
      for (const packet of packets) push(arrived, `${partition} ${by(packet)}`, packet);
    }
  }
  return arrived;
}

function push<Thing>(lists: Map<string, Thing[]>, name: string, thing: Thing): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [thing]);
  else list.push(thing);
}

const oneByOne = new FrameRecords(TOPIC, encoderOptions(1e9));

/** Keys of packets, in their order: what a record each has in a topic of one partition. */
function keysOf(blocks: readonly Buffer[]): Buffer[] {
  return recordsOf(oneByOne.encode(blocks, new Map([[TOPIC, 1]]))).map(({ key }) => key);
}

const laneOf = (packet: Seen): string => packet.split(' ')[0] ?? '';
const sizes = fc.oneof(fc.constantFrom(1, 300, 1000, 5000, 900_000), fc.integer({ min: 1, max: 20_000 }));

test.each(encodings)(
  '$name: each packet arrives once, in its partition, in order, in bounded batches',
  (row) => {
    const seeds = fc.integer({ min: 0, max: 0xffff_ffff });
    const counts = fc.integer({ min: 0, max: 150 });
    fc.assert(
      fc.property(seeds, counts, fc.integer({ min: 1, max: 13 }), sizes, (seed, count, partitions, limit) => {
        const packets = anyPackets(seed, count);
        const blocks = cutUp(seed, packets, 90).map(packetBlock);
        const encoder: RecordEncoder = new row.make(TOPIC, encoderOptions(limit));
        const encoded = cutUp(seed, blocks, 3).map((some) =>
          encoder.encode(some, new Map([[TOPIC, partitions]])),
        );

        const by = row.name === 'frame' ? () => '' : laneOf;
        const expected = new Map<string, Seen[]>();
        for (const [i, key] of keysOf(blocks).entries()) {
          const packet = seen(packets[i] as BlockPacket);
          push(expected, `${partitionOf(murmur2(key), partitions)} ${by(packet)}`, packet);
        }
        expect(arrivals(encoded, row.unpack, by)).toEqual(expected);
        expect(encoded.flatMap(({ dropped }) => [...dropped])).toEqual([]);

        for (const batch of encoded.flatMap(({ batches }) => batches)) {
          expect(batch.topic).toBe(TOPIC);
          const isSmallest = batch.records.length === 1 && batch.records[0]?.count === 1;
          if (!isSmallest) expect(batchBytes(batch)).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 40 },
    );
  },
);

test.each(encodings)('$name: batches are filled', ({ make }) => {
  const packets = anyPackets(5, 2000);
  const blocks = cutUp(5, packets, 500).map(packetBlock);
  const limit = 20_000;
  const { batches } = new make(TOPIC, encoderOptions(limit)).encode(blocks, new Map([[TOPIC, 1]]));
  const filled = batches.filter((batch) => batchBytes(batch) > limit * 0.85);
  // all but the last of each lane
  expect(filled.length).toBeGreaterThanOrEqual(batches.length - 4);
  expect(filled.length).toBeGreaterThan(10);
});
