import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { TopicAdmin } from './admin.ts';
import type { Certificates } from './certificates.ts';
import type { ListenerName } from './properties.ts';

/** Names the socket of shared-server.ts. */
export const SOCKET_VARIABLE = 'SHARED_KAFKA_SOCKET';

/** What shared-server.ts sends. */
export type SharedAnswer =
  | { readonly ports: Readonly<Partial<Record<ListenerName, number>>>; readonly certificates: Certificates }
  | { readonly refused: string };

/**
 * A broker that several test files use at the same time, so nobody stops it, and topics are named by `topicName`. It is the one
 * that KAFKA_BROKERS names, which then has neither `port` nor `certificates`, or one of our own with all listeners and access
 * checks.
 */
export class SharedKafka {
  /** `host:port,…` in plain text. */
  readonly bootstrap: string;
  readonly admin: TopicAdmin;
  readonly #answer: SharedAnswer | undefined;

  constructor(bootstrap: string, answer?: SharedAnswer) {
    this.bootstrap = bootstrap;
    this.admin = new TopicAdmin(() => bootstrap);
    this.#answer = answer;
  }

  port(listener: ListenerName): number {
    const port = this.#own.ports[listener];
    if (port === undefined) throw new Error(`The shared broker has no listener ${listener}.`);
    return port;
  }

  get certificates(): Certificates {
    return this.#own.certificates;
  }

  /** A name that no other test has; nothing is created. */
  topicName(start: string): string {
    return `${start}-${randomBytes(6).toString('hex')}`;
  }

  /** Creates a topic of a name of its own, and returns that. */
  async newTopic(
    start: string,
    partitions = 1,
    config: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const topic = this.topicName(start);
    await this.admin.createTopic(topic, partitions, config);
    return topic;
  }

  get #own(): Exclude<SharedAnswer, { readonly refused: string }> {
    if (this.#answer === undefined || 'refused' in this.#answer) {
      throw new Error('KAFKA_BROKERS names a broker of which only the plain listener is known.');
    }
    return this.#answer;
  }
}

/** The broker that all test files of this run share; the first who asks waits until it has started. */
export async function sharedKafka(): Promise<SharedKafka> {
  const named = process.env['KAFKA_BROKERS'];
  if (named !== undefined) return new SharedKafka(named);
  const path = process.env[SOCKET_VARIABLE];
  if (path === undefined)
    throw new Error('Run with test/vitest.config.ts: its global set-up starts the broker.');
  const answer = JSON.parse(await text(createConnection(path))) as SharedAnswer;
  if ('refused' in answer) throw new Error(`The shared broker did not start: ${answer.refused}`);
  return new SharedKafka(`127.0.0.1:${answer.ports.PLAINTEXT}`, answer);
}
