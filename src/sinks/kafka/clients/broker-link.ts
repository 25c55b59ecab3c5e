/** What a Kafka library does for us: a connection to one broker, and the requests on it. `kafka-client.ts` decides the rest. */
export interface KafkaLibrary {
  /** Begins to open a connection; `ready` settles once TCP, TLS and SASL are through. */
  open(address: BrokerAddress): BrokerLink;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface BrokerLink {
  /** `host:port`. */
  readonly address: string;
  readonly ready: Promise<void>;
  /** Rejects with a `KafkaError` once the connection is of no more use; it never resolves. */
  readonly broken: Promise<never>;
  readonly isBroken: boolean;

  metadata(topics: readonly string[]): Promise<Metadata>;
  initProducer(): Promise<Coded & { readonly producerId: bigint; readonly producerEpoch: number }>;
  createTopic(name: string, partitions: number, replication: number, timeoutMs: number): Promise<Coded>;
  /** A setting of a topic. */
  topicSetting(topic: string, setting: string): Promise<Coded & { readonly value: string | undefined }>;
  /** What the broker says of each partition; nothing with acks 0. */
  produce(request: ProduceRequest): Promise<readonly PartitionAnswer[]>;

  /** Ends the connection at once; whatever waits for an answer is told `reason`. */
  cut(reason: Error): void;
}

/** A number of Kafka's table of errors (0: none), and what the broker adds in words. */
export interface Coded {
  readonly code: number;
  readonly text?: string | undefined;
}

export interface Metadata {
  readonly brokers: readonly (BrokerAddress & { readonly nodeId: number })[];
  readonly topics: readonly (Coded & {
    readonly name: string;
    readonly partitions: readonly (Coded & { readonly index: number; readonly leader: number })[];
  })[];
}

export interface ProduceRequest {
  /** -1: all replicas in sync, 1: the leader, 0: nobody. */
  readonly acks: -1 | 0 | 1;
  readonly timeoutMs: number;
  readonly batches: readonly EncodedBatch[];
}

/** A record batch as it goes on the wire. */
export interface EncodedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

export interface PartitionAnswer extends Coded {
  readonly topic: string;
  readonly partition: number;
}
