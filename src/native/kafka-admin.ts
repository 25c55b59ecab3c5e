import { TEXT_BYTES, textOf } from './kafka-text.ts';
import { rdKafkaError, rdKafkaNumber as number } from './rdkafka-layout.ts';
import { type RdKafka, rdKafka } from './rdkafka.ts';

export interface AdminResult {
  /** 0, or why not. */
  readonly error: number;
  readonly text: string;
  /** Of `describeTopic`: values by name. */
  readonly values: ReadonlyMap<string, string>;
}

const none: ReadonlyMap<string, string> = new Map();

/** Requests to the cluster's controller, answered by events of the producer's queue. */
export class AdminRequests {
  readonly #library: RdKafka = rdKafka();
  readonly #producer: bigint;
  readonly #queue: bigint;
  readonly #waiting = new Map<number, (result: AdminResult) => void>();
  #last = 0;

  constructor(producer: bigint, queue: bigint) {
    this.#producer = producer;
    this.#queue = queue;
  }

  createTopic(
    name: string,
    partitions: number,
    replication: number,
    timeoutMs: number,
  ): Promise<AdminResult> {
    const kafka = this.#library;
    const why = Buffer.alloc(TEXT_BYTES);
    const topic = kafka.NewTopic_new(name, partitions, replication, why, why.length);
    if (topic === null) {
      return Promise.resolve({
        error: rdKafkaError.RD_KAFKA_RESP_ERR__INVALID_ARG,
        text: textOf(why),
        values: none,
      });
    }
    try {
      return this.#ask(number.RD_KAFKA_ADMIN_OP_CREATETOPICS, timeoutMs, (options) =>
        kafka.CreateTopics(this.#producer, pointerTo(topic), 1, options, this.#queue),
      );
    } finally {
      kafka.NewTopic_destroy(topic);
    }
  }

  describeTopic(name: string, timeoutMs: number): Promise<AdminResult> {
    const kafka = this.#library;
    const resource = kafka.ConfigResource_new(number.RD_KAFKA_RESOURCE_TOPIC, name);
    try {
      return this.#ask(number.RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeoutMs, (options) =>
        kafka.DescribeConfigs(this.#producer, pointerTo(resource), 1, options, this.#queue),
      );
    } finally {
      kafka.ConfigResource_destroy(resource);
    }
  }

  /** An event that may be an answer. */
  answered(event: bigint): void {
    const kafka = this.#library;
    const type = kafka.event_type(event);
    const isCreation = type === number.RD_KAFKA_EVENT_CREATETOPICS_RESULT;
    if (!isCreation && type !== number.RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT) return;
    const opaque = Number(kafka.event_opaque(event) ?? 0n);
    const resolve = this.#waiting.get(opaque);
    this.#waiting.delete(opaque);
    const error = kafka.event_error(event);
    if (error !== 0) resolve?.({ error, text: kafka.event_error_string(event) ?? '', values: none });
    else resolve?.(isCreation ? this.#readCreation(event) : this.#readValues(event));
  }

  /** The producer goes: nobody answers any more. */
  abandon(): void {
    for (const resolve of this.#waiting.values()) {
      resolve({
        error: rdKafkaError.RD_KAFKA_RESP_ERR__TIMED_OUT,
        text: 'the client was closed',
        values: none,
      });
    }
    this.#waiting.clear();
  }

  #ask(operation: number, timeoutMs: number, send: (options: bigint) => void): Promise<AdminResult> {
    const kafka = this.#library;
    const options = kafka.AdminOptions_new(this.#producer, operation);
    const why = Buffer.alloc(TEXT_BYTES);
    const opaque = ++this.#last;
    kafka.AdminOptions_set_request_timeout(options, timeoutMs, why, why.length);
    kafka.AdminOptions_set_opaque(options, BigInt(opaque));
    const answer = new Promise<AdminResult>((resolve) => {
      this.#waiting.set(opaque, resolve);
    });
    send(options);
    kafka.AdminOptions_destroy(options);
    return answer;
  }

  #readCreation(event: bigint): AdminResult {
    const kafka = this.#library;
    const count = Buffer.alloc(8);
    const topics = kafka.CreateTopics_result_topics(kafka.event_CreateTopics_result(event), count);
    const [result] = this.#pointers(topics, count);
    if (result === undefined) return { error: rdKafkaError.RD_KAFKA_RESP_ERR__FAIL, text: '', values: none };
    const text = kafka.topic_result_error_string(result) ?? '';
    return { error: kafka.topic_result_error(result), text, values: none };
  }

  #readValues(event: bigint): AdminResult {
    const kafka = this.#library;
    const count = Buffer.alloc(8);
    const resources = kafka.DescribeConfigs_result_resources(
      kafka.event_DescribeConfigs_result(event),
      count,
    );
    const [resource] = this.#pointers(resources, count);
    if (resource === undefined)
      return { error: rdKafkaError.RD_KAFKA_RESP_ERR__FAIL, text: '', values: none };
    const entries = this.#pointers(kafka.ConfigResource_configs(resource, count), count);
    const values = entries.map(
      (entry) => [kafka.ConfigEntry_name(entry), kafka.ConfigEntry_value(entry) ?? ''] as const,
    );
    return { error: kafka.ConfigResource_error(resource), text: '', values: new Map(values) };
  }

  /** The pointers of an array of C. */
  #pointers(at: bigint | null, count: Buffer): bigint[] {
    const entries = Number(count.readBigUInt64LE());
    if (at === null || entries === 0) return [];
    const bytes = Buffer.alloc(entries * 8);
    this.#library.memcpy(bytes, at, bytes.length);
    return Array.from({ length: entries }, (_, i) => bytes.readBigUInt64LE(i * 8));
  }
}

function pointerTo(handle: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(handle);
  return bytes;
}
