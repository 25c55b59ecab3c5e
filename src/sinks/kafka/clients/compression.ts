import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';

import { BATCH_HEADER_LEN, type compressionCodes, encodeRecords } from '../../../format/record-batch.ts';
import type { KafkaRecord } from '../client.ts';

export type CompressionName = keyof typeof compressionCodes;

/** Compresses the records of a batch. */
export type Compressor = (bytes: Buffer) => Buffer | Promise<Buffer>;

/** Those that Node brings: both work on another thread meanwhile. */
export const nodeCompressors: Readonly<Record<'gzip' | 'zstd', Compressor>> = {
  gzip: promisify(gzip) as (bytes: Buffer) => Promise<Buffer>,
  zstd: promisify(zstdCompress) as (bytes: Buffer) => Promise<Buffer>,
};

/** A record batch whose header is still to be written. */
export async function encodeBatch(
  records: readonly KafkaRecord[],
  compressor: Compressor | undefined,
): Promise<Buffer> {
  const batch = encodeRecords(records);
  if (compressor === undefined) return batch;
  const compressed = await compressor(batch.subarray(BATCH_HEADER_LEN));
  const small = Buffer.allocUnsafeSlow(BATCH_HEADER_LEN + compressed.length);
  compressed.copy(small, BATCH_HEADER_LEN);
  return small;
}
