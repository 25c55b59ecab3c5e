import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { Secrets } from '../secrets.ts';
import type { KafkaClientSettings } from '../settings.ts';
import type {
  BrokerAddress,
  BrokerLink,
  Coded,
  Metadata,
  PartitionAnswer,
  ProduceRequest,
} from './broker-link.ts';
import { nameOf } from './cluster.ts';
import { GuardedLink, LIBRARY_TIMEOUT_MS } from './guarded-link.ts';
import type {
  ConnectionOptionsOfPool,
  ConnectionPool,
  KafkajsBroker,
  KafkajsLogger,
  KafkajsParts,
  KafkajsRequest,
  RequestName,
  RequestQueue,
} from './kafkajs-internals.ts';
import { kafkajsSasl } from './kafkajs-sasl.ts';
import { produceBody } from './produce-request.ts';
import { tlsOptions } from './tls-options.ts';

/** Type of resource in a request for its configuration: Kafka protocol, ConfigResource.Type.TOPIC. */
const TOPIC_RESOURCE = 2;
const KEEP_ALIVE_MS = 60_000;

export interface KafkajsLinkOptions {
  readonly parts: KafkajsParts;
  readonly logger: KafkajsLogger;
  readonly settings: KafkaClientSettings;
  readonly secrets: Secrets;
}

interface DecodedMetadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number;
      readonly partitionId: number;
      readonly leader: number;
    }[];
  }[];
}

interface DecodedProduce {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
  }[];
}

interface DecodedCreation {
  readonly topicErrors: readonly { readonly errorCode: number; readonly errorMessage?: string }[];
}

interface DecodedConfigs {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
  }[];
}

/** A connection of kafkajs to one broker. */
export class KafkajsLink extends GuardedLink implements BrokerLink {
  readonly ready: Promise<void>;
  readonly #parts: KafkajsParts;
  readonly #pool: ConnectionPool;
  readonly #broker: KafkajsBroker;

  constructor(address: BrokerAddress, { parts, logger, settings, secrets }: KafkajsLinkOptions) {
    super(nameOf(address));
    this.#parts = parts;
    this.#pool = new parts.ConnectionPool({
      connectionTimeout: settings.requestTimeoutMs,
      ...settings.options,
      host: address.host,
      port: address.port,
      clientId: settings.clientId,
      logger,
      socketFactory: (options) => this.#connect(options),
      ssl: tlsOptions(settings.tls, secrets, address.host),
      sasl: kafkajsSasl(settings.sasl, secrets),
      requestTimeout: LIBRARY_TIMEOUT_MS,
      enforceRequestTimeout: false,
      maxInFlightRequests: null,
    });
    for (const { requestQueue } of this.#pool.pool) this.#tame(requestQueue);
    this.#broker = new parts.Broker({
      connectionPool: this.#pool,
      logger,
      authenticationTimeout: settings.requestTimeoutMs,
      allowAutoTopicCreation: false,
    });
    this.ready = this.#broker.connect();
  }

  async metadata(topics: readonly string[]): Promise<Metadata> {
    const values = { topics: [...topics], allowAutoTopicCreation: false };
    const { brokers, topicMetadata } = await this.#ask<DecodedMetadata>('Metadata', values);
    return {
      brokers,
      topics: topicMetadata.map(({ topicErrorCode, topic, partitionMetadata }) => ({
        code: topicErrorCode,
        name: topic,
        partitions: partitionMetadata.map(({ partitionErrorCode, partitionId, leader }) => ({
          code: partitionErrorCode,
          index: partitionId,
          leader,
        })),
      })),
    };
  }

  async initProducer(): Promise<Coded & { producerId: bigint; producerEpoch: number }> {
    const values = { transactionalId: null, transactionTimeout: LIBRARY_TIMEOUT_MS };
    const answer = await this.#ask<{ errorCode: number; producerId: string; producerEpoch: number }>(
      'InitProducerId',
      values,
    );
    const { errorCode, producerId, producerEpoch } = answer;
    return { code: errorCode, producerId: BigInt(producerId), producerEpoch };
  }

  async createTopic(
    name: string,
    partitions: number,
    replication: number,
    timeoutMs: number,
  ): Promise<Coded> {
    const topic = { topic: name, numPartitions: partitions, replicationFactor: replication };
    const answer = await this.#ask<DecodedCreation>('CreateTopics', { topics: [topic], timeout: timeoutMs });
    const [error] = answer.topicErrors;
    return { code: error?.errorCode ?? -1, text: error?.errorMessage };
  }

  async topicSetting(topic: string, setting: string): Promise<Coded & { value: string | undefined }> {
    const resources = [{ type: TOPIC_RESOURCE, name: topic, configNames: [setting] }];
    const answer = await this.#ask<DecodedConfigs>('DescribeConfigs', { resources, includeSynonyms: false });
    const [resource] = answer.resources;
    const entry = resource?.configEntries.find(({ configName }) => configName === setting);
    return { code: resource?.errorCode ?? -1, value: entry?.configValue ?? undefined };
  }

  async produce(request: ProduceRequest): Promise<readonly PartitionAnswer[]> {
    const values = { acks: request.acks, timeout: request.timeoutMs, topicData: [] };
    const answer = await this.#ask<DecodedProduce | undefined>('Produce', values, (version) =>
      produceBody(request, version),
    );
    if (answer === undefined) {
      await this.drained();
      return [];
    }
    return answer.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode }) => ({ topic: topicName, partition, code: errorCode })),
    );
  }

  /** Sends a request; the answer is given as it is, with the errors in it. `body` replaces what the library would encode. */
  async #ask<T>(name: RequestName, values: object, body?: (version: number) => Buffer): Promise<T> {
    const { apiKeys, requests } = this.#parts;
    const { request, response } = this.#broker.lookupRequest(apiKeys[name], requests[name])(values);
    if (body !== undefined) replaceBody(request, body(request.apiVersion));
    const parse = (decoded: unknown): Promise<T> => Promise.resolve(decoded as T);
    return this.#pool.send<T>({ request, response: { decode: response.decode, parse } });
  }

  #connect({
    host,
    port,
    ssl,
    onConnect,
  }: Parameters<ConnectionOptionsOfPool['socketFactory']>[0]): ReturnType<typeof connectTcp> {
    const socket =
      ssl === null ? connectTcp({ host, port }, onConnect) : connectTls({ ...ssl, host, port }, onConnect);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.watch(socket);
    return socket;
  }

  /**
   * Two things that the library does wrong. It looks every millisecond whether something waits, with timers that Node
   * warns of, although nothing can wait that is not throttled. And it only logs an answer to a question that nobody
   * asked, which is no Kafka.
   */
  #tame(queue: RequestQueue): void {
    const look = queue.scheduleCheckPendingRequests.bind(queue);
    queue.scheduleCheckPendingRequests = () => {
      if (queue.pending.length > 0 || queue.throttledUntil > Date.now()) look();
    };
    const fulfill = queue.fulfillRequest.bind(queue);
    queue.fulfillRequest = (answer) => {
      if (queue.inflight.has(answer.correlationId)) fulfill(answer);
      else this.garbage(`It answered request ${answer.correlationId}, which was not asked.`);
    };
    this.broken.catch(() => queue.destroy());
  }
}

function replaceBody(request: KafkajsRequest, bytes: Buffer): void {
  request.encode = () => Promise.resolve({ buf: bytes, buffer: bytes });
}
