import type { Log } from '../../../observe/log.ts';
import type { KafkaFailure, Outcome, PartitionBatch } from '../client.ts';
import type { Coded } from './broker-link.ts';
import type { Sequences } from './sequences.ts';
import { failureOf, verdictOf } from './verdict.ts';

/**
 * How long brokers may call a topic or partition unknown before its records are refused. One that has just been created,
 * or a broker that has just started, is behind for a moment; one that was there before is waited for longer.
 */
export const unknownPatienceMs = { neverSeen: 5_000, seenBefore: 60_000 } as const;

/** So many times the same batch is called damaged before it is refused: bytes that change on the way do so but once. */
const DAMAGED_MAX = 3;

/** Makes outcomes of what brokers answer, and keeps the sequence numbers to it. */
export class Judge {
  readonly #sequences: Sequences | undefined;
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #seen = new Set<string>();
  /** By partition. */
  readonly #unknownSinceMs = new Map<string, number>();
  /** Topics whose records were refused because nobody knows them. */
  readonly #givenUp = new Set<string>();
  readonly #damaged = new Map<string, number>();

  constructor(sequences: Sequences | undefined, log: Log, nowMs: () => number) {
    this.#sequences = sequences;
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** A broker has told us of this topic. */
  seen(topic: string): void {
    this.#seen.add(topic);
    if (!this.#givenUp.delete(topic)) return;
    // it has been made since: brokers that have not heard of it yet are given time
    for (const key of this.#unknownSinceMs.keys())
      if (key.slice(0, key.lastIndexOf('/')) === topic) this.#unknownSinceMs.delete(key);
  }

  /**
   * @param wasOpen - whether the batch had been sent before, and nobody said what became of it
   * @param broker - who answered
   */
  judge(batch: PartitionBatch, answer: Coded, wasOpen: boolean, broker?: string): Outcome {
    if (answer.code === 0) return this.#delivered(batch);
    const about = `partition ${batch.partition} of ${batch.topic}`;
    const failure = failureOf(answer, about, broker);
    switch (verdictOf(answer.code).meaning) {
      case 'twice':
        return this.#delivered(batch);
      case 'again':
        return { kind: 'retry', failure };
      case 'unknown':
        if (!this.#isPatienceOver(batch)) return { kind: 'retry', failure };
        this.#givenUp.add(batch.topic);
        return this.#refused(batch, failure, wasOpen);
      case 'damaged':
        return this.#count(batch) >= DAMAGED_MAX
          ? this.#refused(batch, failure, wasOpen)
          : { kind: 'retry', failure };
      case 'lost':
        this.#lose(batch, failure);
        return { kind: 'retry', failure };
      default:
        return this.#refused(batch, failure, wasOpen);
    }
  }

  #delivered(batch: PartitionBatch): Outcome {
    this.#sequences?.delivered(batch);
    this.#calm(batch);
    return { kind: 'delivered' };
  }

  #refused(batch: PartitionBatch, failure: KafkaFailure, wasOpen: boolean): Outcome {
    // Had an earlier try arrived after all, the next batch under that number would be left out as a duplicate.
    if (wasOpen) this.#sequences?.lose(batch);
    else this.#sequences?.refused(batch);
    // not for how long it has been unknown: the next batch would wait as long again, and all others with it
    this.#damaged.delete(keyOf(batch));
    return { kind: 'refused', failure };
  }

  #lose(batch: PartitionBatch, failure: KafkaFailure): void {
    this.#sequences?.lose(batch);
    this.#log.warn(
      { topic: batch.topic, partition: batch.partition, error: failure.message, broker: failure.broker },
      'The broker does not know the sequence numbers of this producer any more. Records that are sent again may be there twice.',
    );
  }

  #isPatienceOver(batch: PartitionBatch): boolean {
    const key = keyOf(batch);
    const since = this.#unknownSinceMs.get(key);
    if (since === undefined) {
      this.#unknownSinceMs.set(key, this.#nowMs());
      return false;
    }
    const { neverSeen, seenBefore } = unknownPatienceMs;
    return this.#nowMs() - since >= (this.#seen.has(batch.topic) ? seenBefore : neverSeen);
  }

  #count(batch: PartitionBatch): number {
    const times = (this.#damaged.get(keyOf(batch)) ?? 0) + 1;
    this.#damaged.set(keyOf(batch), times);
    return times;
  }

  #calm(batch: PartitionBatch): void {
    if (this.#unknownSinceMs.size > 0) this.#unknownSinceMs.delete(keyOf(batch));
    if (this.#damaged.size > 0) this.#damaged.delete(keyOf(batch));
  }
}

const keyOf = (batch: PartitionBatch): string => `${batch.topic}/${batch.partition}`;
