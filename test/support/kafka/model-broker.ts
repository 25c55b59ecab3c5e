import { Reader, readRecordsBatch } from '@platformatic/kafka';
import { KafkaError } from '../../../src/sinks/kafka/client.ts';
import type {
  BrokerAddress,
  BrokerLink,
  Coded,
  EncodedBatch,
  KafkaLibrary,
  Metadata,
  PartitionAnswer,
  ProduceRequest,
} from '../../../src/sinks/kafka/clients/broker-link.ts';

/** What becomes of one partition of a request: an error code in place of the append, or `lost`: appended, not told. */
export type Fate = 'taken' | 'lost' | number;

interface Line {
  readonly values: string[];
  /** By producer id: the batch that was appended last. */
  readonly last: Map<bigint, { readonly first: number; readonly count: number }>;
}

const OUT_OF_ORDER = 45;
const SEQUENCES = 2 ** 31;

/**
 * Two brokers in memory that keep producers' sequence numbers as Kafka does (ProducerStateManager): a batch with the numbers
 * of the last one is there already, one that begins elsewhere than after the last is refused, and of a producer that is not
 * known any number is taken.
 */
export class ModelBrokers implements KafkaLibrary {
  readonly requests: EncodedBatch[][] = [];
  readonly #lines = new Map<string, Line>();
  readonly #partitions: number;
  /** Asked for each partition of a request. */
  fate: (batch: EncodedBatch) => Fate = () => 'taken';
  /** Code of the next answers about topics. */
  topicCode = 0;
  producerCode = 0;
  identities = 0n;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  open(address: BrokerAddress): BrokerLink {
    return new ModelLink(this, address);
  }

  values(topic: string, partition: number): readonly string[] {
    return this.#line(topic, partition).values;
  }

  /** The brokers have forgotten all producers' numbers, as after the retention of a topic. */
  forget(): void {
    for (const { last } of this.#lines.values())
      for (const id of last.keys()) last.set(id, { first: 1000, count: 7 });
  }

  metadata(topics: readonly string[]): Metadata {
    const brokers = [0, 1].map((nodeId) => ({ nodeId, host: 'model', port: 1 + nodeId }));
    const indices = Array.from({ length: this.#partitions }, (_none, index) => index);
    const partitions = indices.map((index) => ({ code: 0, index, leader: index % 2 }));
    const code = this.topicCode;
    return {
      brokers,
      topics: topics.map((name) => ({ name, code, partitions: code === 0 ? partitions : [] })),
    };
  }

  produce({ batches }: ProduceRequest): readonly PartitionAnswer[] {
    this.requests.push([...batches]);
    let isLost = false;
    const answers = batches.map((batch) => {
      const fate = this.fate(batch);
      if (fate === 'lost') isLost = true;
      const code = typeof fate === 'number' ? fate : this.#append(batch);
      return { topic: batch.topic, partition: batch.partition, code };
    });
    if (isLost) throw new KafkaError({ reason: 'unreachable', message: 'lost' });
    return answers;
  }

  #append({ topic, partition, bytes }: EncodedBatch): number {
    const batch = readRecordsBatch(Reader.from(bytes));
    const line = this.#line(topic, partition);
    const count = batch.records.length;
    if (batch.producerId >= 0n) {
      const last = line.last.get(batch.producerId);
      if (last !== undefined && last.first === batch.firstSequence && last.count === count) return 0;
      if (last !== undefined && batch.firstSequence !== (last.first + last.count) % SEQUENCES)
        return OUT_OF_ORDER;
      line.last.set(batch.producerId, { first: batch.firstSequence, count });
    }
    for (const { value } of batch.records) line.values.push(String(value));
    return 0;
  }

  #line(topic: string, partition: number): Line {
    const key = `${topic}/${partition}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { values: [], last: new Map() };
      this.#lines.set(key, line);
    }
    return line;
  }
}

class ModelLink implements BrokerLink {
  readonly address: string;
  readonly ready = Promise.resolve();
  readonly broken: Promise<never>;
  isBroken = false;
  readonly #brokers: ModelBrokers;
  #reject: (reason: Error) => void = () => undefined;

  constructor(brokers: ModelBrokers, { host, port }: BrokerAddress) {
    this.#brokers = brokers;
    this.address = `${host}:${port}`;
    this.broken = new Promise<never>((_resolve, reject) => {
      this.#reject = reject;
    });
    this.broken.catch(() => undefined);
  }

  metadata(topics: readonly string[]): Promise<Metadata> {
    return Promise.resolve(this.#brokers.metadata(topics));
  }

  initProducer(): Promise<Coded & { producerId: bigint; producerEpoch: number }> {
    const code = this.#brokers.producerCode;
    return Promise.resolve({ code, producerId: this.#brokers.identities++, producerEpoch: 0 });
  }

  createTopic(): Promise<Coded> {
    return Promise.resolve({ code: this.#brokers.topicCode });
  }

  topicSetting(): Promise<Coded & { value: string | undefined }> {
    return Promise.resolve({ code: 0, value: '1000' });
  }

  produce(request: ProduceRequest): Promise<readonly PartitionAnswer[]> {
    return new Promise((resolve) => {
      resolve(this.#brokers.produce(request));
    });
  }

  cut(reason: Error): void {
    this.isBroken = true;
    this.#reject(reason);
  }
}
