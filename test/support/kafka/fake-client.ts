import type {
  KafkaClient,
  KafkaFailure,
  Outcome,
  PartitionBatch,
  TopicFacts,
} from '../../../src/sinks/kafka/client.ts';
import { KafkaError } from '../../../src/sinks/kafka/client.ts';

const UNREACHABLE: KafkaFailure = { reason: 'unreachable', message: 'connection refused' };

/** What brokers of a test do with one batch. `lost`: it arrives, and the answer does not. */
export type Behaviour = 'take' | 'lost' | KafkaFailure;

/**
 * Brokers in memory behind the client contract, which do as a test says. They are idempotent as real ones are: the same batch sent
 * again is not taken twice; another batch in its place would be.
 */
export class FakeClient implements KafkaClient {
  /** Values that were taken, by `topic partition`. */
  readonly taken = new Map<string, Buffer[]>();
  readonly topics = new Map<string, TopicFacts>();
  readonly created: string[] = [];
  /** What is done with the next batches. */
  behave: (batch: PartitionBatch) => Behaviour = () => 'take';
  /** Whether brokers can be reached at all. */
  isUp = true;
  /** How long an answer takes, ms. */
  latencyMs = 1;
  rounds = 0;
  closed = false;
  readonly #last = new Map<string, PartitionBatch>();
  #underWay = 0;
  /** Most calls of `sendBatch` at one time. */
  mostUnderWay = 0;

  connect(): Promise<void> {
    return this.isUp ? Promise.resolve() : Promise.reject(new KafkaError(UNREACHABLE));
  }

  topic(name: string): Promise<TopicFacts | undefined> {
    return this.isUp ? Promise.resolve(this.topics.get(name)) : Promise.reject(new KafkaError(UNREACHABLE));
  }

  createTopic(name: string, partitions: number): Promise<void> {
    this.created.push(name);
    this.topics.set(name, { partitions, maxMessageBytes: 1_048_588 });
    return Promise.resolve();
  }

  async sendBatch(batches: readonly PartitionBatch[]): Promise<readonly Outcome[]> {
    this.rounds++;
    this.#underWay++;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay);
    await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    this.#underWay--;
    return batches.map((batch) => this.#send(batch));
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  #send(batch: PartitionBatch): Outcome {
    if (!this.isUp) return { kind: 'retry', failure: UNREACHABLE };
    const behaviour = this.behave(batch);
    if (behaviour === 'take') {
      this.#take(batch);
      return { kind: 'delivered' };
    }
    if (behaviour === 'lost') {
      this.#take(batch);
      return { kind: 'retry', failure: { reason: 'timeout', message: 'no answer' } };
    }
    const isForGood = ['tooLarge', 'notAuthorised', 'noTopic', 'invalid'].includes(behaviour.reason);
    return { kind: isForGood ? 'refused' : 'retry', failure: behaviour };
  }

  #take(batch: PartitionBatch): void {
    const key = `${batch.topic} ${batch.partition}`;
    if (this.#last.get(key) === batch) return;
    this.#last.set(key, batch);
    const values = this.taken.get(key) ?? [];
    this.taken.set(key, values);
    values.push(...batch.records.map(({ value }) => value));
  }
}
