import type { KafkaProducer } from '../../../native/kafka-producer.ts';
import { rdKafkaError as code } from '../../../native/rdkafka-layout.ts';
import { loadRdKafka } from '../../../native/rdkafka.ts';
import { MirrorError } from '../../../observe/error.ts';
import {
  type KafkaClient,
  KafkaError,
  type Outcome,
  type PartitionBatch,
  type TopicFacts,
} from '../client.ts';
import type { Secrets } from '../secrets.ts';
import type { KafkaClientSettings } from '../settings.ts';
import type { ClientOptions } from './client-options.ts';
import { failureOf, meaningOf } from './librdkafka-failures.ts';
import { LiveProducer, soon, unexpected } from './live-producer.ts';

/** Longest wait of a thread of the pool for a broker that is up. */
const ANSWER_MS = 1000;

/**
 * The system's librdkafka. It retries by itself and for ever, with the sequence numbers that records have: `retry` means
 * that they are still with it, and the same batch sent again waits for those that are. Another batch for that partition
 * instead takes them back, and all else that is under way: what had arrived of it is then there twice.
 *
 * A batch may travel in several requests, so that of a refused one some records may have arrived.
 */
export class LibrdkafkaClient implements KafkaClient {
  readonly #settings: KafkaClientSettings;
  readonly #live: LiveProducer;
  readonly #calls = new Set<Promise<unknown>>();

  /** @throws MirrorError KAFKA_CLIENT_UNAVAILABLE - the system has no librdkafka */
  static async make(options: ClientOptions, secrets: Secrets): Promise<LibrdkafkaClient> {
    const reason = await loadRdKafka();
    if (reason !== undefined) throw unavailable(reason);
    return new LibrdkafkaClient(options, secrets);
  }

  private constructor(options: ClientOptions, secrets: Secrets) {
    this.#settings = options.settings;
    this.#live = new LiveProducer(options, secrets);
  }

  async connect(): Promise<void> {
    await this.#live.untilUp(performance.now() + this.#settings.requestTimeoutMs);
  }

  async topic(name: string): Promise<TopicFacts | undefined> {
    const endMs = performance.now() + this.#settings.requestTimeoutMs;
    for (;;) {
      const producer = await this.#live.untilUp(endMs);
      const { error, partitions } = await producer.metadata(name, ANSWER_MS);
      if (error === code.RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return undefined;
      if (error === code.RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) return undefined;
      if (error === 0 && partitions > 0)
        return { partitions, maxMessageBytes: await this.#limit(producer, name) };
      if (meaningOf(error).kind === 'refused') throw new KafkaError(failureOf(error));
      if (performance.now() >= endMs) throw new KafkaError(this.#live.trouble ?? failureOf(error));
      await soon();
    }
  }

  async createTopic(name: string, partitions: number, replication: number): Promise<void> {
    const timeoutMs = this.#settings.requestTimeoutMs;
    const producer = await this.#live.untilUp(performance.now() + timeoutMs);
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

  close(): Promise<void> {
    return this.#live.close();
  }

  async #send(batches: readonly PartitionBatch[]): Promise<readonly Outcome[]> {
    try {
      this.#live.open();
    } catch (thrown) {
      const failure = thrown instanceof KafkaError ? thrown.failure : unexpected(thrown);
      return batches.map(() => ({ kind: 'retry', failure }));
    }
    const { sender } = this.#live;
    const settled = batches.map((batch) => sender.begin(batch));
    const unanswered = setTimeout(() => {
      const { requestTimeoutMs } = this.#settings;
      const message = `no broker has acknowledged the records within ${requestTimeoutMs} ms`;
      const failure = this.#live.trouble ?? { reason: 'timeout', message };
      for (const { entry } of settled) if (entry?.settle !== undefined) sender.leave(entry, failure);
    }, this.#settings.requestTimeoutMs);
    sender.fill();
    try {
      return await Promise.all(settled.map(async ({ outcome }) => outcome));
    } finally {
      clearTimeout(unanswered);
    }
  }

  async #limit(producer: KafkaProducer, name: string): Promise<number | undefined> {
    const { error, values } = await producer.describeTopic(name, this.#settings.requestTimeoutMs);
    const limit = error === 0 ? Number(values.get('max.message.bytes')) : Number.NaN;
    return Number.isSafeInteger(limit) ? limit : undefined;
  }
}

function unavailable(reason: string): MirrorError {
  return new MirrorError(
    'KAFKA_CLIENT_UNAVAILABLE',
    `The Kafka client librdkafka cannot be used: ${reason} Install the package librdkafka1, or choose another client.`,
    { client: 'librdkafka' },
  );
}
