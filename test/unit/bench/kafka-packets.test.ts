import { expect, test } from 'vitest';
import { countOf } from '../../../src/sinks/kafka/courier/pending-batches.ts';
import { FLOWS, PARTITIONS, packetBatches, prebuiltPortions } from '../../bench/kafka-packets.ts';

const BATCH_BYTES = 900_000;

test('the packets of the Kafka bench are of as many flows as the page says', async () => {
  const portions = await prebuiltPortions('packets', 'frame', 128, BATCH_BYTES);
  const records = portions.flat().flatMap((batch) => batch.records);
  const ids = records.map(
    ({ headers }) => [...headers].find(([name]) => String(name) === 'community-id')?.[1],
  );
  expect(new Set(ids.map(String)).size).toBe(FLOWS);
  expect(records.every(({ value, count }) => value.length === 128 && count === 1)).toBe(true);
});

test('portions of both encodings hold packets of all partitions', async () => {
  for (const encoding of ['frame', 'pcapng'] as const) {
    const portions = await prebuiltPortions('packets', encoding, 700, BATCH_BYTES);
    for (const portion of portions) {
      expect(new Set(portion.map(({ partition }) => partition)).size).toBe(PARTITIONS);
      expect(portion.reduce((sum, batch) => sum + countOf(batch), 0)).toBeGreaterThan(1000);
    }
  }
});

test('every packet is a slot of a batch', () => {
  const batches = packetBatches(128);
  expect(batches.reduce((sum, { deliveredCount }) => sum + deliveredCount, 0)).toBe(FLOWS);
});
