import { AdminRequests, type AdminResult } from './kafka-admin.ts';
import { EventReader, type ProducerEvents } from './kafka-events.ts';
import { RecordTable, type NativeRecord } from './kafka-record-table.ts';
import {
  rdKafkaMetadata as metadata,
  rdKafkaMetadataTopic as metadataTopic,
  rdKafkaError,
  rdKafkaNumber as number,
} from './rdkafka-layout.ts';
import { type RdKafka, rdKafka } from './rdkafka.ts';
import { WakePipe } from './wake-pipe.ts';

/** An option that librdkafka does not know or does not take. */
export class RdKafkaOptionError extends Error {
  readonly option: string;

  constructor(option: string, text: string) {
    super(text);
    this.name = 'RdKafkaOptionError';
    this.option = option;
  }
}

export interface TopicMetadata {
  readonly error: number;
  readonly partitions: number;
}

const TEXT_BYTES = 512;
/** Events that are served before others of this thread have their turn. */
const EVENTS_AT_ONCE = 64;

/**
 * A producer of librdkafka. Its threads do the sending; this one only fills its queue and reads its events, so that no call
 * here waits for a broker, save `metadata`, which waits on a thread of the pool.
 */
export class KafkaProducer {
  readonly #library: RdKafka = rdKafka();
  readonly #events: ProducerEvents;
  readonly #producer: bigint;
  readonly #queue: bigint;
  readonly #wake: WakePipe;
  /** Kept here: librdkafka writes from it for as long as the producer lives. */
  readonly #wakeByte = Buffer.from([1]);
  readonly #table = new RecordTable();
  readonly #topics = new Map<string, bigint>();
  readonly #admin: AdminRequests;
  readonly #reader: EventReader;
  #closed = false;
  #serving = false;

  /**
   * After `loadRdKafka`.
   *
   * @throws RdKafkaOptionError
   */
  constructor(options: ReadonlyMap<string, string>, events: ProducerEvents) {
    const kafka = this.#library;
    this.#events = events;
    this.#producer = open(kafka, options);
    this.#queue = kafka.queue_get_main(this.#producer);
    kafka.set_log_queue(this.#producer, this.#queue);
    this.#admin = new AdminRequests(this.#producer, this.#queue);
    this.#reader = new EventReader(events, this.#admin);
    this.#wake = new WakePipe(() => this.#serve());
    kafka.queue_io_event_enable(this.#queue, this.#wake.writeDescriptor, this.#wakeByte, 1);
    // what came before the pipe was there did not wake anybody
    setImmediate(() => this.#serve());
  }

  /**
   * Queues a record, copied. `aim` says where it goes.
   *
   * @returns 0, or why not: `RD_KAFKA_RESP_ERR__QUEUE_FULL`, a code that is final for this record
   */
  produce(record: NativeRecord): number {
    const kafka = this.#library;
    const error = kafka.produceva(this.#producer, this.#table.memory, this.#table.fill(record));
    if (error === null) return 0;
    const code = kafka.error_code(error);
    kafka.error_destroy(error);
    return code;
  }

  /** Where the next records go, and what their reports carry: a whole number below 2^53. */
  aim(topic: string, partition: number, opaque: number): void {
    this.#table.aim(this.#topic(topic), partition, opaque);
  }

  /** Gives up all that is queued or under way; the reports follow. */
  purge(): void {
    const { RD_KAFKA_PURGE_F_QUEUE, RD_KAFKA_PURGE_F_INFLIGHT, RD_KAFKA_PURGE_F_NON_BLOCKING } = number;
    this.#library.purge(
      this.#producer,
      RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING,
    );
  }

  /** Why this producer can do nothing any more; undefined where it can. */
  fatal(): { readonly error: number; readonly text: string } | undefined {
    const text = Buffer.alloc(TEXT_BYTES);
    const error = this.#library.fatal_error(this.#producer, text, text.length);
    return error === 0 ? undefined : { error, text: textOf(text) };
  }

  /** Whether a broker is connected and has said which versions it speaks. Waits for nothing. */
  isUp(): boolean {
    const kafka = this.#library;
    const answer = Buffer.alloc(8);
    const error = kafka.metadata(this.#producer, 0, null, answer, 0);
    if (error === 0) kafka.metadata_destroy(answer.readBigUInt64LE());
    return error !== rdKafkaError.RD_KAFKA_RESP_ERR__TRANSPORT;
  }

  /** Asks any broker that is up about one topic. Waits for the answer on a thread of the pool: keep `timeoutMs` short. */
  async metadata(topic: string, timeoutMs: number): Promise<TopicMetadata> {
    const kafka = this.#library;
    const handle = this.#topic(topic);
    const answer = Buffer.alloc(8);
    const error = await new Promise<number>((resolve, reject) => {
      kafka.metadata.async(this.#producer, 0, handle, answer, timeoutMs, (thrown, result) =>
        thrown === null ? resolve(result) : reject(thrown),
      );
    });
    return error === 0 ? readMetadata(kafka, answer.readBigUInt64LE()) : { error, partitions: 0 };
  }

  /** Creates a topic; settles within `timeoutMs` and a little. */
  createTopic(
    name: string,
    partitions: number,
    replication: number,
    timeoutMs: number,
  ): Promise<AdminResult> {
    return this.#admin.createTopic(name, partitions, replication, timeoutMs);
  }

  /** The configuration of a topic by its names. */
  describeTopic(name: string, timeoutMs: number): Promise<AdminResult> {
    return this.#admin.describeTopic(name, timeoutMs);
  }

  /** @returns why librdkafka does not take it */
  setToken(value: string, expiresAtMs: number, principal: string): string | undefined {
    const why = Buffer.alloc(TEXT_BYTES);
    const error = this.#library.oauthbearer_set_token(
      this.#producer,
      value,
      expiresAtMs,
      principal,
      null,
      0,
      why,
      why.length,
    );
    return error === 0 ? undefined : textOf(why);
  }

  refuseToken(why: string): void {
    this.#library.oauthbearer_set_token_failure(this.#producer, why);
  }

  /** Reads events that nobody may have been woken for. */
  poll(): void {
    this.#serve();
  }

  /**
   * Ends all; what is under way is given up without a report. Called once. Waits for the threads of librdkafka, at most
   * as long as one of them looks up a name.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const kafka = this.#library;
    this.purge();
    this.#admin.abandon();
    kafka.queue_io_event_enable(this.#queue, -1, null, 0);
    this.#wake.stop();
    for (const topic of this.#topics.values()) kafka.topic_destroy(topic);
    kafka.queue_destroy(this.#queue);
    await new Promise<void>((resolve) => {
      kafka.destroy.async(this.#producer, () => resolve());
    });
    kafka.close(this.#wake.writeDescriptor);
  }

  #topic(name: string): bigint {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const made = this.#library.topic_new(this.#producer, name, null);
    if (made === null) throw new RdKafkaOptionError('topic', `librdkafka does not take the topic ${name}`);
    this.#topics.set(name, made);
    return made;
  }

  /** Serves events until there are none; others of this thread have their turn in between. */
  #serve(): void {
    if (this.#serving || this.#closed) return;
    this.#serving = true;
    const kafka = this.#library;
    let served = 0;
    for (; served < EVENTS_AT_ONCE && !this.#closed; served++) {
      const event = kafka.queue_poll(this.#queue, 0);
      if (event === null) break;
      try {
        this.#reader.tell(event);
      } finally {
        kafka.event_destroy(event);
      }
    }
    this.#serving = false;
    if (served > 0 && !this.#closed) this.#events.settled();
    if (served === EVENTS_AT_ONCE) setImmediate(() => this.#serve());
  }
}

/** @throws RdKafkaOptionError */
function open(kafka: RdKafka, options: ReadonlyMap<string, string>): bigint {
  const why = Buffer.alloc(TEXT_BYTES);
  const conf = kafka.conf_new();
  for (const [name, value] of options) {
    if (kafka.conf_set(conf, name, value, why, why.length) === number.RD_KAFKA_CONF_OK) continue;
    kafka.conf_destroy(conf);
    throw new RdKafkaOptionError(name, textOf(why));
  }
  const { RD_KAFKA_EVENT_DR, RD_KAFKA_EVENT_ERROR, RD_KAFKA_EVENT_LOG } = number;
  const { RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH } = number;
  kafka.conf_set_events(
    conf,
    RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH,
  );
  const producer = kafka.new(number.RD_KAFKA_PRODUCER, conf, why, why.length);
  if (producer !== null) return producer;
  kafka.conf_destroy(conf);
  throw new RdKafkaOptionError('', textOf(why));
}

function readMetadata(kafka: RdKafka, at: bigint): TopicMetadata {
  const head = Buffer.alloc(metadata.bytes);
  kafka.memcpy(head, at, head.length);
  let facts: TopicMetadata = { error: rdKafkaError.RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, partitions: 0 };
  if (head.readInt32LE(metadata.at.topic_cnt) > 0) {
    const topic = Buffer.alloc(metadataTopic.bytes);
    kafka.memcpy(topic, head.readBigUInt64LE(metadata.at.topics), topic.length);
    const partitions = topic.readInt32LE(metadataTopic.at.partition_cnt);
    facts = { error: topic.readInt32LE(metadataTopic.at.err), partitions };
  }
  kafka.metadata_destroy(at);
  return facts;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}
