import { Reader } from '@platformatic/kafka';
import { expect, test } from 'vitest';

import type { EncodedBatch } from '../../../../../src/sinks/kafka/clients/broker-link.ts';
import { produceBody } from '../../../../../src/sinks/kafka/clients/produce-request.ts';

const batch = (topic: string, partition: number, length: number): EncodedBatch => ({
  topic,
  partition,
  bytes: Buffer.alloc(length, partition),
});

/** Batches of a topic need not stand together; lengths on both sides of what one byte of a varint holds. */
const batches = [batch('a', 0, 10), batch('ünïcode', 1, 126), batch('a', 2, 127), batch('a', 3, 20_000)];

test.each([3, 7, 8, 9, 11])('version %i is read as the protocol guide has it', (version) => {
  const isCompact = version >= 9;
  const body = produceBody({ acks: -1, timeoutMs: 30_000, batches }, version);
  const reader = Reader.from(body);
  expect(reader.readNullableString(isCompact)).toBeNull();
  expect(reader.readInt16()).toBe(-1);
  expect(reader.readInt32()).toBe(30_000);
  const topics = reader.readArray(
    () => ({
      name: reader.readString(isCompact),
      partitions: reader.readArray(
        () => ({ partition: reader.readInt32(), bytes: Buffer.from(reader.readBytes(isCompact)) }),
        isCompact,
        isCompact,
      ),
    }),
    isCompact,
    isCompact,
  );
  if (isCompact) reader.readTaggedFields();
  expect(reader.remaining).toBe(0);
  const parts = (topic: string): object[] =>
    batches.filter((one) => one.topic === topic).map(({ partition, bytes }) => ({ partition, bytes }));
  expect(topics).toEqual(['a', 'ünïcode'].map((name) => ({ name, partitions: parts(name) })));
});
