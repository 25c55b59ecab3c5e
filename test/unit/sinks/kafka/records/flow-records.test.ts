import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowRecords } from '../../../../../src/sinks/kafka/records/flow-records.ts';
import { murmur2, partitionOf } from '../../../../../src/wire/murmur2.ts';
import { batchBytes, recordsOf } from '../../../../support/kafka-records.ts';
import { type BlockFlow, flowBlock } from '../../../../support/packet-blocks.ts';

const TOPIC = 'mirrortap.flows';
const one = new Map([[TOPIC, 1]]);
const flow: BlockFlow = {
  key: 'vni-42/10.0.0.1/10.0.0.2',
  json: '{"a":"ü"}',
  seconds: 7,
  nanoseconds: 999_999_999,
};

test('a record is key, JSON and time of the flow record, without headers', () => {
  const [record] = recordsOf(new FlowRecords(TOPIC, { batchBytes: 1000 }).encode([flowBlock([flow])], one));
  expect(record).toEqual({
    key: Buffer.from(flow.key),
    value: Buffer.from(flow.json),
    timestampMs: 7999,
    headers: new Map(),
    count: 1,
  });
});

test('a value may be made of the JSON; one that cannot be is counted, and the next ones go on', () => {
  const flows = ['good', 'bad', 'good'].map((json) => ({ ...flow, json }));
  const encoder = new FlowRecords(TOPIC, { batchBytes: 1000 }, (json) => {
    if (json.toString() === 'bad') throw new Error('not this one');
    return Buffer.from(json.toString().toUpperCase());
  });
  const { batches, dropped } = encoder.encode([flowBlock(flows)], one);
  expect(recordsOf({ batches, dropped }).map(({ value }) => value.toString())).toEqual(['GOOD', 'GOOD']);
  expect([...dropped]).toEqual([['notEncoded', 1]]);
});

test('records of shared memory are in memory of their own', () => {
  const block = flowBlock([flow]);
  const shared = Buffer.from(new SharedArrayBuffer(block.length));
  block.copy(shared);
  const [record] = recordsOf(new FlowRecords(TOPIC, { batchBytes: 1000 }).encode([shared], one));
  shared.fill(0);
  expect(record?.value.toString()).toBe(flow.json);
  expect(record?.key.buffer).toBeInstanceOf(ArrayBuffer);
});

test('each flow record arrives once, in the partition of its key, in order, in bounded batches', () => {
  const flows = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b/1/2', 'c', 'd/3/4'), json: fc.string({ maxLength: 90 }) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.array(flows, { maxLength: 4 }), fc.nat(9), fc.nat(2000), (blocks, more, limit) => {
      const partitions = 1 + more;
      const encoder = new FlowRecords(TOPIC, { batchBytes: limit });
      const encoded = encoder.encode(blocks.map(flowBlock), new Map([[TOPIC, partitions]]));
      const expected = new Map<number, string[]>();
      for (const { key, json } of blocks.flat()) {
        const partition = partitionOf(murmur2(Buffer.from(key)), partitions);
        expected.set(partition, [...(expected.get(partition) ?? []), json]);
      }
      const arrived = new Map<number, string[]>();
      for (const batch of encoded.batches) {
        const texts = batch.records.map(({ value }) => value.toString());
        arrived.set(batch.partition, [...(arrived.get(batch.partition) ?? []), ...texts]);
        if (texts.length > 1) expect(batchBytes(batch)).toBeLessThanOrEqual(limit);
      }
      expect(arrived).toEqual(expected);
    }),
  );
});
