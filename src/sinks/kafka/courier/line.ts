import type { Log } from '../../../observe/log.ts';
import type { SinkCounters } from '../../../pipeline/sink-counters.ts';
import type { KafkaFailure, Outcome, PartitionBatch } from '../client.ts';
import type { Backlog, Portion } from './backlog.ts';
import { Backoff } from './backoff.ts';
import type { Connection } from './connection.ts';
import { Encoders } from './encoders.ts';
import type { EncoderMaker } from './make-encoder.ts';
import { countOf, Patience, PendingBatches } from './pending-batches.ts';

export interface LineOptions {
  readonly backlog: Backlog;
  readonly connection: Connection;
  /** Makes the encoder for batches of at most so many bytes. */
  readonly makeEncoder: EncoderMaker;
  /** The user's name for the sink. */
  readonly sink: string;
  /** The courier's part of the sink's ledger. */
  readonly counters: SinkCounters;
  readonly log: Log;
  /** Bytes of blocks that are encoded together. */
  readonly portionBytes: number;
  readonly lingerMs: number;
  readonly inFlightRequests: number;
  readonly retryMaxMs: number;
  /** What has waited longer in the spool is dropped; 0: nothing is. */
  readonly maxSeconds: number;
  readonly now: () => number;
  /** How long a topic that refuses is asked again, ms. */
  readonly patienceMs?: number;
}

/**
 * The way of packets, or of flow records, from the ring to the brokers: takes what waits, makes records of it, sends them
 * until they are taken or refused for good, and counts. While one portion is under way the next is being made.
 */
export class Line {
  readonly #options: LineOptions;
  readonly #patience: Patience;
  readonly #backoff: Backoff;
  readonly #encoders: Encoders;
  /** Portions that were taken and are not settled, the oldest first. */
  readonly #underWay: UnderWay[] = [];
  #ended = false;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#patience = new Patience(options.now, options.patienceMs);
    this.#backoff = new Backoff(options.retryMaxMs);
    this.#encoders = new Encoders(options);
  }

  /** Sends until nothing more comes and all is settled, or `end` was called; then puts away what is left. */
  async run(): Promise<void> {
    const { backlog, connection, portionBytes, lingerMs, inFlightRequests } = this.#options;
    // what is wrong with either is said at once
    await Promise.all([connection.connect(), this.#encoders.encoder([])]);
    for (;;) {
      const portion = await backlog.next(portionBytes, lingerMs, () => this.#ended);
      if (portion === undefined) break;
      const batches = await this.#encode(portion);
      while (this.#underWay.length >= inFlightRequests && !this.#ended) await this.#underWay[0]?.settled;
      this.#begin(portion, batches);
    }
    await this.#underWay.at(-1)?.settled;
    await this.#putAway();
  }

  /** Sends nothing more. What is under way settles with the client. */
  end(): void {
    this.#ended = true;
    this.#backoff.end();
    this.#encoders.end();
    this.#options.backlog.end();
  }

  /** Sends a portion, and settles it once it and all before it were sent. */
  #begin(portion: Portion, batches: readonly PartitionBatch[] | undefined): void {
    const sent = batches === undefined ? NOT_SENT : this.#send(portion, batches);
    const before = this.#underWay.at(-1)?.settled ?? Promise.resolve(true);
    const settled = Promise.all([before, sent]).then(async ([isFirst, isSent]) => {
      if (!isFirst || !isSent) return false;
      await this.#options.backlog.settle(portion);
      this.#underWay.shift();
      return true;
    });
    // whoever waits for it is told
    settled.catch(() => {});
    this.#underWay.push({ portion, sent, settled });
  }

  async #putAway(): Promise<void> {
    const { backlog, counters, log } = this.#options;
    for (const { portion, sent } of this.#underWay.splice(0)) {
      // what came from the spool behind something that was not sent stays there: it will be sent again
      if ((await sent) && portion.fromSpool.length === 0) await backlog.settle(portion);
    }
    const lost = await backlog.putAway();
    if (lost === 0) return;
    counters.addDropped('notSent', lost);
    log.error(
      { records: lost },
      'Kafka did not take all records before the end, and they could not be kept.',
    );
  }

  /** Undefined where `end` came before it was known how many partitions there are. */
  async #encode(portion: Portion): Promise<readonly PartitionBatch[] | undefined> {
    const { counters } = this.#options;
    const topics = (await this.#encoders.encoder([]))?.topics(portion.blocks);
    if (topics === undefined) return undefined;
    const partitions = await this.#partitions(topics);
    const encoder = await this.#encoders.encoder(topics);
    if (partitions === undefined || encoder === undefined) return undefined;
    const { batches, dropped } = encoder.encode(portion.blocks, partitions);
    portion.counted = portion.records;
    for (const batch of batches) portion.counted -= countOf(batch);
    let missing = portion.counted;
    for (const [reason, count] of dropped) {
      counters.addDropped(reason, count);
      missing -= count;
    }
    // a block that came from a disk may be other than it was
    if (missing > 0) counters.addDropped('damaged', missing);
    return batches;
  }

  /**
   * Partitions of these topics. One that is missing is waited for as long as its records would be: a partition chosen before
   * it is there would be another than that of the key. Undefined where `end` came first.
   */
  async #partitions(topics: ReadonlySet<string>): Promise<ReadonlyMap<string, number> | undefined> {
    const { connection } = this.#options;
    for (;;) {
      const known = await connection.partitions(topics);
      if (known === undefined || this.#ended) return undefined;
      let isWaitedFor = false;
      for (const topic of topics) {
        const problem = connection.problemOf(topic);
        // each is asked, so that the time of all of them runs
        if (problem === undefined || !this.#patience.isLeft(topic, problem)) continue;
        isWaitedFor = true;
        connection.failed(problem, topic);
      }
      if (!isWaitedFor) return known;
      await this.#backoff.wait();
    }
  }

  /** Sends batches until each is taken or refused for good. False where `end` came first. */
  async #send(portion: Portion, batches: readonly PartitionBatch[]): Promise<boolean> {
    const pending = new PendingBatches(batches);
    const { counted } = portion;
    while (!pending.isEmpty) {
      if (this.#ended) return false;
      if (this.#isTooOld(portion)) {
        this.#options.counters.addDropped('spoolExpired', pending.records);
        return true;
      }
      const round = pending.round();
      const outcomes = await this.#options.connection.send(round);
      let again = false;
      for (const [index, batch] of round.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined || !this.#take(pending, batch, outcome)) again = true;
      }
      portion.counted = counted + pending.settled;
      if (!again) this.#backoff.reset();
      else if (!this.#ended) await this.#backoff.wait();
    }
    return true;
  }

  /** What is out of the spool does not expire there, and with brokers away something always is. */
  #isTooOld({ fromSpool }: Portion): boolean {
    const { maxSeconds, now } = this.#options;
    const newest = fromSpool.at(-1);
    return maxSeconds > 0 && newest !== undefined && now() - newest.timeMs > maxSeconds * 1000;
  }

  /** Does what an outcome asks for; false where it is to wait. */
  #take(pending: PendingBatches, batch: PartitionBatch, outcome: Outcome): boolean {
    const { counters, connection } = this.#options;
    if (outcome.kind === 'delivered') {
      counters.addWritten(countOf(batch));
      counters.add('batches', 1);
      if (counters.failingSinceMs !== 0) counters.accepting();
      this.#patience.restore(batch.topic);
      pending.done(batch);
      return true;
    }
    const { failure } = outcome;
    if (outcome.kind === 'retry' || this.#patience.isLeft(batch.topic, failure)) {
      counters.add('resentBatches', 1);
      connection.failed(failure, batch.topic);
      return false;
    }
    if (failure.reason === 'tooLarge' && batch.records.length > 1) pending.split(batch);
    else {
      this.#refuse(batch, failure);
      pending.done(batch);
    }
    return true;
  }

  #refuse(batch: PartitionBatch, failure: KafkaFailure): void {
    const { counters, connection } = this.#options;
    const count = countOf(batch);
    counters.addDropped(failure.reason, count);
    counters.failing(failure.reason, this.#options.now());
    connection.complaints.refused(failure, batch.topic, count);
  }
}

interface UnderWay {
  readonly portion: Portion;
  /** Whether all of it was taken, or refused for good; false where `end` came first. */
  readonly sent: Promise<boolean>;
  readonly settled: Promise<boolean>;
}

const NOT_SENT: Promise<boolean> = Promise.resolve(false);
