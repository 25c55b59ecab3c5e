import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmur2, partitionOf } from '../../../src/wire/murmur2.ts';
import { murmur2Vectors } from '../../vectors/murmur2.ts';

test.each(murmur2Vectors)('Java hashes "$key" to $hash', ({ key, hash }) => {
  expect(murmur2(Buffer.from(key, 'latin1'))).toBe(hash);
});

/** Another implementation, of the package kafkajs. */
const other = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
  key: Buffer,
) => number;

test('any bytes hash as kafkajs says', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (key) => {
      expect(murmur2(key)).toBe(other(Buffer.from(key)));
    }),
    { numRuns: 1000 },
  );
});

test('a partition is never negative: the sign is cut off, as Java does', () => {
  expect(partitionOf(-1, 10)).toBe(0x7fff_ffff % 10);
  expect(partitionOf(-0x8000_0000, 10)).toBe(0);
  // what Kafka's partitioner chose for the key vni-42/10.0.0.1/10.0.0.2
  expect(partitionOf(-10_717_134, 12)).toBe((2 ** 31 - 10_717_134) % 12);
});
