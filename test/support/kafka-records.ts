/** Kafka records as tests read them. */
import type { KafkaRecord, PartitionBatch } from '../../src/sinks/kafka/client.ts';
import { headerTexts } from '../../src/sinks/kafka/header-names.ts';
import type { Encoded } from '../../src/sinks/kafka/records/record-encoder.ts';

/** Records of all batches, batch by batch. */
export function recordsOf({ batches }: Encoded): KafkaRecord[] {
  return batches.flatMap(({ records }) => records);
}

export function headersOf({ headers }: KafkaRecord): Record<string, string> {
  return Object.fromEntries([...headers].map(([name, value]) => [headerTexts.get(name), value.toString()]));
}

/**
 * Bytes of a batch as it goes to a broker when nothing is compressed (Kafka protocol, "Record Batch"): 61 bytes, then each
 * record with its numbers as zigzag varints.
 */
export function batchBytes({ records }: PartitionBatch): number {
  const first = records[0]?.timestampMs ?? 0;
  return records.reduce((sum, record, i) => {
    const body = recordBodyBytes(record, record.timestampMs - first, i);
    return sum + varintBytes(body) + body;
  }, 61);
}

function recordBodyBytes(
  { key, value, headers }: KafkaRecord,
  timestampDelta: number,
  offsetDelta: number,
): number {
  const withLength = (bytes: Buffer): number => varintBytes(bytes.length) + bytes.length;
  let bytes =
    1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + withLength(key) + withLength(value);
  bytes += varintBytes(headers.size);
  for (const [name, text] of headers) bytes += withLength(name) + withLength(text);
  return bytes;
}

/** Bytes of a number as a zigzag varint. */
function varintBytes(value: number): number {
  let rest = 2 * Math.abs(value);
  let bytes = 1;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
