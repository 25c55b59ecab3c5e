import type { EncodedBatch, ProduceRequest } from './broker-link.ts';

/**
 * Body of a Produce request (Kafka protocol guide, Produce API, key 0), versions 3 to 11:
 *
 *   transactional id   nullable string: none
 *   acks               int16
 *   timeout            int32, milliseconds
 *   topics             array of: name, array of: partition int32, records as bytes
 *
 * From version 9 on lengths are unsigned varints, one more than the length, and each structure ends in an empty list
 * of tagged fields.
 */
export function produceBody(request: ProduceRequest, version: number): Buffer {
  const isCompact = version >= 9;
  const parts: Buffer[] = [head(request, isCompact)];
  const topics = byTopic(request.batches);
  parts.push(isCompact ? uvarint(topics.size + 1) : int32(topics.size));
  for (const [topic, batches] of topics) {
    const name = Buffer.from(topic);
    parts.push(isCompact ? uvarint(name.length + 1) : int16(name.length), name);
    parts.push(isCompact ? uvarint(batches.length + 1) : int32(batches.length));
    for (const { partition, bytes } of batches) {
      parts.push(int32(partition), isCompact ? uvarint(bytes.length + 1) : int32(bytes.length), bytes);
      if (isCompact) parts.push(noTags);
    }
    if (isCompact) parts.push(noTags);
  }
  if (isCompact) parts.push(noTags);
  return Buffer.concat(parts);
}

const noTags = Buffer.from([0]);

function head({ acks, timeoutMs }: ProduceRequest, isCompact: boolean): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeInt16BE(acks, 0);
  numbers.writeInt32BE(timeoutMs, 2);
  return Buffer.concat([isCompact ? Buffer.from([0]) : int16(-1), numbers]);
}

function byTopic(batches: readonly EncodedBatch[]): Map<string, EncodedBatch[]> {
  const topics = new Map<string, EncodedBatch[]>();
  for (const batch of batches) {
    const known = topics.get(batch.topic);
    if (known === undefined) topics.set(batch.topic, [batch]);
    else known.push(batch);
  }
  return topics;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Seven bits a byte, the lowest first. */
function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
