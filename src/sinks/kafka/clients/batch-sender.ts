import type { KafkaProducer } from '../../../native/kafka-producer.ts';
import { rdKafkaError as code } from '../../../native/rdkafka-layout.ts';
import type { KafkaFailure, Outcome, PartitionBatch } from '../client.ts';
import { BatchesUnderWay, type BatchUnderWay, isSame } from './batches-under-way.ts';
import { failureOf, meaningOf } from './librdkafka-failures.ts';

/** Hands batches to a producer of librdkafka, and tells what became of each. */
export class BatchSender {
  /** Where records go; undefined: they wait. */
  producer: KafkaProducer | undefined;
  readonly #batches = new BatchesUnderWay();
  /** Batches that the library has not taken whole, in their order. */
  readonly #waiting: BatchUnderWay[] = [];

  /** Takes up the batch that was left, or begins a new one. */
  begin(batch: PartitionBatch): { entry: BatchUnderWay | undefined; outcome: Outcome | Promise<Outcome> } {
    if (batch.records.length === 0) return { entry: undefined, outcome: { kind: 'delivered' } };
    const left = this.#batches.left(batch);
    const same = left.find((entry) => isSame(entry, batch));
    if (same === undefined && left.length > 0) this.#takeBack(left);
    const entry = same ?? this.#batches.add(batch);
    entry.batch = batch;
    entry.digest = undefined;
    if (entry.reported === entry.records) {
      this.#batches.remove(entry);
      return { entry: undefined, outcome: entry.failure ?? { kind: 'delivered' } };
    }
    const outcome = new Promise<Outcome>((resolve) => {
      entry.settle = resolve;
    });
    if (entry.taken < entry.records) this.#waiting.push(entry);
    return { entry, outcome };
  }

  /** The caller has other records for this partition: those that are left must not come after them. */
  #takeBack(left: readonly BatchUnderWay[]): void {
    const unfinished = left.filter((entry) => entry.reported < entry.taken);
    for (const entry of left) this.#batches.remove(entry);
    if (unfinished.length > 0) this.producer?.purge();
  }

  /**
   * Hands over what waits, as far as there is room. Of a partition the library has one batch at a time: it would send two of them
   * in one request, which may be larger than the topic takes although neither is.
   */
  fill(): void {
    const { producer } = this;
    if (producer === undefined) return;
    for (let at = 0; at < this.#waiting.length; ) {
      const entry = this.#waiting[at];
      if (entry === undefined || this.#batches.isBehindAnother(entry)) {
        at++;
        continue;
      }
      const error = hand(producer, entry);
      if (error === code.RD_KAFKA_RESP_ERR__QUEUE_FULL) return;
      this.#waiting.splice(at, 1);
      if (error === 0) continue;
      const { kind, reason } = meaningOf(error);
      entry.failure ??= { kind, failure: { ...failureOf(error), reason } };
      this.#finish(entry);
    }
  }

  report(id: number, error: number): void {
    const entry = this.#batches.of(id);
    // of a batch that was taken back
    if (entry === undefined) return;
    entry.reported++;
    if (error !== 0) {
      const { kind } = meaningOf(error);
      entry.failure ??= { kind, failure: failureOf(error) };
    }
    this.#finish(entry);
  }

  /** Tells the caller once nothing of the batch is under way. */
  #finish(entry: BatchUnderWay): void {
    const isWhole = entry.taken === entry.records;
    if (entry.reported < entry.taken || (!isWhole && entry.failure === undefined)) return;
    const outcome: Outcome = entry.failure ?? { kind: 'delivered' };
    if (entry.settle !== undefined) {
      this.#stopWaiting(entry);
      this.#batches.remove(entry);
      entry.settle(outcome);
    } else if (!isWhole || outcome.kind === 'retry') {
      this.#batches.remove(entry);
    }
  }

  leave(entry: BatchUnderWay, failure: KafkaFailure): void {
    this.#stopWaiting(entry);
    this.#batches.leave(entry, failure);
  }

  #stopWaiting(entry: BatchUnderWay): void {
    const at = this.#waiting.indexOf(entry);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  /** Tells all who wait to send again; their records may still arrive. */
  leaveAll(failure: KafkaFailure): void {
    for (const entry of this.#batches.all()) if (entry.settle !== undefined) this.leave(entry, failure);
  }

  /** Tells all who wait to send again, and forgets what the producer has: it is about to go. */
  giveUp(failure: KafkaFailure): void {
    this.producer = undefined;
    this.#waiting.length = 0;
    for (const entry of this.#batches.all()) {
      const { settle } = entry;
      this.#batches.remove(entry);
      settle?.({ kind: 'retry', failure });
    }
  }
}

/** Hands over records until the library has all, or takes none; returns why. */
function hand(producer: KafkaProducer, entry: BatchUnderWay): number {
  const { batch } = entry;
  if (batch === undefined) return 0;
  producer.aim(batch.topic, batch.partition, entry.id);
  while (entry.taken < entry.records) {
    const record = batch.records[entry.taken];
    const error = record === undefined ? 0 : producer.produce(record);
    if (error !== 0) return error;
    entry.taken++;
  }
  return 0;
}
