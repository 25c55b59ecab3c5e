import * as kafka from '@platformatic/kafka';

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
import { produceBody } from './produce-request.ts';
import { tlsOptions } from './tls-options.ts';

/** Most requests that the library lets wait on one connection; how many there are is decided above it. */
const INFLIGHT_MAX = 10_000;
/** As much of a broker's answer goes into a message. */
const ANSWER_TEXT_MAX = 200;

/** Versions of each request that are used, newest first; all of Kafka 2.1 to 4 has one of them. */
const produce = [kafka.produceV11, kafka.produceV9, kafka.produceV8, kafka.produceV7];
const metadata = [kafka.metadataV12, kafka.metadataV9, kafka.metadataV8, kafka.metadataV5];
const initProducerId = [kafka.initProducerIdV4, kafka.initProducerIdV3, kafka.initProducerIdV1];
const createTopics = [kafka.createTopicsV7, kafka.createTopicsV5, kafka.createTopicsV2];
const describeConfigs = [kafka.describeConfigsV4, kafka.describeConfigsV2, kafka.describeConfigsV1];

type ProduceAnswer = ReturnType<typeof kafka.produceV11.parseResponse>;

interface Protocol {
  readonly api: { readonly key: number; readonly version: number };
}

/** A connection of @platformatic/kafka to one broker. */
export class PlatformaticLink extends GuardedLink implements BrokerLink {
  readonly ready: Promise<void>;
  readonly #connection: kafka.Connection;
  /** Versions that the broker takes, by the key of the request. */
  readonly #ranges = new Map<number, { readonly minVersion: number; readonly maxVersion: number }>();

  constructor(address: BrokerAddress, settings: KafkaClientSettings, secrets: Secrets) {
    super(nameOf(address));
    const tls = tlsOptions(settings.tls, secrets, address.host);
    const sasl = saslOptions(settings, secrets);
    this.#connection = new kafka.Connection(settings.clientId, {
      connectTimeout: settings.requestTimeoutMs,
      ...(settings.options as kafka.ConnectionOptions),
      requestTimeout: LIBRARY_TIMEOUT_MS,
      maxInflights: INFLIGHT_MAX,
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    });
    this.#connection.on('error', (error) => this.cut(error));
    this.broken.catch(() => {
      // Ends its timers too.
      this.#connection.close(() => undefined);
    });
    this.ready = this.#open(address);
  }

  async metadata(topics: readonly string[]): Promise<Metadata> {
    const { api } = this.#choose(metadata);
    const answer = await unwrapped(api.async(this.#connection, [...topics], false));
    return {
      brokers: answer.brokers,
      topics: answer.topics.map(({ errorCode, name, partitions }) => ({
        code: errorCode,
        name: name ?? '',
        partitions: partitions.map((partition) => ({
          code: partition.errorCode,
          index: partition.partitionIndex,
          leader: partition.leaderId,
        })),
      })),
    };
  }

  async initProducer(): Promise<Coded & { producerId: bigint; producerEpoch: number }> {
    const { api } = this.#choose(initProducerId);
    const answer = await unwrapped(api.async(this.#connection, null, LIBRARY_TIMEOUT_MS));
    return { code: answer.errorCode, producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  }

  async createTopic(
    name: string,
    partitions: number,
    replication: number,
    timeoutMs: number,
  ): Promise<Coded> {
    const { api } = this.#choose(createTopics);
    const topic = {
      name,
      numPartitions: partitions,
      replicationFactor: replication,
      assignments: [],
      configs: [],
    };
    const { topics } = await unwrapped(api.async(this.#connection, [topic], timeoutMs, false));
    return coded(topics[0]);
  }

  async topicSetting(topic: string, setting: string): Promise<Coded & { value: string | undefined }> {
    const { api } = this.#choose(describeConfigs);
    const resource = {
      resourceType: kafka.ConfigResourceTypes.TOPIC,
      resourceName: topic,
      configurationKeys: [setting],
    };
    const { results } = await unwrapped(api.async(this.#connection, [resource], false, false));
    const config = results[0]?.configs.find(({ name }) => name === setting);
    return { ...coded(results[0]), value: config?.value ?? undefined };
  }

  async produce(request: ProduceRequest): Promise<readonly PartitionAnswer[]> {
    const { api, parseResponse } = this.#choose(produce);
    const isFlexible = api.version >= 9;
    const writer = kafka.Writer.create().append(produceBody(request, api.version));
    if (request.acks === 0) writer.context['noResponse'] = true;
    const sent = new Promise<ProduceAnswer | boolean>((resolve, reject) => {
      this.#connection.send(
        api.key,
        api.version,
        () => writer,
        parseResponse,
        isFlexible,
        isFlexible,
        (error, answer) => (error === null ? resolve(answer ?? false) : reject(error)),
      );
    });
    const answer = await unwrapped(sent);
    if (typeof answer === 'boolean') {
      await this.drained();
      return [];
    }
    return answer.responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map((partition) => ({
        topic: name,
        partition: partition.index,
        code: partition.errorCode,
        text: wordsOf(partition),
      })),
    );
  }

  async #open(address: BrokerAddress): Promise<void> {
    const connected = Promise.resolve(this.#connection.connect(address.host, address.port));
    connected.catch(() => undefined);
    this.watch(this.#connection.socket);
    await connected;
    const { api } = kafka.apiVersionsV3;
    const { apiKeys } = await unwrapped(api.async(this.#connection, 'mirrortap', '1'));
    for (const { apiKey, minVersion, maxVersion } of apiKeys)
      this.#ranges.set(apiKey, { minVersion, maxVersion });
  }

  /** The newest version that both sides have. */
  #choose<T extends Protocol>(versions: readonly T[]): T {
    for (const version of versions) {
      const range = this.#ranges.get(version.api.key);
      if (range === undefined) break;
      if (version.api.version >= range.minVersion && version.api.version <= range.maxVersion) return version;
    }
    const key = versions[0]?.api.key ?? -1;
    throw new kafka.UnsupportedApiError(
      `The broker and the client have no version of request ${key} in common.`,
    );
  }
}

/** The library throws an answer that holds an error; we look at each part of it. */
async function unwrapped<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof kafka.ResponseError) return error['response'] as T;
    throw error;
  }
}

const coded = (part: { errorCode: number; errorMessage?: string | null | undefined } | undefined): Coded =>
  part === undefined ? { code: -1 } : { code: part.errorCode, text: part.errorMessage ?? undefined };

function wordsOf(partition: ProduceAnswer['responses'][number]['partitionResponses'][number]): string {
  const records = partition.recordErrors.map(({ batchIndexErrorMessage }) => batchIndexErrorMessage ?? '');
  return [partition.errorMessage ?? '', ...records.slice(0, 1)].filter((text) => text !== '').join(': ');
}

function saslOptions({ sasl }: KafkaClientSettings, secrets: Secrets): kafka.SASLOptions | undefined {
  const { mechanism, username } = sasl;
  if (mechanism === 'none') return undefined;
  if (mechanism === 'oauthbearer' || mechanism === 'aws-msk-iam') {
    const token = async (): Promise<string> => (await secrets.token()).value;
    return { mechanism: 'OAUTHBEARER', token, authBytesValidator: checkToken };
  }
  return { mechanism: saslNames[mechanism], username, password: secrets.password ?? '' };
}

const saslNames = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/** RFC 7628 section 3.2.2: a broker that refuses a token says so in an answer that is no error. */
const checkToken: NonNullable<kafka.SASLOptions['authBytesValidator']> = (answer, callback) => {
  const text = answer.toString('utf8', 0, ANSWER_TEXT_MAX);
  if (text === '') callback(null, answer);
  else callback(new kafka.AuthenticationError(`The broker refused the token: ${text}`));
};
