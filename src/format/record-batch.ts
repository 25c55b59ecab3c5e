/**
 * Kafka's record batch, version 2 (Kafka documentation, section "Record Batch"): what a Produce request carries for one
 * partition. Big-endian:
 *
 *   byte 0-7    base offset: 0, the broker gives it
 *   byte 8-11   length of what follows
 *   byte 12-15  partition leader epoch: -1
 *   byte 16     version: 2
 *   byte 17-20  CRC-32C of all from byte 21
 *   byte 21-22  attributes; bits 0-2: compression of the records
 *   byte 23-26  offset of the last record, relative to the first
 *   byte 27-34  time of the first record, milliseconds
 *   byte 35-42  largest time
 *   byte 43-50  producer id, -1: none
 *   byte 51-52  producer epoch
 *   byte 53-56  sequence number of the first record
 *   byte 57-60  number of records
 *   byte 61-    records
 *
 * A record: length, attributes (one byte, 0), time and offset relative to the first, key, value, number of headers, and
 * name and value of each; all numbers and lengths are zigzag varints.
 */
import { copyBytes } from '../wire/copy.ts';
import { crc32c } from '../wire/crc32c.ts';

export const BATCH_HEADER_LEN = 61;

/** The codes of the compression bits. */
export const compressionCodes = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export interface BatchRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly timestampMs: number;
  readonly headers: BatchHeaders;
}

export interface BatchHeaders extends ReadonlyMap<Uint8Array, Uint8Array> {
  /** All of them as they stand in a record, behind their number, where whoever made them has written them so. */
  readonly encoded?: Uint8Array;
}

export interface BatchIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

const LENGTH = 8;
const LEADER_EPOCH = 12;
const VERSION = 16;
const CRC = 17;
const ATTRIBUTES = 21;
const LAST_OFFSET = 23;
const FIRST_TIME = 27;
const LARGEST_TIME = 35;
const PRODUCER_ID = 43;
const PRODUCER_EPOCH = 51;
const FIRST_SEQUENCE = 53;
const COUNT = 57;

/**
 * A batch without its header: `BATCH_HEADER_LEN` bytes are left free before the records. There is at least one record.
 *
 * @throws RangeError - a time is no whole number
 */
export function encodeRecords(records: readonly BatchRecord[]): Buffer {
  const firstMs = records[0]!.timestampMs;
  const lengths = new Int32Array(records.length);
  let length = BATCH_HEADER_LEN;
  for (let offset = 0; offset < records.length; offset++) {
    const record = records[offset]!;
    if (!Number.isSafeInteger(record.timestampMs))
      throw new RangeError(`a record is of ${record.timestampMs} ms`);
    const bodyLen = recordLen(record, offset, firstMs);
    lengths[offset] = bodyLen;
    length += varintLen(bodyLen) + bodyLen;
  }
  const batch = Buffer.allocUnsafeSlow(length);
  let at = BATCH_HEADER_LEN;
  for (let offset = 0; offset < records.length; offset++) {
    at = putRecord(batch, putVarint(batch, at, lengths[offset]!), records[offset]!, offset, firstMs);
  }
  return batch;
}

/** Writes the header over the first `BATCH_HEADER_LEN` bytes of `batch`; what comes after them may be compressed. */
export function putBatchHeader(
  batch: Buffer,
  records: readonly BatchRecord[],
  compression: number,
  identity: BatchIdentity,
): void {
  const firstMs = records[0]!.timestampMs;
  let largestMs = firstMs;
  for (const record of records) if (record.timestampMs > largestMs) largestMs = record.timestampMs;
  batch.fill(0, 0, LENGTH);
  batch.writeInt32BE(batch.length - LEADER_EPOCH, LENGTH);
  batch.writeInt32BE(-1, LEADER_EPOCH);
  batch[VERSION] = 2;
  batch.writeInt16BE(compression, ATTRIBUTES);
  batch.writeInt32BE(records.length - 1, LAST_OFFSET);
  batch.writeBigInt64BE(BigInt(firstMs), FIRST_TIME);
  batch.writeBigInt64BE(BigInt(largestMs), LARGEST_TIME);
  batch.writeBigInt64BE(identity.producerId, PRODUCER_ID);
  batch.writeInt16BE(identity.producerEpoch, PRODUCER_EPOCH);
  batch.writeInt32BE(identity.firstSequence, FIRST_SEQUENCE);
  batch.writeInt32BE(records.length, COUNT);
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES, batch.length), CRC);
}

/** Bytes of a record after its own length. */
function recordLen(record: BatchRecord, offset: number, firstMs: number): number {
  let length = 1 + varintLen(record.timestampMs - firstMs) + varintLen(offset);
  length += varintLen(record.key.length) + record.key.length;
  length += varintLen(record.value.length) + record.value.length;
  const { headers } = record;
  length += varintLen(headers.size);
  if (headers.encoded !== undefined) return length + headers.encoded.length;
  for (const [name, value] of headers) {
    length += varintLen(name.length) + name.length + varintLen(value.length) + value.length;
  }
  return length;
}

function putRecord(batch: Buffer, at: number, record: BatchRecord, offset: number, firstMs: number): number {
  batch[at] = 0;
  let end = putVarint(batch, at + 1, record.timestampMs - firstMs);
  end = putVarint(batch, end, offset);
  end = putBytes(batch, end, record.key);
  end = putBytes(batch, end, record.value);
  const { headers } = record;
  end = putVarint(batch, end, headers.size);
  if (headers.encoded !== undefined) return copyBytes(headers.encoded, 0, headers.encoded.length, batch, end);
  for (const [name, value] of headers) {
    end = putBytes(batch, putBytes(batch, end, name), value);
  }
  return end;
}

/** Up to here a loop is faster than a call into the runtime. */
const LOOP_LEN = 48;

function putBytes(batch: Buffer, at: number, bytes: Uint8Array): number {
  const start = putVarint(batch, at, bytes.length);
  if (bytes.length > LOOP_LEN) copyBytes(bytes, 0, bytes.length, batch, start);
  else for (let index = 0; index < bytes.length; index++) batch[start + index] = bytes[index]!;
  return start + bytes.length;
}

/** Numbers whose zigzag form fits 31 bits are shifted; others, times far apart, are divided. */
const isSmall = (value: number): boolean => value >= -0x4000_0000 && value < 0x4000_0000;
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function varintLen(value: number): number {
  let length = 1;
  if (isSmall(value)) {
    for (let rest = (value << 1) ^ (value >> 31); rest > 0x7f; rest >>>= 7) length++;
    return length;
  }
  for (let rest = zigzag(value); rest > 0x7f; rest = Math.floor(rest / 128)) length++;
  return length;
}

function putVarint(bytes: Buffer, at: number, value: number): number {
  let next = at;
  if (isSmall(value)) {
    let rest = (value << 1) ^ (value >> 31);
    for (; rest > 0x7f; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80;
    bytes[next++] = rest;
    return next;
  }
  let rest = zigzag(value);
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[next++] = (rest % 128) | 0x80;
  bytes[next++] = rest;
  return next;
}
