import { KafkaError, type KafkaFailureReason } from '../client.ts';
import type { BrokerAddress, BrokerLink, KafkaLibrary, Metadata } from './broker-link.ts';
import type { Deadline } from './deadline.ts';
import { explain } from './explain.ts';
import { OpenLink } from './open-link.ts';

/** What is known of a topic: how the brokers answered, and who leads each partition. */
export interface KnownTopic {
  readonly code: number;
  /** Undefined where there is none now. */
  readonly leaders: ReadonlyMap<number, BrokerAddress | undefined>;
}

/** Which failure says most, where several brokers failed. */
const tellings: readonly KafkaFailureReason[] = ['authentication', 'garbage', 'timeout'];

/** The brokers of a cluster: connections to them, one each, and who leads which partition. */
export class Cluster {
  readonly #library: KafkaLibrary;
  readonly #bootstrap: readonly BrokerAddress[];
  readonly #links = new Map<string, OpenLink>();
  readonly #topics = new Map<string, KnownTopic>();
  #brokers: readonly BrokerAddress[] = [];
  #isClosed = false;

  /** @param bootstrap - brokers to begin with; the first is asked first */
  constructor(library: KafkaLibrary, bootstrap: readonly BrokerAddress[]) {
    this.#library = library;
    this.#bootstrap = bootstrap;
  }

  topic(name: string): KnownTopic | undefined {
    return this.#topics.get(name);
  }

  /** What was known of a topic is not so any more. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Asks any broker, until one answers. Rejects with the KafkaError that says most. */
  async ask<T>(deadline: Deadline, question: (link: BrokerLink) => Promise<T>): Promise<T> {
    const candidates = this.#candidates();
    let worst: KafkaError | undefined;
    for (const [index, address] of candidates.entries()) {
      try {
        return await this.tell(address, deadline.part(candidates.length - index), question);
      } catch (error) {
        worst = moreTelling(worst, explain(error, nameOf(address)));
      }
    }
    throw worst ?? new KafkaError({ reason: 'unreachable', message: 'No broker is known.' });
  }

  /** Asks one broker, over the connection there is or a new one. Rejects with a KafkaError. */
  async tell<T>(
    address: BrokerAddress,
    deadline: Deadline,
    question: (link: BrokerLink) => Promise<T>,
  ): Promise<T> {
    const name = nameOf(address);
    const open = this.#link(address);
    const { link } = open;
    const timer = setTimeout(() => {
      const message = 'The broker did not answer in time.';
      link.cut(new KafkaError({ reason: 'timeout', message, broker: name }));
    }, deadline.leftMs);
    try {
      await open.unlessBroken(link.ready);
      return await open.unlessBroken(question(link));
    } catch (error) {
      const failure = explain(error, name);
      // After an error of reading or writing nobody knows where in the stream the two sides are.
      link.cut(failure);
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks who leads these topics. Rejects with a KafkaError. */
  async refresh(topics: readonly string[], deadline: Deadline): Promise<void> {
    this.#learn(await this.ask(deadline, (link) => link.metadata(topics)));
  }

  close(): void {
    this.#isClosed = true;
    const reason = closed();
    for (const { link } of this.#links.values()) link.cut(reason);
    this.#links.clear();
  }

  #learn(metadata: Metadata): void {
    if (metadata.brokers.length > 0) this.#brokers = metadata.brokers;
    const byId = new Map<number, BrokerAddress>(metadata.brokers.map((broker) => [broker.nodeId, broker]));
    for (const { name, code, partitions } of metadata.topics) {
      const leaders = new Map(partitions.map(({ index, leader }) => [index, byId.get(leader)]));
      this.#topics.set(name, { code, leaders });
    }
  }

  #link(address: BrokerAddress): OpenLink {
    if (this.#isClosed) throw closed();
    const name = nameOf(address);
    const known = this.#links.get(name);
    if (known !== undefined && !known.link.isBroken) return known;
    const link = this.#library.open(address);
    link.ready.catch(() => undefined);
    const open = new OpenLink(link);
    this.#links.set(name, open);
    link.broken.catch(() => {
      if (this.#links.get(name) === open) this.#links.delete(name);
      // A broker that is asked for no answer closes the connection when it does not lead any more.
      this.#topics.clear();
    });
    return open;
  }

  /** Connected ones first, then those to begin with, then those learned. */
  #candidates(): BrokerAddress[] {
    const all = new Map<string, BrokerAddress>();
    const known = [...this.#bootstrap, ...this.#brokers];
    for (const address of known) if (this.#links.has(nameOf(address))) all.set(nameOf(address), address);
    for (const address of known) all.set(nameOf(address), address);
    return [...all.values()];
  }
}

/** `host:port` of the settings, an IPv6 address in brackets. */
export function parseAddress(text: string): BrokerAddress {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(text.slice(colon + 1)) };
}

export function nameOf({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const closed = (): KafkaError =>
  new KafkaError({ reason: 'unreachable', message: 'The client has been closed.' });

function moreTelling(one: KafkaError | undefined, other: KafkaError): KafkaError {
  return one === undefined || rankOf(other) < rankOf(one) ? other : one;
}

function rankOf({ failure }: KafkaError): number {
  const index = tellings.indexOf(failure.reason);
  return index < 0 ? tellings.length : index;
}
