import { describe, expect, test } from 'vitest';
import { frame4, host, udpDatagram } from '../../../../../samples/make/packets.ts';
import { FlowRecords } from '../../../../../src/sinks/kafka/records/flow-records.ts';
import { FrameRecords } from '../../../../../src/sinks/kafka/records/frame-records.ts';
import { PcapngRecords } from '../../../../../src/sinks/kafka/records/pcapng-records.ts';
import type { RecordEncoder } from '../../../../../src/sinks/kafka/records/record-encoder.ts';
import { TOPICS_MAX } from '../../../../../src/sinks/kafka/records/topic-names.ts';
import { anyPackets } from '../../../../support/any-packets.ts';
import { recordsOf } from '../../../../support/kafka-records.ts';
import { encoderOptions, flowBlock, overflowLane, packetBlock } from '../../../../support/packet-blocks.ts';
import { mutated, Seeded } from '../../../../support/seeded.ts';

const frame = frame4(
  host(1, '10.0.1.10', '::1'),
  host(2, '10.0.2.20', '::2'),
  udpDatagram(1, 2, Buffer.alloc(9)),
);

/** Blocks with one entry for each of these VNIs. */
const packetsOf = (vnis: readonly number[]): Buffer =>
  packetBlock(vnis.map((vni) => ({ frame, lane: overflowLane, vni, encapsulation: 1 })));
const flowsOf = (vnis: readonly number[]): Buffer =>
  flowBlock(vnis.map((vni) => ({ key: `vni-${vni}/10.0.1.10/10.0.2.20`, json: `{"vni":${vni}}`, vni })));

interface Kind {
  readonly name: string;
  readonly make: (topic: string, batchBytes?: number) => RecordEncoder;
  readonly block: (vnis: readonly number[]) => Buffer;
  readonly other: (vnis: readonly number[]) => Buffer;
}

const kinds: readonly Kind[] = [
  {
    name: 'frame',
    make: (topic, batchBytes) => new FrameRecords(topic, encoderOptions(batchBytes)),
    block: packetsOf,
    other: flowsOf,
  },
  {
    name: 'pcapng',
    make: (topic, batchBytes) => new PcapngRecords(topic, encoderOptions(batchBytes)),
    block: packetsOf,
    other: flowsOf,
  },
  {
    name: 'flow',
    make: (topic, batchBytes) => new FlowRecords(topic, encoderOptions(batchBytes)),
    block: flowsOf,
    other: packetsOf,
  },
];

describe.each(kinds)('$name records', ({ make, block, other }) => {
  test('a name without the pattern is one topic, whatever comes', () => {
    const encoder = make('all');
    expect([...encoder.topics([block([1, 2])])]).toEqual(['all']);
    expect([...encoder.topics([])]).toEqual(['all']);
    const { batches } = encoder.encode([block([1, 2, 1])], new Map([['all', 1]]));
    expect(batches.map(({ topic }) => topic)).toEqual(['all']);
    expect(recordsOf({ batches, dropped: new Map() }).reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });

  test('topics have the true VNI in their names, as often as the pattern says', () => {
    const encoder = make('a.{vni}.b.{vni}');
    const blocks = [block([1, 2]), block([2, 0xff_ffff])];
    const names = ['a.1.b.1', 'a.2.b.2', 'a.16777215.b.16777215'];
    expect([...encoder.topics(blocks)]).toEqual(names);
    const { batches, dropped } = encoder.encode(blocks, new Map(names.map((name) => [name, 3])));
    expect(batches.map(({ topic }) => topic)).toEqual(names);
    expect(dropped.size).toBe(0);
  });

  test('what has no topic is counted', () => {
    const encoder = make('vni.{vni}');
    const { batches, dropped } = encoder.encode([block([1, 2, 2])], new Map([['vni.1', 1]]));
    expect(batches.map(({ topic }) => topic)).toEqual(['vni.1']);
    expect([...dropped]).toEqual([['noTopic', 2]]);
  });

  test('topics are bounded: those that came first stay', () => {
    const encoder = make('vni.{vni}');
    const vnis = Array.from({ length: TOPICS_MAX + 2 }, (_, vni) => vni);
    const topics = encoder.topics([block(vnis)]);
    expect(topics.size).toBe(TOPICS_MAX);
    const partitions = new Map(Array.from(topics, (topic) => [topic, 1]));
    const { batches, dropped } = encoder.encode(
      [block([TOPICS_MAX, 5, TOPICS_MAX + 1, TOPICS_MAX])],
      partitions,
    );
    expect(batches.map(({ topic }) => topic)).toEqual(['vni.5']);
    expect([...dropped]).toEqual([['tooManyTopics', 3]]);
  });

  test('a block of the other kind gives nothing, and that is told', () => {
    const { batches, dropped } = make('all').encode([other([1, 2])], new Map([['all', 1]]));
    expect(batches).toEqual([]);
    expect([...dropped]).toEqual([['damaged', 2]]);
  });

  test('what comes before the damage goes out, and so do the blocks behind', () => {
    const whole = block([1, 2, 3]);
    const cut = whole.subarray(0, whole.length - 4);
    const { batches, dropped } = make('all').encode([cut, block([4])], new Map([['all', 1]]));
    expect(recordsOf({ batches, dropped }).reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(dropped.size).toBe(0);
  });

  test('a record larger than a batch may be is one alone', () => {
    const { batches } = make('all', 50).encode([block([1, 1, 1])], new Map([['all', 1]]));
    expect(batches.map(({ records }) => records.map(({ count }) => count))).toEqual([[1], [1], [1]]);
  });

  test('whatever stands in a block, nothing is thrown', () => {
    const random = new Seeded(99);
    const good = [
      Buffer.from(block([1, 2, 3])),
      Buffer.from(other([4])),
      Buffer.from(packetBlock(anyPackets(3, 40))),
    ];
    const encoder = make('vni.{vni}');
    let records = 0;
    for (let i = 0; i < 3000; i++) {
      const blocks = [mutated(random, random.pick(good))];
      const partitions = new Map(Array.from(encoder.topics(blocks), (topic) => [topic, 4]));
      records += recordsOf(encoder.encode(blocks, partitions)).length;
    }
    expect(records).toBeGreaterThan(1000);
  });
});

test('a packet of a lane that its block does not describe is counted', () => {
  const block = packetBlock([{ frame }, { frame }]);
  const withoutLane = block.subarray(28);
  for (const make of [FrameRecords, PcapngRecords]) {
    const { batches, dropped } = new make('all', encoderOptions()).encode(
      [withoutLane],
      new Map([['all', 1]]),
    );
    expect(batches).toEqual([]);
    expect([...dropped]).toEqual([['damaged', 2]]);
  }
});
