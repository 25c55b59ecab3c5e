import type { ProducerEvents } from '../../../native/kafka-events.ts';
import { RdKafkaOptionError } from '../../../native/kafka-opening.ts';
import { KafkaProducer } from '../../../native/kafka-producer.ts';
import { rdKafkaError as code } from '../../../native/rdkafka-layout.ts';
import { rdKafka } from '../../../native/rdkafka.ts';
import { MirrorError } from '../../../observe/error.ts';
import type { Log } from '../../../observe/log.ts';
import { KafkaError, type KafkaFailure } from '../client.ts';
import type { Secrets } from '../secrets.ts';
import type { KafkaClientSettings } from '../settings.ts';
import type { ClientOptions } from './client-options.ts';
import { BatchSender } from './batch-sender.ts';
import { failureOf, repeatsNonce } from './librdkafka-failures.ts';
import { librdkafkaOptions } from './librdkafka-options.ts';

/** Wait between two looks whether a broker is up. */
const LOOK_MS = 50;
/** A token that does not say when it ends is asked for again a little before this. */
const TOKEN_MS = 300_000;
/** librdkafka repeats itself while a broker is away: one line of so many ms is a warning, the others are for debugging. */
const WARNING_MS = 10_000;
/** Past this level of syslog (warning) a line of its log is no warning. */
const WARNING_LEVEL = 4;

/**
 * The producer of librdkafka that a client has at present: made when it is first needed, made anew after a fatal error, and heard
 * while it lives. Whoever waits for it is told when it fails.
 */
export class LiveProducer {
  /** Batches that are with it. */
  readonly sender = new BatchSender();
  readonly #settings: KafkaClientSettings;
  readonly #secrets: Secrets;
  readonly #log: Log;
  readonly #worker: number;
  readonly #events: ProducerEvents;
  /** Those who wait for a broker. */
  readonly #failing = new Set<(failure: KafkaFailure) => void>();
  #trouble: KafkaFailure | undefined;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: ClientOptions, secrets: Secrets) {
    this.#settings = options.settings;
    this.#worker = options.worker;
    this.#log = options.log;
    this.#secrets = secrets;
    this.#events = {
      reported: (id, error) => {
        if (error === 0) this.#trouble = undefined;
        this.sender.report(id, error);
      },
      settled: () => this.sender.fill(),
      failed: (error, text) => this.#fail(error, text),
      logged: (level, text) => this.#tell(level, text),
      tokenWanted: () => void this.#bringToken(),
    };
  }

  /** What was last wrong with a broker; undefined once one has acknowledged something. */
  get trouble(): KafkaFailure | undefined {
    return this.#trouble;
  }

  /** @throws KafkaError - the client is closed; MirrorError CONFIG_INVALID */
  open(): KafkaProducer {
    if (this.#closed) throw new KafkaError(closed);
    try {
      this.sender.producer ??= new KafkaProducer(
        librdkafkaOptions(this.#settings, this.#secrets),
        this.#events,
      );
      return this.sender.producer;
    } catch (thrown) {
      if (!(thrown instanceof RdKafkaOptionError)) throw thrown;
      const setting = thrown.option === '' ? 'options' : `options.${thrown.option}`;
      const message = `librdkafka does not take its options: ${thrown.message}`;
      throw new MirrorError('CONFIG_INVALID', message, { setting }, { cause: thrown });
    }
  }

  /** The producer, once a broker of it is up. Rejects with a KafkaError. */
  async untilUp(endMs: number): Promise<KafkaProducer> {
    const producer = this.open();
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
          const { requestTimeoutMs, brokers } = this.#settings;
          const message = `no broker answered within ${requestTimeoutMs} ms`;
          throw new KafkaError(this.#trouble ?? { reason: 'timeout', message, broker: brokers.join(',') });
        }
        await soon();
        if (this.sender.producer !== producer) throw new KafkaError(failure ?? closed);
      }
      return producer;
    } finally {
      this.#failing.delete(tell);
    }
  }

  /** What is under way is given up. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#giveUp(closed)?.close();
  }

  #fail(error: number, text: string): void {
    if (error === code.RD_KAFKA_RESP_ERR__FATAL) return this.#replace();
    const isSummary = error === code.RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    // "all brokers are down" says less than what was wrong with the last one
    if (!isSummary || this.#trouble === undefined) this.#trouble = this.#explain(failureOf(error, text));
    const failure = this.#trouble;
    if (!isSummary && failure.reason !== 'authentication') return;
    this.sender.leaveAll(failure);
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
    const fatal = this.sender.producer?.fatal();
    const failure = failureOf(fatal?.error ?? code.RD_KAFKA_RESP_ERR__FATAL, fatal?.text);
    this.#log.error({ worker: this.#worker, reason: failure.message }, 'The Kafka producer is replaced.');
    void this.#giveUp({ ...failure, reason: 'unavailable' })?.close();
  }

  /** Tells all who wait, and hands out the producer that has nothing to report any more. */
  #giveUp(failure: KafkaFailure): KafkaProducer | undefined {
    const { producer } = this.sender;
    this.sender.giveUp(failure);
    for (const tell of this.#failing) tell(failure);
    return producer;
  }

  async #bringToken(): Promise<void> {
    const producer = this.sender.producer;
    try {
      const { value, expiresAtMs } = await this.#secrets.token();
      if (this.sender.producer !== producer || producer === undefined) return;
      const { username } = this.#settings.sasl;
      const principal = username === '' ? this.#settings.clientId : username;
      const why = producer.setToken(value, expiresAtMs ?? Date.now() + TOKEN_MS, principal);
      if (why !== undefined) producer.refuseToken(why);
    } catch (thrown) {
      if (this.sender.producer === producer) producer?.refuseToken(unexpected(thrown).message);
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

const closed: KafkaFailure = { reason: 'unreachable', message: 'the client was closed' };

/** What was thrown, as a failure that passes. */
export function unexpected(thrown: unknown): KafkaFailure {
  return { reason: 'unreachable', message: thrown instanceof Error ? thrown.message : String(thrown) };
}

/** Waits until it is time to look again. */
export function soon(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOOK_MS);
  });
}
