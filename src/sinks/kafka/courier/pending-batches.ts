import type { KafkaFailure, PartitionBatch } from '../client.ts';

/** Records of a partition that are refused are sent again for so long: a topic may be made, a right granted. */
const PATIENCE_MS = 60_000;

/** Encoded batches on their way: which is next in each partition, and what is split. */
export class PendingBatches {
  /** By partition, in order. */
  readonly #queues = new Map<string, PartitionBatch[]>();
  /** Packets or flow records of the batches that are settled. */
  settled = 0;

  constructor(batches: readonly PartitionBatch[]) {
    for (const batch of batches) {
      const key = keyOf(batch);
      const queue = this.#queues.get(key);
      if (queue === undefined) this.#queues.set(key, [batch]);
      else queue.push(batch);
    }
  }

  get isEmpty(): boolean {
    return this.#queues.size === 0;
  }

  /** Packets or flow records of the batches that are not settled. */
  get records(): number {
    let records = 0;
    for (const queue of this.#queues.values()) for (const batch of queue) records += countOf(batch);
    return records;
  }

  /** The first batch of each partition. */
  round(): PartitionBatch[] {
    return [...this.#queues.values()].flatMap((queue) => queue.slice(0, 1));
  }

  /** The first batch of its partition is settled. */
  done(batch: PartitionBatch): void {
    const key = keyOf(batch);
    const queue = this.#queues.get(key) ?? [];
    queue.shift();
    this.settled += countOf(batch);
    if (queue.length === 0) this.#queues.delete(key);
  }

  /** The first batch of its partition is sent in two halves instead: it has at least two records. */
  split(batch: PartitionBatch): void {
    const { records } = batch;
    const middle = records.length >> 1;
    this.#queues
      .get(keyOf(batch))
      ?.splice(
        0,
        1,
        { ...batch, records: records.slice(0, middle) },
        { ...batch, records: records.slice(middle) },
      );
  }
}

/** Topics that refuse, and since when: what a person may put right is waited for, for a while. */
export class Patience {
  readonly #patienceMs: number;
  readonly #now: () => number;
  readonly #sinceMs = new Map<string, number>();

  constructor(now: () => number, patienceMs: number = PATIENCE_MS) {
    this.#now = now;
    this.#patienceMs = patienceMs;
  }

  /** Whether records that were refused are to be sent again. */
  isLeft(topic: string, { reason }: KafkaFailure): boolean {
    if (reason !== 'noTopic' && reason !== 'notAuthorised') return false;
    const sinceMs = this.#sinceMs.get(topic) ?? this.#now();
    this.#sinceMs.set(topic, sinceMs);
    return this.#now() - sinceMs < this.#patienceMs;
  }

  /** The topic took records. */
  restore(topic: string): void {
    this.#sinceMs.delete(topic);
  }
}

/** Packets or flow records that the records of a batch hold. */
export function countOf({ records }: PartitionBatch): number {
  return records.reduce((count, record) => count + record.count, 0);
}

function keyOf({ topic, partition }: PartitionBatch): string {
  return `${topic} ${partition}`;
}
