import { type KafkaClient, KafkaError, type KafkaFailure, type TopicFacts } from '../client.ts';
import type { KafkaSettings } from '../settings.ts';

/** Facts are asked for again after this: partitions may have been added. */
const FRESH_MS = 300_000;
/** A topic that is missing is looked for again after this. */
const MISSING_MS = 2000;
/** A topic that was just made is looked for so often, with such a pause. */
const MADE_TRIES = 20;
const MADE_PAUSE_MS = 50;
/** A topic that is not there counts as having so many partitions. */
const PARTITIONS_OF_NONE = 1;

interface Known {
  readonly facts: TopicFacts | undefined;
  readonly askedMs: number;
  /** Why there are no facts. */
  readonly problem?: KafkaFailure;
}

const MISSING: KafkaFailure = { reason: 'noTopic', message: 'The topic is not there.' };

/** What is known of the topics that records go to. Creates those that are missing, where that is allowed. */
export class Topics {
  readonly #client: KafkaClient;
  readonly #create: KafkaSettings['createTopics'];
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  /** Told of each topic that was found, or made, or is missing. */
  readonly #found: (name: string, facts: TopicFacts | undefined, created: boolean) => void;

  constructor(
    client: KafkaClient,
    create: KafkaSettings['createTopics'],
    now: () => number,
    found: (name: string, facts: TopicFacts | undefined, created: boolean) => void,
  ) {
    this.#client = client;
    this.#create = create;
    this.#now = now;
    this.#found = found;
  }

  /**
   * Partitions of each topic; those that are not known, or not known well, are asked for.
   *
   * @returns the failure where a broker could not be asked about one that is not known at all
   */
  async partitions(names: Iterable<string>): Promise<ReadonlyMap<string, number> | KafkaFailure> {
    const partitions = new Map<string, number>();
    for (const name of names) {
      const known = this.#known.get(name);
      const ageMs = this.#now() - (known?.askedMs ?? -Infinity);
      if (known === undefined || ageMs > (known.facts === undefined ? MISSING_MS : FRESH_MS)) {
        const failure = await this.#ask(name);
        // what was known before does until it can be asked again
        if (failure !== undefined && known?.facts === undefined) return failure;
      }
      partitions.set(name, this.#known.get(name)?.facts?.partitions ?? PARTITIONS_OF_NONE);
    }
    return partitions;
  }

  /** It was looked for, and is not there or not for this user. */
  problem(name: string): KafkaFailure | undefined {
    const known = this.#known.get(name);
    return known === undefined || known.facts !== undefined ? undefined : (known.problem ?? MISSING);
  }

  /** Least of the largest batches that these topics take; Infinity where no broker said. */
  smallestLimit(names: Iterable<string>): number {
    let least = Infinity;
    for (const name of names)
      least = Math.min(least, this.#known.get(name)?.facts?.maxMessageBytes ?? Infinity);
    return least;
  }

  /** A broker said that a topic is not as we know it. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  /** Brokers may hear of a topic a little after it was made. */
  async #made(name: string): Promise<TopicFacts | undefined> {
    for (let tries = 1; ; tries++) {
      const facts = await this.#client.topic(name);
      if (facts !== undefined || tries === MADE_TRIES) return facts;
      await new Promise((resolve) => setTimeout(resolve, MADE_PAUSE_MS));
    }
  }

  async #ask(name: string): Promise<KafkaFailure | undefined> {
    try {
      let facts = await this.#client.topic(name);
      let created = false;
      if (facts === undefined && this.#create.enabled) {
        await this.#client.createTopic(name, this.#create.partitions, this.#create.replication);
        created = true;
        facts = await this.#made(name);
      }
      const before = this.#known.get(name);
      this.#known.set(name, { facts, askedMs: this.#now() });
      if (before === undefined || (before.facts === undefined) !== (facts === undefined))
        this.#found(name, facts, created);
      return undefined;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      return this.#keepAsProblem(name, error.failure) ? undefined : error.failure;
    }
  }

  /** Brokers answer, but not this user: that is as with a topic that is missing. */
  #keepAsProblem(name: string, failure: KafkaFailure): boolean {
    if (failure.reason !== 'notAuthorised' || this.#known.get(name)?.facts !== undefined) return false;
    this.#known.set(name, { facts: undefined, askedMs: this.#now(), problem: failure });
    return true;
  }
}
