import type { PartitionBatch } from '../client.ts';

/** Sequence numbers are 31 bits and begin again at 0. */
const SEQUENCES = 2 ** 31;

/** What a broker gives an idempotent producer. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** What goes into the header of a batch. */
export interface Numbered {
  readonly identity: ProducerIdentity;
  readonly firstSequence: number;
}

/** By this a batch is told from another: it is the same when it is sent again. */
interface Print {
  readonly count: number;
  readonly bytes: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Line {
  identity: ProducerIdentity;
  next: number;
  /** Sent, but nobody said what became of it. */
  open: Print | undefined;
}

/**
 * Sequence numbers of an idempotent producer, by partition. A broker leaves out a batch whose number it has already,
 * which is right only as long as a number means the same records. So:
 *
 * - a number moves on only when the broker has taken the batch;
 * - a batch that comes in place of one whose fate is unknown is sent under a new producer id: under the old one it might
 *   be left out, and be lost;
 * - where a broker does not know our numbers any more, that partition alone goes on under a new producer id.
 *
 * The last two are when a duplicate can arise: what was sent under the old id may be there already.
 */
export class Sequences {
  readonly #lines = new Map<string, Line>();
  #current: ProducerIdentity | undefined;

  /** Whether somebody must fetch an identity before `number` is called. */
  get needsIdentity(): boolean {
    return this.#current === undefined;
  }

  set identity(identity: ProducerIdentity) {
    this.#current = identity;
  }

  /**
   * Numbers for a batch that is about to be sent; undefined where a new identity must be fetched first.
   */
  number(batch: PartitionBatch): Numbered | undefined {
    const print = printOf(batch);
    const key = keyOf(batch);
    let line = this.#lines.get(key);
    if (line?.open !== undefined && !isSame(line.open, print)) {
      this.lose(batch);
      line = undefined;
    }
    if (line === undefined || (line.open === undefined && line.identity !== this.#current)) {
      if (this.#current === undefined) return undefined;
      line = { identity: this.#current, next: 0, open: undefined };
      this.#lines.set(key, line);
    }
    line.open = print;
    return { identity: line.identity, firstSequence: line.next };
  }

  /** Whether the batch now sent was sent before. */
  wasOpen(batch: PartitionBatch): boolean {
    return this.#lines.get(keyOf(batch))?.open !== undefined;
  }

  /** The broker has it. */
  delivered(batch: PartitionBatch): void {
    const line = this.#lines.get(keyOf(batch));
    if (line === undefined) return;
    line.next = (line.next + batch.records.length) % SEQUENCES;
    line.open = undefined;
  }

  /** The broker refused it, and it was sent but once: the next one takes its number. */
  refused(batch: PartitionBatch): void {
    const line = this.#lines.get(keyOf(batch));
    if (line !== undefined) line.open = undefined;
  }

  /** The partition needs a new identity. */
  lose(batch: PartitionBatch): void {
    const line = this.#lines.get(keyOf(batch));
    if (line === undefined) return;
    this.#lines.delete(keyOf(batch));
    if (line.identity === this.#current) this.#current = undefined;
  }
}

const keyOf = (batch: PartitionBatch): string => `${batch.topic}/${batch.partition}`;

function printOf({ records }: PartitionBatch): Print {
  let bytes = 0;
  for (const record of records) bytes += record.key.length + record.value.length;
  return {
    count: records.length,
    bytes,
    firstMs: records[0]?.timestampMs ?? 0,
    lastMs: records.at(-1)?.timestampMs ?? 0,
  };
}

function isSame(one: Print, other: Print): boolean {
  return (
    one.count === other.count &&
    one.bytes === other.bytes &&
    one.firstMs === other.firstMs &&
    one.lastMs === other.lastMs
  );
}
