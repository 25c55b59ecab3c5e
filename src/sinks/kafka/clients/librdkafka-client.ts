import type { ProducerEvents } from '../../../native/kafka-events.ts';
import { KafkaProducer, RdKafkaOptionError } from '../../../native/kafka-producer.ts';
import { rdKafkaError as code } from '../../../native/rdkafka-layout.ts';
import { loadRdKafka, rdKafka } from '../../../native/rdkafka.ts';
import { MirrorError } from '../../../observe/error.ts';
import type { Log } from '../../../observe/log.ts';
import {
  type KafkaClient,
  KafkaError,
  type KafkaFailure,
  type Outcome,
  type PartitionBatch,
  type TopicFacts,
} from '../client.ts';
import type { Secrets } from '../secrets.ts';
import type { KafkaClientSettings } from '../settings.ts';
import type { ClientOptions } from './client-options.ts';
import { BatchSender } from './batch-sender.ts';
import { failureOf, meaningOf, repeatsNonce } from './librdkafka-failures.ts';
import { librdkafkaOptions } from './librdkafka-options.ts';

/** Wait between two looks whether a broker is up. */
const LOOK_MS = 50;
/** Longest wait of a thread of the pool for a broker that is up. */
const ANSWER_MS = 1000;
/** A token that does not say when it ends is asked for again a little before this. */
const TOKEN_MS = 300_000;
/** librdkafka repeats itself while a broker is away: one line of so many ms is a warning, the others are for debugging. */
const WARNING_MS = 10_000;
/** Past this level of syslog (warning) a line of its log is no warning. */
const WARNING_LEVEL = 4;

/**
 * The system's librdkafka. It retries by itself and for ever, with the sequence numbers that records have: `retry` means
 * that they are still with it, and the same batch sent again waits for those that are. Another batch for that partition
 * instead takes them back, and all else that is under way: what had arrived of it is then there twice.
 *
 * A batch may travel in several requests, so that of a refused one some records may have arrived.
 */
export class LibrdkafkaClient implements KafkaClient {
  readonly #settings: KafkaClientSettings;
  readonly #secrets: Secrets;
  readonly #log: Log;
  readonly #worker: number;
  readonly #sender = new BatchSender();
  readonly #calls = new Set<Promise<unknown>>();
  readonly #events: ProducerEvents;
  /** Those who wait for a broker. */
  readonly #failing = new Set<(failure: KafkaFailure) => void>();
  #trouble: KafkaFailure | undefined;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** @throws MirrorError KAFKA_CLIENT_UNAVAILABLE - the system has no librdkafka */
  static async make(options: ClientOptions, secrets: Secrets): Promise<LibrdkafkaClient> {
    const reason = await loadRdKafka();
    if (reason !== undefined) throw unavailable(reason);
    return new LibrdkafkaClient(options, secrets);
  }

  private constructor(options: ClientOptions, secrets: Secrets) {
    this.#settings = options.settings;
    this.#worker = options.worker;
    this.#log = options.log;
    this.#secrets = secrets;
    this.#events = {
      reported: (id, error) => {
        if (error === 0) this.#trouble = undefined;
        this.#sender.report(id, error);
      },
      settled: () => this.#sender.fill(),
      failed: (error, text) => this.#fail(error, text),
      logged: (level, text) => this.#tell(level, text),
      tokenWanted: () => void this.#bringToken(),
    };
  }

  async connect(): Promise<void> {
    await this.#untilUp(performance.now() + this.#settings.requestTimeoutMs);
  }

  async topic(name: string): Promise<TopicFacts | undefined> {
    const endMs = performance.now() + this.#settings.requestTimeoutMs;
    for (;;) {
      const producer = await this.#untilUp(endMs);
      const { error, partitions } = await producer.metadata(name, ANSWER_MS);
      if (error === code.RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return undefined;
      if (error === code.RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) return undefined;
      if (error === 0 && partitions > 0)
        return { partitions, maxMessageBytes: await this.#limit(producer, name) };
      if (meaningOf(error).kind === 'refused') throw new KafkaError(failureOf(error));
      if (performance.now() >= endMs) throw new KafkaError(this.#trouble ?? failureOf(error));
      await soon();
    }
  }

  async createTopic(name: string, partitions: number, replication: number): Promise<void> {
    const timeoutMs = this.#settings.requestTimeoutMs;
    const producer = await this.#untilUp(performance.now() + timeoutMs);
    const { error, text } = await producer.createTopic(name, partitions, replication, timeoutMs);
    if (error === 0 || error === code.RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return;
    throw new KafkaError(failureOf(error, text));
  }

  sendBatch(batches: readonly PartitionBatch[]): Promise<readonly Outcome[]> {
    const call = this.#send(batches);
    this.#calls.add(call);
    void call.finally(() => this.#calls.delete(call));
    return call;
  }

  async flush(): Promise<void> {
    await Promise.allSettled(this.#calls);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const producer = this.#giveUp({ reason: 'unreachable', message: 'the client was closed' });
    await producer?.close();
  }

  async #send(batches: readonly PartitionBatch[]): Promise<readonly Outcome[]> {
    try {
      this.#open();
    } catch (thrown) {
      const failure = thrown instanceof KafkaError ? thrown.failure : unexpected(thrown);
      return batches.map(() => ({ kind: 'retry', failure }));
    }
    const settled = batches.map((batch) => this.#sender.begin(batch));
    const unanswered = setTimeout(() => {
      const { requestTimeoutMs } = this.#settings;
      const message = `no broker has acknowledged the records within ${requestTimeoutMs} ms`;
      const failure = this.#trouble ?? { reason: 'timeout', message };
      for (const { entry } of settled) if (entry?.settle !== undefined) this.#sender.leave(entry, failure);
    }, this.#settings.requestTimeoutMs);
    this.#sender.fill();
    try {
      return await Promise.all(settled.map(async ({ outcome }) => outcome));
    } finally {
      clearTimeout(unanswered);
    }
  }

  #fail(error: number, text: string): void {
    if (error === code.RD_KAFKA_RESP_ERR__FATAL) return this.#replace();
    const isSummary = error === code.RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    // "all brokers are down" says less than what was wrong with the last one
    if (!isSummary || this.#trouble === undefined) this.#trouble = this.#explain(failureOf(error, text));
    const failure = this.#trouble;
    if (!isSummary && failure.reason !== 'authentication') return;
    this.#sender.leaveAll(failure);
    for (const tell of this.#failing) tell(failure);
  }

  #explain(failure: KafkaFailure): KafkaFailure {
    const { mechanism } = this.#settings.sasl;
    if (failure.reason !== 'authentication' || !mechanism.startsWith('scram-')) return failure;
    const version = rdKafka().version_str();
    if (!repeatsNonce(version)) return failure;
    const hint = `librdkafka ${version} cannot do SCRAM with brokers of Kafka 4: take 2.6.1 or newer, or another client`;
    return { ...failure, message: `${failure.message}. ${hint}` };
  }

  /** A producer with a fatal error does nothing any more: the next call begins a new one. */
  #replace(): void {
    const fatal = this.#sender.producer?.fatal();
    const failure = failureOf(fatal?.error ?? code.RD_KAFKA_RESP_ERR__FATAL, fatal?.text);
    this.#log.error({ worker: this.#worker, reason: failure.message }, 'The Kafka producer is replaced.');
    void this.#giveUp({ ...failure, reason: 'unavailable' })?.close();
  }

  /** Tells all who wait, and hands out the producer that has nothing to report any more. */
  #giveUp(failure: KafkaFailure): KafkaProducer | undefined {
    const { producer } = this.#sender;
    this.#sender.giveUp(failure);
    for (const tell of this.#failing) tell(failure);
    return producer;
  }

  /** @throws KafkaError - the client is closed; MirrorError CONFIG_INVALID */
  #open(): KafkaProducer {
    if (this.#closed) throw new KafkaError({ reason: 'unreachable', message: 'the client was closed' });
    try {
      this.#sender.producer ??= new KafkaProducer(
        librdkafkaOptions(this.#settings, this.#secrets),
        this.#events,
      );
      return this.#sender.producer;
    } catch (thrown) {
      if (!(thrown instanceof RdKafkaOptionError)) throw thrown;
      const setting = thrown.option === '' ? 'options' : `options.${thrown.option}`;
      const message = `librdkafka does not take its options: ${thrown.message}`;
      throw new MirrorError('CONFIG_INVALID', message, { setting }, { cause: thrown });
    }
  }

  /** The producer, once a broker of it is up. Rejects with a KafkaError. */
  async #untilUp(endMs: number): Promise<KafkaProducer> {
    const producer = this.#open();
    let failure: KafkaFailure | undefined;
    const tell = (told: KafkaFailure): void => {
      failure = told;
    };
    this.#failing.add(tell);
    try {
      while (!producer.isUp()) {
        producer.poll();
        if (failure !== undefined) throw new KafkaError(failure);
        if (performance.now() >= endMs) {
          const message = `no broker answered within ${this.#settings.requestTimeoutMs} ms`;
          throw new KafkaError(this.#trouble ?? { reason: 'timeout', message });
        }
        await soon();
        if (this.#sender.producer !== producer) throw new KafkaError(failure ?? closing);
      }
      return producer;
    } finally {
      this.#failing.delete(tell);
    }
  }

  async #limit(producer: KafkaProducer, name: string): Promise<number | undefined> {
    const { error, values } = await producer.describeTopic(name, this.#settings.requestTimeoutMs);
    const limit = error === 0 ? Number(values.get('max.message.bytes')) : Number.NaN;
    return Number.isSafeInteger(limit) ? limit : undefined;
  }

  async #bringToken(): Promise<void> {
    const producer = this.#sender.producer;
    try {
      const { value, expiresAtMs } = await this.#secrets.token();
      if (this.#sender.producer !== producer || producer === undefined) return;
      const { username } = this.#settings.sasl;
      const principal = username === '' ? this.#settings.clientId : username;
      const why = producer.setToken(value, expiresAtMs ?? Date.now() + TOKEN_MS, principal);
      if (why !== undefined) producer.refuseToken(why);
    } catch (thrown) {
      if (this.#sender.producer === producer) producer?.refuseToken(unexpected(thrown).message);
    }
  }

  #tell(level: number, text: string): void {
    const nowMs = performance.now();
    const fields = { worker: this.#worker, librdkafka: text };
    if (level > WARNING_LEVEL || nowMs - this.#warnedAtMs < WARNING_MS) {
      this.#log.debug(fields, 'librdkafka says something.');
      return;
    }
    this.#warnedAtMs = nowMs;
    this.#log.warn(fields, 'librdkafka warns.');
  }
}

const closing: KafkaFailure = { reason: 'unreachable', message: 'the client was closed' };

function unexpected(thrown: unknown): KafkaFailure {
  return { reason: 'unreachable', message: thrown instanceof Error ? thrown.message : String(thrown) };
}

function unavailable(reason: string): MirrorError {
  return new MirrorError(
    'KAFKA_CLIENT_UNAVAILABLE',
    `The Kafka client librdkafka cannot be used: ${reason} Install the package librdkafka1, or choose another client.`,
    { client: 'librdkafka' },
  );
}

function soon(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOOK_MS);
  });
}
