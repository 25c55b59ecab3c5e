import { AdminRequests, type AdminResult } from './kafka-admin.ts';
import { EventReader, type ProducerEvents } from './kafka-events.ts';
import { askMetadata, isUp, type TopicMetadata } from './kafka-metadata.ts';
import { openProducer, RdKafkaOptionError } from './kafka-opening.ts';
import { RecordTable, type NativeRecord } from './kafka-record-table.ts';
import { TEXT_BYTES, textOf } from './kafka-text.ts';
import { rdKafkaNumber as number } from './rdkafka-layout.ts';
import { type RdKafka, rdKafka } from './rdkafka.ts';
import { WakePipe } from './wake-pipe.ts';

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
    this.#producer = openProducer(kafka, options);
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
    this.#table.takeBack();
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
    return isUp(this.#library, this.#producer);
  }

  /** Asks any broker that is up about one topic. Waits for the answer on a thread of the pool: keep `timeoutMs` short. */
  metadata(topic: string, timeoutMs: number): Promise<TopicMetadata> {
    return askMetadata(this.#library, this.#producer, this.#topic(topic), timeoutMs);
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
    // an event may just be read, further up the stack: it ends before its producer does
    await Promise.resolve();
    const kafka = this.#library;
    this.purge();
    this.#admin.abandon();
    kafka.queue_io_event_enable(this.#queue, -1, null, 0);
    this.#wake.stop();
    for (const topic of this.#topics.values()) kafka.topic_destroy(topic);
    kafka.queue_destroy(this.#queue);
    this.#table.close();
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
