import type { PacketBatch } from '../../src/packet/batch.ts';
import type { Sink } from '../../src/pipeline/sink.ts';
import type { SinkCounters } from '../../src/pipeline/sink-counters.ts';

/** Notes what it is asked, and numbers of the packets it is given (batches.ts); a whole batch is written at once. */
export class NotingSink implements Sink {
  readonly calls: string[] = [];
  readonly #counters: SinkCounters;
  readonly #refuses: boolean;

  /** @param refuses whether it refuses every batch */
  constructor(counters: SinkCounters, { refuses = false } = {}) {
    this.#counters = counters;
    this.#refuses = refuses;
  }

  async open(): Promise<void> {
    this.calls.push('open');
  }

  async write(batch: PacketBatch): Promise<void> {
    this.calls.push(`write ${numbersOf(batch)}`);
    if (this.#refuses) throw new Error('refused');
    this.#counters.addWritten(batch.deliveredCount);
  }

  missed(batch: PacketBatch): void {
    this.calls.push(`missed ${numbersOf(batch)}`);
  }

  async flush(): Promise<void> {
    this.calls.push('flush');
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }
}

function numbersOf(batch: PacketBatch): string {
  const slots = [...batch.delivered.subarray(0, batch.deliveredCount)];
  return slots.map((slot) => batch.bytes.readUInt32BE(batch.frameAt[slot])).join(' ');
}
