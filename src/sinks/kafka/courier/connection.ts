import type {
  KafkaClient,
  KafkaFailure,
  KafkaFailureReason,
  Outcome,
  PartitionBatch,
  TopicFacts,
} from '../client.ts';
import { KafkaError } from '../client.ts';
import type { Log } from '../../../observe/log.ts';
import type { KafkaSettings } from '../settings.ts';
import { Backoff } from './backoff.ts';
import { Complaints } from './complaints.ts';
import { Topics } from './topics.ts';

/** Bytes that a batch has besides its records, and that a client may reckon otherwise than we do. */
const BATCH_OVERHEAD_BYTES = 1024;

/** Failures that say nothing of a topic: no broker can be talked to. */
const AWAY: readonly KafkaFailureReason[] = ['unreachable', 'timeout', 'authentication', 'garbage'];
const NO_TOPICS: ReadonlySet<string> = new Set();

export interface ConnectionOptions {
  readonly client: KafkaClient;
  readonly settings: KafkaSettings;
  /** The user's name for the sink. */
  readonly sink: string;
  readonly log: Log;
  readonly now: () => number;
}

/** The brokers as the lines of one courier see them: reached or not, with what is known of their topics. */
export class Connection {
  readonly complaints: Complaints;
  readonly #client: KafkaClient;
  readonly #settings: KafkaSettings;
  readonly #log: Log;
  readonly #sink: string;
  readonly #topics: Topics;
  readonly #backoff: Backoff;
  #connected: Promise<void> | undefined;
  #isUp = false;
  #ended = false;
  #closing: Promise<void> | undefined;

  constructor({ client, settings, sink, log, now }: ConnectionOptions) {
    this.#client = client;
    this.#settings = settings;
    this.#sink = sink;
    this.#log = log;
    this.complaints = new Complaints(log, sink, now);
    this.#backoff = new Backoff(settings.retryMaxMs);
    this.#topics = new Topics(client, settings.createTopics, now, (name, facts, created) =>
      this.#sayTopic(name, facts, created),
    );
  }

  /** The last that was asked of a broker was answered. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Settles once a broker was reached, however long it takes, or `end` was called. */
  async connect(): Promise<void> {
    this.#connected ??= this.#connect();
    await this.#connected;
  }

  /** Partitions of these topics, however long it takes to learn them; undefined once `end` was called. */
  async partitions(names: ReadonlySet<string>): Promise<ReadonlyMap<string, number> | undefined> {
    while (!this.#ended) {
      const known = await this.#topics.partitions(names);
      if (known instanceof Map) return known;
      this.failed(known as KafkaFailure, undefined);
      await this.#backoff.wait();
    }
    return undefined;
  }

  /** The topic was looked for, and is not there or not for this user. */
  problemOf(topic: string): KafkaFailure | undefined {
    return this.#topics.problem(topic);
  }

  /** Most bytes of one batch that all of these topics take, as far as is known. */
  batchBytes(names: Iterable<string>): number {
    return Math.min(this.#settings.batchBytes, this.#topics.smallestLimit(names) - BATCH_OVERHEAD_BYTES);
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly Outcome[]> {
    const outcomes = await this.#client.sendBatch(batches);
    const taking = batches.filter((_, index) => outcomes[index]?.kind === 'delivered');
    if (taking.length > 0) this.#works(new Set(taking.map(({ topic }) => topic)));
    return outcomes;
  }

  /** Something was tried that will be tried again. */
  failed(failure: KafkaFailure, topic: string | undefined): void {
    if (AWAY.includes(failure.reason)) this.#isUp = false;
    if (topic !== undefined && failure.reason === 'noTopic') this.#topics.forget(topic);
    this.complaints.failing(failure, topic);
  }

  /** Ends all waiting; what is under way settles. */
  end(): void {
    this.#ended = true;
    this.#backoff.end();
  }

  /** Ends all waiting and all connections: what is under way settles at once, to be sent again. */
  close(): Promise<void> {
    this.end();
    this.#closing ??= this.#client.close();
    return this.#closing;
  }

  async #connect(): Promise<void> {
    while (!this.#ended) {
      try {
        await this.#client.connect();
        this.#works(NO_TOPICS);
        const { client, brokers } = this.#settings;
        this.#log.info({ sink: this.#sink, client, brokers: brokers.join(',') }, 'Kafka was reached.');
        return;
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        this.failed(error.failure, undefined);
      }
      await this.#backoff.wait();
    }
  }

  #works(topics: ReadonlySet<string>): void {
    this.#backoff.reset();
    this.#isUp = true;
    this.complaints.works(topics);
  }

  #sayTopic(topic: string, facts: TopicFacts | undefined, created: boolean): void {
    const sink = this.#sink;
    if (facts === undefined) {
      this.complaints.failing({ reason: 'noTopic', message: 'The topic is not there.' }, topic);
      return;
    }
    const { partitions, maxMessageBytes } = facts;
    if (created) this.#log.info({ sink, topic, partitions }, 'The topic was created.');
    if (maxMessageBytes === undefined || maxMessageBytes - BATCH_OVERHEAD_BYTES >= this.#settings.batchBytes)
      return;
    this.#log.warn(
      { sink, topic, maxMessageBytes, batchBytes: this.#settings.batchBytes },
      'The topic takes smaller batches than batchBytes: they are made as small as it asks for.',
    );
  }
}
