import { createHash } from 'node:crypto';
import type { KafkaFailure, Outcome, PartitionBatch } from '../client.ts';

/** A batch that is with the library, or was. */
export interface BatchUnderWay {
  /** What the library reports of each of its records. */
  readonly id: number;
  readonly partition: string;
  readonly records: number;
  /** Its records while a caller waits for them; else their memory is the caller's again. */
  batch: PartitionBatch | undefined;
  /** Records that the library has taken. */
  taken: number;
  reported: number;
  /** The first failure among its records. */
  failure: Exclude<Outcome, { kind: 'delivered' }> | undefined;
  /** What its records are, from when the caller was told to retry. */
  digest: string | undefined;
  /** Tells the caller who waits. */
  settle: ((outcome: Outcome) => void) | undefined;
}

/**
 * Which batches the library has, by the identity of what they hold: a caller who is told to retry, and sends the same
 * records again, is given the outcome of those that are still under way instead of sending them twice.
 */
export class BatchesUnderWay {
  readonly #byId = new Map<number, BatchUnderWay>();
  readonly #byPartition = new Map<string, Set<BatchUnderWay>>();
  #lastId = 0;

  of(id: number): BatchUnderWay | undefined {
    return this.#byId.get(id);
  }

  all(): IterableIterator<BatchUnderWay> {
    return this.#byId.values();
  }

  /** One for a batch that is not known yet. */
  add(batch: PartitionBatch): BatchUnderWay {
    const entry: BatchUnderWay = {
      id: ++this.#lastId,
      partition: partitionOf(batch),
      records: batch.records.length,
      batch,
      taken: 0,
      reported: 0,
      failure: undefined,
      digest: undefined,
      settle: undefined,
    };
    this.#byId.set(entry.id, entry);
    const others = this.#byPartition.get(entry.partition);
    if (others === undefined) this.#byPartition.set(entry.partition, new Set([entry]));
    else others.add(entry);
    return entry;
  }

  remove(entry: BatchUnderWay): void {
    this.#byId.delete(entry.id);
    const others = this.#byPartition.get(entry.partition);
    others?.delete(entry);
    if (others?.size === 0) this.#byPartition.delete(entry.partition);
  }

  /** The library has records of another batch for the same partition, of which it has not reported. */
  isBehindAnother(entry: BatchUnderWay): boolean {
    for (const other of this.#byPartition.get(entry.partition) ?? [])
      if (other !== entry && other.reported < other.taken) return true;
    return false;
  }

  /** Those of the batch's partition whose caller was told to retry. */
  left(batch: PartitionBatch): BatchUnderWay[] {
    const others = this.#byPartition.get(partitionOf(batch));
    return others === undefined ? [] : [...others].filter((entry) => entry.digest !== undefined);
  }

  /** The caller is told to retry; its records may still arrive. What the library has nothing of is forgotten. */
  leave(entry: BatchUnderWay, failure: KafkaFailure): void {
    const { batch, settle } = entry;
    if (entry.taken === 0) this.remove(entry);
    else if (batch !== undefined) entry.digest = digestOf(batch);
    entry.batch = undefined;
    entry.settle = undefined;
    settle?.({ kind: 'retry', failure });
  }
}

/** Whether the batch is the one that was left. */
export function isSame(entry: BatchUnderWay, batch: PartitionBatch): boolean {
  return entry.records === batch.records.length && entry.digest === digestOf(batch);
}

function partitionOf(batch: PartitionBatch): string {
  return `${batch.topic}/${batch.partition}`;
}

/** A hash that tells two batches apart for certain; made only when a batch is left, and when it comes again. */
function digestOf(batch: PartitionBatch): string {
  const hash = createHash('sha256');
  const lengths = Buffer.alloc(16);
  for (const { key, value, timestampMs } of batch.records) {
    lengths.writeUInt32LE(key.length, 0);
    lengths.writeUInt32LE(value.length, 4);
    lengths.writeDoubleLE(timestampMs, 8);
    hash.update(lengths).update(key).update(value);
  }
  return hash.digest('base64');
}
