import { expect, test } from 'vitest';
import type { Outcome, PartitionBatch } from '../../../../../src/sinks/kafka/client.ts';
import { BatchesUnderWay, isSame } from '../../../../../src/sinks/kafka/clients/batches-under-way.ts';

function batchOf(partition: number, ...values: string[]): PartitionBatch {
  const records = values.map((value, index) => ({
    key: Buffer.from('key'),
    value: Buffer.from(value),
    timestampMs: index,
    headers: new Map<Buffer, Buffer>(),
    count: 1,
  }));
  return { topic: 'topic', partition, records };
}

const failure = { reason: 'timeout', message: 'nobody answers' } as const;

test('a batch that was left is known by what it holds, in whatever memory', () => {
  const batches = new BatchesUnderWay();
  const outcomes: Outcome[] = [];
  const sent = batchOf(1, 'a', 'bc');
  const entry = batches.add(sent);
  entry.settle = (outcome) => outcomes.push(outcome);
  entry.taken = 2;
  batches.leave(entry, failure);
  expect(outcomes).toEqual([{ kind: 'retry', failure }]);
  // its memory is the caller's again
  sent.records[0]?.value.fill('x');
  expect(batches.left(batchOf(1, 'other'))).toEqual([entry]);
  expect(batches.left(batchOf(2, 'a', 'bc'))).toEqual([]);
  expect(isSame(entry, batchOf(1, 'a', 'bc'))).toBe(true);
});

test.each([
  { what: 'another value', other: batchOf(1, 'a', 'bd') },
  { what: 'values that are cut elsewhere', other: batchOf(1, 'ab', 'c') },
  { what: 'fewer records', other: batchOf(1, 'a') },
  { what: 'another order', other: batchOf(1, 'bc', 'a') },
])('$what: another batch', ({ other }) => {
  const batches = new BatchesUnderWay();
  const entry = batches.add(batchOf(1, 'a', 'bc'));
  entry.taken = 1;
  batches.leave(entry, failure);
  expect(isSame(entry, other)).toBe(false);
});

test('what the library has nothing of is forgotten when it is left', () => {
  const batches = new BatchesUnderWay();
  const entry = batches.add(batchOf(1, 'a'));
  batches.leave(entry, failure);
  expect(batches.of(entry.id)).toBeUndefined();
  expect(batches.left(batchOf(1, 'a'))).toEqual([]);
});
