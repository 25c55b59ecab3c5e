import { Reader, readRecordsBatch } from '@platformatic/kafka';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  BATCH_HEADER_LEN,
  type BatchRecord,
  compressionCodes,
  encodeRecords,
  putBatchHeader,
} from '../../../src/format/record-batch.ts';
import { crc32c } from '../../../src/wire/crc32c.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const record: fc.Arbitrary<BatchRecord> = fc.record({
  key: bytes,
  value: bytes,
  timestampMs: fc.oneof(fc.integer({ min: 1.7e12, max: 1.7e12 + 1000 }), fc.integer({ min: 0, max: 4e12 })),
  headers: fc
    .array(fc.tuple(bytes, bytes), { maxLength: 12 })
    .map((pairs) => new Map<Uint8Array, Uint8Array>(pairs)),
});

const identity = fc.record({
  producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  firstSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
});

test('another reader finds what was written', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 200 }), identity, (records, given) => {
      const batch = encodeRecords(records);
      putBatchHeader(batch, records, compressionCodes.none, given);
      const read = readRecordsBatch(Reader.from(batch));
      expect(read).toMatchObject({
        firstOffset: 0n,
        length: batch.length - 12,
        partitionLeaderEpoch: -1,
        magic: 2,
        attributes: 0,
        lastOffsetDelta: records.length - 1,
        firstTimestamp: BigInt(records[0]!.timestampMs),
        maxTimestamp: BigInt(Math.max(...records.map(({ timestampMs }) => timestampMs))),
        ...given,
      });
      expect(read.crc).toBe(crc32c(batch, 21, batch.length));
      expect(read.records).toHaveLength(records.length);
      for (const [index, one] of read.records.entries()) {
        const { key, value, timestampMs, headers } = records[index]!;
        expect(one.offsetDelta).toBe(index);
        expect(one.timestampDelta).toBe(BigInt(timestampMs - records[0]!.timestampMs));
        expect(Buffer.compare(one.key!, key)).toBe(0);
        expect(Buffer.compare(one.value!, value)).toBe(0);
        expect(one.headers.map(([name, text]) => [hex(name!), hex(text!)])).toEqual(
          [...headers].map(([name, text]) => [hex(name), hex(text)]),
        );
      }
    }),
    { numRuns: 200 },
  );
});

test.each(Object.entries(compressionCodes))('compression %s is code %i of the attributes', (_name, code) => {
  const records = [{ key: Buffer.from('k'), value: Buffer.from('v'), timestampMs: 1, headers: new Map() }];
  const batch = Buffer.alloc(BATCH_HEADER_LEN + 3, 7);
  putBatchHeader(batch, records, code, { producerId: -1n, producerEpoch: -1, firstSequence: -1 });
  expect(batch.readInt16BE(21)).toBe(code);
  expect(batch.subarray(BATCH_HEADER_LEN)).toEqual(Buffer.alloc(3, 7));
});

test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY])('a time of %d ms is none', (timestampMs) => {
  const one = { key: Buffer.from('k'), value: Buffer.from('v'), timestampMs, headers: new Map() };
  expect(() => encodeRecords([{ ...one, timestampMs: 0 }, one])).toThrow(RangeError);
});

test('bytes may lie in memory that threads share', () => {
  const shared = Buffer.from(new SharedArrayBuffer(100));
  shared.fill('x');
  const encoded = encodeRecords([
    { key: shared, value: shared, timestampMs: 0, headers: new Map([[shared, shared]]) },
  ]);
  expect(encoded.buffer).toBeInstanceOf(ArrayBuffer);
  expect(encoded.toString('latin1').split('x'.repeat(100))).toHaveLength(5);
});

const hex = (part: Uint8Array): string => Buffer.from(part).toString('hex');
