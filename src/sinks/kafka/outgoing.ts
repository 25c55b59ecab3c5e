import { FullReason, type ChannelMemory } from '../../pipeline/channel/channel-memory.ts';
import { ChannelWriter } from '../../pipeline/channel/channel-writer.ts';
import type { SinkCounters } from '../../pipeline/sink-counters.ts';

/** A block that is not full is handed over so often, where the courier waits for one. */
const PUBLISH_MS = 20;

export interface OutgoingOptions {
  readonly channel: ChannelMemory;
  readonly counters: SinkCounters;
  /** Milliseconds since the epoch; a test hands in its own. */
  readonly now: () => number;
}

/** What both Kafka sinks of a worker have in common: a channel to the courier, and the ledger of what goes into it. */
export class Outgoing {
  readonly writer: ChannelWriter;
  readonly #options: OutgoingOptions;
  #timer: NodeJS.Timeout | undefined;
  #full = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.writer = new ChannelWriter(options.channel);
  }

  begin(): void {
    this.#timer = setInterval(() => {
      this.publish();
      // nothing may come for long that would show that there is room again
      if (!this.writer.isFull) this.#accept();
    }, PUBLISH_MS).unref();
  }

  /** Entries are in the channel: in the ledger of this thread they are settled, the courier has them in its own. */
  passed(records: number): void {
    this.#options.counters.addWritten(records);
    this.#accept();
  }

  #accept(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#options.counters.accepting();
  }

  /** There was no room. */
  drop(records: number): void {
    const reason = this.writer.fullReason === FullReason.spool ? 'spoolFull' : 'queueFull';
    const { counters, now } = this.#options;
    counters.addDropped(reason, records);
    counters.failing(reason, now());
    this.#full = true;
  }

  /** Hands over what there is if somebody waits for it; else it is better sent with more. */
  publish(): void {
    if (this.writer.isAwaited) this.writer.publish();
  }

  close(): void {
    clearInterval(this.#timer);
    this.writer.close();
  }
}
