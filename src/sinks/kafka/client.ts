/** One record, as every client takes it. Its buffers stay the caller's, unchanged until `sendBatch` has settled. */
export interface KafkaRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Names and values, both UTF-8. The names are the constants of `header-names.ts`: who knows them need not decode. */
  readonly headers: ReadonlyMap<Buffer, Buffer>;
  /** What the ledger counts it as: packets that it holds, or 1 flow record. */
  readonly count: number;
}

/** Records of one partition, in their order. */
export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly KafkaRecord[];
}

/** Why a broker did not take records, or could not be asked. */
export interface KafkaFailure {
  /** Stable, camelCase: a drop reason of the sink where records are refused for it. */
  readonly reason: KafkaFailureReason;
  /** The broker's or the client's own words, with the protocol's name of the error where there is one. */
  readonly message: string;
  /** `host:port`, where it is known who answered; all that were asked, with commas, where none did. */
  readonly broker?: string;
}

export const kafkaFailureReasons = [
  /** The record is larger than broker or topic allow. */
  'tooLarge',
  /** Topic or cluster may not be written to by this user. */
  'notAuthorised',
  /** The topic is not there, and is not created. */
  'noTopic',
  /** The broker called the record or the request invalid. */
  'invalid',
  /** No broker could be reached, or the connection broke. */
  'unreachable',
  /** A broker was asked and did not answer in time. */
  'timeout',
  /** User and password, certificate or token were refused. */
  'authentication',
  /** What a broker said is not Kafka. */
  'garbage',
  /** The broker cannot for the moment: no leader, too few replicas, throttled, disk. */
  'unavailable',
] as const;
export type KafkaFailureReason = (typeof kafkaFailureReasons)[number];

/** What became of the records of one partition: of all of them. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** They may or may not have arrived. The same records are sent again, before later ones of the partition. */
  | { readonly kind: 'retry'; readonly failure: KafkaFailure }
  /** The broker took none of them and never will as they are. */
  | { readonly kind: 'refused'; readonly failure: KafkaFailure };

export interface TopicFacts {
  readonly partitions: number;
  /** `max.message.bytes` of the topic: most bytes of one batch of records; undefined where it may not be asked. */
  readonly maxMessageBytes: number | undefined;
}

/**
 * A producer of some Kafka library, cut down to what the sink needs. One instance serves one worker.
 *
 * Every call settles in a bounded time (`requestTimeoutMs` and a little), whatever the broker does. Retrying is the
 * caller's: a client tries once, or as often as it can without changing what a retry means, and says how it went.
 */
export interface KafkaClient {
  /** Reaches a broker, with TLS and SASL. May be called again after it failed. Rejects with a `KafkaError`. */
  connect(): Promise<void>;

  /** What is known of a topic, asked of the brokers each time; undefined where there is none. Rejects with a `KafkaError`. */
  topic(name: string): Promise<TopicFacts | undefined>;

  /** Creates a topic; one that is there already is no error. Rejects with a `KafkaError`. */
  createTopic(name: string, partitions: number, replication: number): Promise<void>;

  /**
   * Sends records; several partitions and topics at once. The caller has no two batches of one partition under way
   * unless `inFlightRequests` is over 1, and after `retry` sends the very same batch again, so that an idempotent
   * producer's sequence numbers mean the same records.
   *
   * @returns one outcome for each batch, in their order. Never rejects.
   */
  sendBatch(batches: readonly PartitionBatch[]): Promise<readonly Outcome[]>;

  /** Settles when nothing is under way any more. Never rejects. */
  flush(): Promise<void>;

  /** Ends all connections; what is under way settles as `retry`. Called once, also after a failed `connect`. Never rejects. */
  close(): Promise<void>;
}

/** How a client says that it could not do what it was asked. */
export class KafkaError extends Error {
  readonly failure: KafkaFailure;

  constructor(failure: KafkaFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.name = 'KafkaError';
    this.failure = failure;
  }
}
