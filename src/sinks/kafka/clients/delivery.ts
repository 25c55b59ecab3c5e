import { compressionCodes, putBatchHeader } from '../../../format/record-batch.ts';
import type { Log } from '../../../observe/log.ts';
import { KafkaError, type Outcome, type PartitionBatch } from '../client.ts';
import type { KafkaClientSettings } from '../settings.ts';
import type { BrokerAddress, Coded, EncodedBatch } from './broker-link.ts';
import { type Cluster, type KnownTopic, nameOf } from './cluster.ts';
import { type Compressor, encodeBatch } from './compression.ts';
import type { Deadline } from './deadline.ts';
import { explain } from './explain.ts';
import { Judge } from './judge.ts';
import { type Numbered, Sequences } from './sequences.ts';
import { failureOf } from './verdict.ts';

/** Most bytes of one request, as far as a batch fits: brokers close the connection at 100 MiB where nobody changed it. */
const MAX_REQUEST_BYTES = 16_777_216;

const acksOf = { all: -1, leader: 1, none: 0 } as const;
const notNumbered: Numbered = { identity: { producerId: -1n, producerEpoch: -1 }, firstSequence: -1 };
const nothing = Buffer.alloc(0);

const taken: Coded = { code: 0 };
const leaderNotAvailable: Coded = { code: 5 };
const unknownPartition: Coded = { code: 3, text: 'the brokers do not name it' };
const unsaid: Outcome = {
  kind: 'retry',
  failure: { reason: 'garbage', message: 'The broker did not say what became of the records.' },
};

/** A batch on its way. */
interface Passage {
  /** Its place in the call. */
  readonly index: number;
  readonly batch: PartitionBatch;
  readonly leader: BrokerAddress;
  readonly wasOpen: boolean;
  bytes: Buffer;
}

/** Brings batches of different partitions to their leaders: one request a leader, as far as they fit. */
export class Delivery {
  readonly #cluster: Cluster;
  readonly #settings: KafkaClientSettings;
  readonly #compressor: Compressor | undefined;
  readonly #sequences: Sequences | undefined;
  readonly #judge: Judge;

  constructor(cluster: Cluster, settings: KafkaClientSettings, compressor: Compressor | undefined, log: Log) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#compressor = compressor;
    this.#sequences = settings.idempotence ? new Sequences() : undefined;
    this.#judge = new Judge(this.#sequences, log, () => performance.now());
  }

  /** @param batches - no two of one partition */
  async send(batches: readonly PartitionBatch[], deadline: Deadline): Promise<Outcome[]> {
    const outcomes: (Outcome | undefined)[] = batches.map(() => undefined);
    try {
      await this.#learnTopics(batches, deadline);
      const passages = this.#place(batches, outcomes);
      const encoded = await this.#encode(passages, outcomes);
      await this.#number(encoded, deadline);
      await Promise.all(requestsOf(encoded).map((request) => this.#produce(request, outcomes, deadline)));
    } catch (error) {
      const failure = explain(error, '').failure;
      for (const [index] of batches.entries()) outcomes[index] ??= { kind: 'retry', failure };
    }
    return outcomes.map((outcome) => outcome ?? unsaid);
  }

  async #learnTopics(batches: readonly PartitionBatch[], deadline: Deadline): Promise<void> {
    const missing = new Set<string>();
    for (const { topic, partition } of batches) {
      const known = this.#cluster.topic(topic);
      if (known === undefined || known.code !== 0 || known.leaders.get(partition) === undefined)
        missing.add(topic);
    }
    if (missing.size > 0) await this.#cluster.refresh([...missing], deadline);
  }

  /** Finds the leaders; batches that have none get their outcome. */
  #place(batches: readonly PartitionBatch[], outcomes: (Outcome | undefined)[]): Passage[] {
    const passages: Passage[] = [];
    for (const [index, batch] of batches.entries()) {
      if (batch.records.length === 0) {
        outcomes[index] = { kind: 'delivered' };
        continue;
      }
      const topic = this.#cluster.topic(batch.topic);
      const leader = topic?.leaders.get(batch.partition);
      const wasOpen = this.#sequences?.wasOpen(batch) ?? false;
      if (topic?.code === 0) this.#judge.seen(batch.topic);
      if (leader === undefined) {
        outcomes[index] = this.#judge.judge(batch, problemOf(topic, batch.partition), wasOpen);
        continue;
      }
      passages.push({ index, batch, leader, wasOpen, bytes: nothing });
    }
    return passages;
  }

  async #encode(passages: readonly Passage[], outcomes: (Outcome | undefined)[]): Promise<Passage[]> {
    const work = passages.map(async (passage) => {
      try {
        passage.bytes = await encodeBatch(passage.batch.records, this.#compressor);
      } catch (error) {
        const message = `The records cannot be encoded: ${error instanceof Error ? error.message : String(error)}`;
        outcomes[passage.index] = { kind: 'refused', failure: { reason: 'invalid', message } };
      }
    });
    await Promise.all(work);
    return passages.filter(({ index }) => outcomes[index] === undefined);
  }

  /** Gives numbers and writes the headers. */
  async #number(passages: readonly Passage[], deadline: Deadline): Promise<void> {
    const code = compressionCodes[this.#settings.compression];
    let open = passages;
    while (open.length > 0) {
      if (this.#sequences?.needsIdentity === true) await this.#identify(this.#sequences, deadline);
      // A batch may turn out to need another identity than the present one: those go round again.
      open = open.filter(({ batch, bytes }) => {
        const numbered = this.#sequences === undefined ? notNumbered : this.#sequences.number(batch);
        if (numbered === undefined) return true;
        const { identity, firstSequence } = numbered;
        putBatchHeader(bytes, batch.records, code, { ...identity, firstSequence });
        return false;
      });
    }
  }

  async #identify(sequences: Sequences, deadline: Deadline): Promise<void> {
    const answer = await this.#cluster.ask(deadline, (link) => link.initProducer());
    if (answer.code === 0) sequences.identity = answer;
    else throw new KafkaError(failureOf(answer, 'producer id'));
  }

  async #produce(
    passages: readonly Passage[],
    outcomes: (Outcome | undefined)[],
    deadline: Deadline,
  ): Promise<void> {
    const [first] = passages;
    if (first === undefined) return;
    const batches = passages.map(
      ({ batch, bytes }): EncodedBatch => ({ topic: batch.topic, partition: batch.partition, bytes }),
    );
    const acks = acksOf[this.#settings.acks];
    const broker = nameOf(first.leader);
    try {
      const answers = await this.#cluster.tell(first.leader, deadline, (link) =>
        link.produce({ acks, timeoutMs: deadline.brokerMs, batches }),
      );
      const byPartition = new Map(answers.map((answer) => [`${answer.topic}/${answer.partition}`, answer]));
      for (const { index, batch, wasOpen } of passages) {
        const answer = acks === 0 ? taken : byPartition.get(`${batch.topic}/${batch.partition}`);
        outcomes[index] = answer === undefined ? unsaid : this.#judge.judge(batch, answer, wasOpen, broker);
        if (outcomes[index].kind === 'retry') this.#cluster.forget(batch.topic);
      }
    } catch (error) {
      const { failure } = explain(error, broker);
      for (const { index, batch } of passages) {
        outcomes[index] = { kind: 'retry', failure };
        this.#cluster.forget(batch.topic);
      }
    }
  }
}

function problemOf(topic: KnownTopic | undefined, partition: number): Coded {
  if (topic === undefined) return unknownPartition;
  if (topic.code !== 0) return topic;
  return topic.leaders.has(partition) ? leaderNotAvailable : unknownPartition;
}

/** Passages by leader, so many together as fit into a request. */
function requestsOf(passages: readonly Passage[]): Passage[][] {
  const requests: Passage[][] = [];
  const open = new Map<string, { readonly request: Passage[]; bytes: number }>();
  for (const passage of passages) {
    const leader = nameOf(passage.leader);
    let filling = open.get(leader);
    if (filling === undefined || filling.bytes + passage.bytes.length > MAX_REQUEST_BYTES) {
      filling = { request: [], bytes: 0 };
      open.set(leader, filling);
      requests.push(filling.request);
    }
    filling.request.push(passage);
    filling.bytes += passage.bytes.length;
  }
  return requests;
}
