import { expect, test, vi } from 'vitest';
import { encodeFlow } from '../../../../src/format/flow-json.ts';
import { BlockEntry, PacketBlockReader } from '../../../../src/format/packet-block.ts';
import { Encapsulation, makeLane } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import {
  allocateChannel,
  CHANNEL_BLOCK_BYTES,
  FullReason,
} from '../../../../src/pipeline/channel/channel-memory.ts';
import { ChannelReader } from '../../../../src/pipeline/channel/channel-reader.ts';
import { KafkaFlowsSink } from '../../../../src/sinks/kafka/flows-sink.ts';
import { kafkaCounters, kafkaDropReasons } from '../../../../src/sinks/kafka/names.ts';
import { KafkaPacketsSink } from '../../../../src/sinks/kafka/packets-sink.ts';
import { batchOf, numberedFrame } from '../../../support/batches.ts';
import { largestRecord, numberedRecord } from '../../../support/flow-records.ts';
import { sinkContext } from '../../../support/sink-context.ts';

function bench(blocks = 4, maxRecords = 1e9) {
  const channel = allocateChannel(blocks * CHANNEL_BLOCK_BYTES, maxRecords);
  const context = { ...sinkContext(kafkaDropReasons, 0, kafkaCounters), channel, observer: 'tap-1' };
  return { context, reader: new ChannelReader(channel) };
}

test('packets lie in the channel as they came, each block with the lanes that it needs', async () => {
  const { context, reader } = bench();
  const sink = new KafkaPacketsSink(context);
  await sink.open();
  const frames = Array.from({ length: 900 }, (_, number) => numberedFrame(number, 60 + (number % 900)));
  for (let at = 0; at < frames.length; at += 90) {
    const batch = batchOf(
      frames.slice(at, at + 90).map((frame, index) => ({
        frame,
        lane: index % 3,
        seconds: 1_795_233_600 + at,
        nanoseconds: index,
        wireLen: frame.length + 5,
        transportVerdict: index % 6,
      })),
    );
    batch.vni.fill(0xff_ffff);
    batch.encapsulation.fill(Encapsulation.geneve);
    batch.marks.fill(5);
    // the address is the frame's first four bytes, its number
    for (let slot = 0; slot < batch.count; slot++) {
      batch.mirrorSourceAt[slot] = batch.frameAt[slot]!;
      batch.mirrorSourceVersion[slot] = 4;
    }
    await sink.write(batch);
  }
  await sink.close();

  const entries = new PacketBlockReader();
  let number = 0;
  let blocks = 0;
  for (let block = reader.next(); block !== undefined; block = reader.next()) {
    blocks++;
    entries.begin(block.bytes);
    for (let kind = entries.next(); kind !== BlockEntry.end; kind = entries.next(), number++) {
      const index = number % 90;
      expect(entries.bytes.subarray(entries.frameAt, entries.frameEnd)).toEqual(frames[number]);
      const { seconds, nanoseconds, frameWireLen, transportVerdict, vni, encapsulation, marks } = entries;
      expect({ seconds, nanoseconds, frameWireLen, transportVerdict, vni, encapsulation, marks }).toEqual({
        seconds: 1_795_233_600 + number - index,
        nanoseconds: index,
        frameWireLen: frames[number]!.length + 5,
        transportVerdict: index % 6,
        vni: 0xff_ffff,
        encapsulation: Encapsulation.geneve,
        marks: 5,
      });
      expect(entries.view.getUint32(entries.mirrorSourceAt)).toBe(number);
      expect(entries.lanes.get(entries.laneSlot)).toEqual(context.lanes.lane(index % 3));
    }
    expect(entries.damaged).toBe(false);
  }
  expect([number, blocks > 1, reader.ended]).toEqual([900, true, true]);
  expect(context.counters.written).toBe(900);
});

test('the lane of a slot that was given to another is described again', async () => {
  const { context, reader } = bench();
  const lanes = [7, 8].map((vni) => makeLane(Encapsulation.vxlan, vni, false, 0, 0, LinkType.ethernet));
  let current = lanes[0]!;
  const sink = new KafkaPacketsSink({ ...context, lanes: { lane: () => current } });
  await sink.write(batchOf([{ frame: numberedFrame(1) }]));
  current = lanes[1]!;
  await sink.write(batchOf([{ frame: numberedFrame(2) }]));
  await sink.flush();
  const entries = new PacketBlockReader();
  entries.begin(reader.next()!.bytes);
  const seen: (string | undefined)[] = [];
  while (entries.next() !== BlockEntry.end) seen.push(entries.lanes.get(entries.laneSlot)?.name);
  expect(seen).toEqual(['vni-7', 'vni-8']);
});

test('what finds no room is dropped and counted, with the reason that the other side gives', async () => {
  const { context, reader } = bench(2, 150);
  const sink = new KafkaPacketsSink(context);
  const batch = batchOf(Array.from({ length: 100 }, (_, number) => ({ frame: numberedFrame(number) })));
  await sink.write(batch);
  await sink.write(batch);
  expect([context.counters.written, context.dropped()]).toEqual([150, { queueFull: 50 }]);
  expect(context.counters.failingReason).toBe('queueFull');
  reader.setFullReason(FullReason.spool);
  await sink.write(batch);
  expect(context.dropped()).toEqual({ queueFull: 50, spoolFull: 100 });
  expect(context.counters.failingReason).toBe('spoolFull');
  await sink.flush();
  reader.giveBack(reader.next()!);
  await sink.write(batch);
  expect([context.counters.written, context.counters.failingReason]).toEqual([250, undefined]);
});

test('the sink accepts again once there is room, also where nothing more comes', async () => {
  vi.useFakeTimers();
  try {
    const { context, reader } = bench(2, 150);
    const sink = new KafkaPacketsSink(context);
    await sink.open();
    await sink.write(
      batchOf(Array.from({ length: 200 }, (_, number) => ({ frame: numberedFrame(number, 60) }))),
    );
    await sink.flush();
    vi.advanceTimersByTime(100);
    expect(context.counters.failingReason).toBe('queueFull');
    reader.giveBack(reader.next()!);
    vi.advanceTimersByTime(100);
    expect([context.counters.written, context.counters.failingReason]).toEqual([150, undefined]);
    await sink.close();
  } finally {
    vi.useRealTimers();
  }
});

test('flow records lie in the channel with their key and VNI', async () => {
  const { context, reader } = bench();
  const sink = new KafkaFlowsSink(context);
  await sink.open();
  const records = [numberedRecord(1), largestRecord(), numberedRecord(2)];
  for (const record of records) sink.record(record);
  await sink.ready();
  await sink.close();
  const entries = new PacketBlockReader();
  entries.begin(reader.next()!.bytes);
  for (const record of records) {
    expect(entries.next()).toBe(BlockEntry.flow);
    const line = Buffer.alloc(65_536);
    const end = encodeFlow(record, 'tap-1', line, 0);
    expect(entries.bytes.toString('utf8', entries.jsonAt, entries.jsonEnd)).toBe(
      line.toString('utf8', 0, end - 1),
    );
    expect(entries.bytes.toString('latin1', entries.keyAt, entries.keyEnd)).toMatch(
      new RegExp(`^${record.lane.name.slice(0, 35)}/`),
    );
    expect([entries.vni, entries.seconds]).toEqual([record.lane.vni ?? 0, record.lastSeconds]);
  }
  expect(entries.next()).toBe(BlockEntry.end);
  expect(context.counters.written).toBe(3);
});
