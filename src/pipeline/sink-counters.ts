import { AssertionFailure } from '../wire/assert.ts';

/**
 * One sink's ledger in one worker: `delivered = written + filtered + Σ dropped + pending`.
 *
 * It lives in shared memory, a row of 64-bit floats: the worker alone writes it, the main thread reads it when
 * it is scraped or asked for a report.
 *
 * A kind may have further counters of its own, under names that it declares. They stand beside the ledger: nothing says
 * that they add up. Over all workers they are told as sums, so one that is `set` must be a share, such as bytes waiting.
 */

/** Reasons that every sink has, whatever its kind. */
export const commonDropReasons: readonly string[] = [
  /** The sink's bounded queue was full: it is slower than what arrives. */
  'queueFull',
  /** The sink refused the batch with an error. */
  'writeFailed',
  /** The packet was pending in a worker that died. */
  'workerLost',
];

const DELIVERED = 0;
const WRITTEN = 1;
const FILTERED = 2;
const PENDING_BYTES = 3;
/** Milliseconds since the epoch when the sink began to refuse; 0 while it accepts. */
const FAILING_SINCE_MS = 4;
/** 1 + index of the drop reason that it last refused with. */
const FAILING_REASON = 5;
const DROPPED = 6;

/** Reads and writes one such row. */
export class SinkCounters {
  readonly reasons: readonly string[];
  /** Names of the kind's further counters. */
  readonly names: readonly string[];
  readonly #row: Float64Array;
  readonly #furtherAt: number;

  /** Floats a row needs for a sink kind with these reasons and further counters of its own. */
  static length(kindReasons: readonly string[], kindCounters: readonly string[] = []): number {
    return DROPPED + commonDropReasons.length + kindReasons.length + kindCounters.length;
  }

  /** @param row `SinkCounters.length(kindReasons, kindCounters)` floats, in shared memory or not. */
  constructor(row: Float64Array, kindReasons: readonly string[], kindCounters: readonly string[] = []) {
    this.#row = row;
    this.reasons = [...commonDropReasons, ...kindReasons];
    this.names = kindCounters;
    this.#furtherAt = DROPPED + this.reasons.length;
  }

  /**
   * The ledger of a sink that two threads write, a row each: the one that is given packets, and the one that does the rest. What
   * the first has written the second has in hand.
   */
  static ofTwo(
    first: Float64Array,
    second: Float64Array,
    kindReasons: readonly string[],
    kindCounters: readonly string[] = [],
  ): SinkCounters {
    const sum = first.map((value, field) => value + (second[field] ?? 0));
    sum[WRITTEN] = second[WRITTEN] ?? 0;
    const isFirst = (second[FAILING_SINCE_MS] ?? 0) === 0;
    for (const field of [FAILING_SINCE_MS, FAILING_REASON]) {
      sum[field] = (isFirst ? first[field] : second[field]) ?? 0;
    }
    return new SinkCounters(sum, kindReasons, kindCounters);
  }

  get delivered(): number {
    return this.#row[DELIVERED] ?? 0;
  }
  get written(): number {
    return this.#row[WRITTEN] ?? 0;
  }
  get filtered(): number {
    return this.#row[FILTERED] ?? 0;
  }
  /** Packets handed to the sink whose fate is still open. */
  get pending(): number {
    return this.delivered - this.written - this.filtered - this.droppedTotal;
  }
  get pendingBytes(): number {
    return this.#row[PENDING_BYTES] ?? 0;
  }
  get droppedTotal(): number {
    let total = 0;
    for (let i = 0; i < this.reasons.length; i++) total += this.#row[DROPPED + i] ?? 0;
    return total;
  }
  /** Packets dropped for the reason `reasons[index]`. */
  dropped(index: number): number {
    return this.#row[DROPPED + index] ?? 0;
  }
  get failingSinceMs(): number {
    return this.#row[FAILING_SINCE_MS] ?? 0;
  }
  /** The reason it last refused with; `undefined` while it accepts. */
  get failingReason(): string | undefined {
    return this.failingSinceMs === 0 ? undefined : this.reasons[(this.#row[FAILING_REASON] ?? 0) - 1];
  }

  /** The kind's further counter `name`, one of `names`. */
  further(name: string): number {
    return this.#row[this.#further(name)] ?? 0;
  }
  /** Adds to the kind's further counter `name`: once a batch, for it is looked up. */
  add(name: string, amount: number): void {
    this.#add(this.#further(name), amount);
  }
  /** Sets the kind's further counter `name`: for what also falls. */
  set(name: string, value: number): void {
    this.#row[this.#further(name)] = value;
  }

  addDelivered(packets: number): void {
    this.#add(DELIVERED, packets);
  }
  addWritten(packets: number): void {
    this.#add(WRITTEN, packets);
  }
  /** Packets that were written are gone again, for `reason`. */
  unwrite(reason: string, packets: number): void {
    this.#add(WRITTEN, -packets);
    this.addDropped(reason, packets);
  }
  addFiltered(packets: number): void {
    this.#add(FILTERED, packets);
  }
  addPendingBytes(bytes: number): void {
    this.#add(PENDING_BYTES, bytes);
  }
  /** Counts packets as dropped. `reason` is one of `reasons`. */
  addDropped(reason: string, packets: number): void {
    this.#add(DROPPED + this.#index(reason), packets);
  }

  /** The sink refuses packets from now on, for `reason`; keeps the time of the first call of a streak. */
  failing(reason: string, nowMs: number): void {
    if (this.failingSinceMs === 0) this.#row[FAILING_SINCE_MS] = nowMs;
    this.#row[FAILING_REASON] = this.#index(reason) + 1;
  }
  /** The sink accepts packets (again). */
  accepting(): void {
    this.#row[FAILING_SINCE_MS] = 0;
  }

  #add(field: number, amount: number): void {
    this.#row[field] = (this.#row[field] ?? 0) + amount;
  }
  #further(name: string): number {
    const index = this.names.indexOf(name);
    if (index < 0) throw new AssertionFailure(`A sink counted the undeclared "${name}".`);
    return this.#furtherAt + index;
  }
  #index(reason: string): number {
    const index = this.reasons.indexOf(reason);
    if (index < 0)
      throw new AssertionFailure(`A sink dropped packets for the undeclared reason "${reason}".`);
    return index;
  }
}
