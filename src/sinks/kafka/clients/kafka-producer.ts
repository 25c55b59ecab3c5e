import type { Log } from '../../../observe/log.ts';
import {
  type KafkaClient,
  KafkaError,
  type Outcome,
  type PartitionBatch,
  type TopicFacts,
} from '../client.ts';
import type { KafkaClientSettings } from '../settings.ts';
import type { KafkaLibrary } from './broker-link.ts';
import { Cluster, parseAddress } from './cluster.ts';
import type { Compressor } from './compression.ts';
import { Deadline } from './deadline.ts';
import { Delivery } from './delivery.ts';
import { failureOf, verdictOf } from './verdict.ts';

export interface ProducerOptions {
  readonly settings: KafkaClientSettings;
  /** Workers begin with different brokers. */
  readonly worker: number;
  readonly log: Log;
  readonly library: KafkaLibrary;
  readonly compressor: Compressor | undefined;
}

/**
 * A producer over a library's connections. The libraries' own producers decide too much: after one partition of a request
 * failed, @platformatic/kafka forgets the sequence numbers of all, and kafkajs sets back those of records that were
 * delivered; the next batch is then sent twice, or left out by the broker as one that it has. Here sequence numbers and
 * outcomes are kept by partition (`Sequences`, `Judge`).
 */
export class KafkaProducer implements KafkaClient {
  readonly #settings: KafkaClientSettings;
  readonly #cluster: Cluster;
  readonly #delivery: Delivery;
  readonly #underway = new Set<Promise<unknown>>();
  /** With idempotence calls follow each other: numbers are given in the order of sending. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ProducerOptions) {
    const { settings } = options;
    this.#settings = settings;
    const first = options.worker % settings.brokers.length;
    const bootstrap = [...settings.brokers.slice(first), ...settings.brokers.slice(0, first)];
    this.#cluster = new Cluster(options.library, bootstrap.map(parseAddress));
    this.#delivery = new Delivery(this.#cluster, settings, options.compressor, options.log);
  }

  async connect(): Promise<void> {
    await this.#cluster.ask(this.#deadline(), () => Promise.resolve());
  }

  async topic(name: string): Promise<TopicFacts | undefined> {
    const deadline = this.#deadline();
    await this.#cluster.refresh([name], deadline);
    const known = this.#cluster.topic(name);
    if (known === undefined || verdictOf(known.code).meaning === 'unknown') return undefined;
    if (known.code !== 0) throw new KafkaError(failureOf(known, `topic ${name}`));
    const setting = await this.#cluster.ask(deadline, (link) => link.topicSetting(name, 'max.message.bytes'));
    const bytes = setting.code === 0 ? Number(setting.value) : Number.NaN;
    return {
      partitions: known.leaders.size,
      maxMessageBytes: Number.isInteger(bytes) ? bytes : undefined,
    };
  }

  async createTopic(name: string, partitions: number, replication: number): Promise<void> {
    const deadline = this.#deadline();
    const answer = await this.#cluster.ask(deadline, async (link) => {
      const said = await link.createTopic(name, partitions, replication, deadline.brokerMs);
      // Before KRaft one broker alone could: the next is asked.
      if (verdictOf(said.code).name === 'NOT_CONTROLLER')
        throw new KafkaError(failureOf(said, `topic ${name}`));
      return said;
    });
    if (answer.code !== 0 && verdictOf(answer.code).name !== 'TOPIC_ALREADY_EXISTS') {
      throw new KafkaError(failureOf(answer, `topic ${name}`));
    }
  }

  sendBatch(batches: readonly PartitionBatch[]): Promise<readonly Outcome[]> {
    const work = this.#settings.idempotence
      ? this.#turn.then(() => this.#send(batches))
      : this.#send(batches);
    this.#turn = work;
    this.#underway.add(work);
    return work.finally(() => this.#underway.delete(work));
  }

  async flush(): Promise<void> {
    while (this.#underway.size > 0) await Promise.allSettled(this.#underway);
  }

  async close(): Promise<void> {
    this.#cluster.close();
    await this.flush();
  }

  #deadline(): Deadline {
    return new Deadline(this.#settings.requestTimeoutMs);
  }

  /** Batches of one partition one after the other, those of different ones together. */
  async #send(batches: readonly PartitionBatch[]): Promise<Outcome[]> {
    const deadline = this.#deadline();
    const outcomes = new Map<PartitionBatch, Outcome>();
    let chains = chainsOf(batches);
    while (chains.length > 0) {
      const heads = chains.flatMap((chain) => chain.slice(0, 1));
      const settled = await this.#delivery.send(heads, deadline);
      chains = chains.flatMap((chain, index) => {
        const outcome = settled[index] ?? unsent;
        // What comes after a batch that is sent again must not overtake it.
        const told = outcome.kind === 'retry' ? chain : chain.slice(0, 1);
        for (const batch of told) outcomes.set(batch, outcome);
        return told.length === chain.length ? [] : [chain.slice(1)];
      });
    }
    return batches.map((batch) => outcomes.get(batch) ?? unsent);
  }
}

const unsent: Outcome = {
  kind: 'retry',
  failure: { reason: 'unavailable', message: 'The records were not sent.' },
};

/** Batches by partition, each in their order. */
function chainsOf(batches: readonly PartitionBatch[]): PartitionBatch[][] {
  const chains = new Map<string, PartitionBatch[]>();
  for (const batch of batches) {
    const key = `${batch.topic}/${batch.partition}`;
    const chain = chains.get(key);
    if (chain === undefined) chains.set(key, [batch]);
    else chain.push(batch);
  }
  return [...chains.values()];
}
