import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/**
 * The parts of kafkajs 2 below its producer. They are no public interface, but no release has followed since 2023 that
 * could change them; package.json keeps to that version, and the contract tests fail where a part is another.
 */
export interface KafkajsParts {
  readonly Broker: new (options: {
    readonly connectionPool: ConnectionPool;
    readonly logger: KafkajsLogger;
    readonly authenticationTimeout: number;
    readonly allowAutoTopicCreation: boolean;
  }) => KafkajsBroker;
  readonly ConnectionPool: new (options: ConnectionOptionsOfPool) => ConnectionPool;
  readonly requests: Readonly<Record<RequestName, RequestDefinitions>>;
  readonly apiKeys: Readonly<Record<RequestName, number>>;
}

export type RequestName = 'Produce' | 'Metadata' | 'InitProducerId' | 'CreateTopics' | 'DescribeConfigs';

export interface ConnectionOptionsOfPool {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly logger: KafkajsLogger;
  readonly socketFactory: (options: {
    readonly host: string;
    readonly port: number;
    readonly ssl: ConnectionOptions | null;
    readonly onConnect: () => void;
  }) => Socket;
  readonly ssl: ConnectionOptions | undefined;
  readonly sasl: object | undefined;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly maxInFlightRequests: null;
}

export interface ConnectionPool {
  readonly pool: readonly { readonly requestQueue: RequestQueue }[];
  send<T>(call: { readonly request: KafkajsRequest; readonly response: KafkajsResponse<T> }): Promise<T>;
}

export interface RequestQueue {
  readonly inflight: ReadonlyMap<number, unknown>;
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
  fulfillRequest(answer: { readonly correlationId: number }): void;
  destroy(): void;
}

export interface KafkajsBroker {
  connect(): Promise<void>;
  lookupRequest(
    key: number,
    definitions: RequestDefinitions,
  ): (values: object) => {
    readonly request: KafkajsRequest;
    readonly response: KafkajsResponse<unknown>;
  };
}

export interface KafkajsRequest {
  readonly apiVersion: number;
  /** Of an Encoder of theirs only this is looked at. */
  encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
}

export interface KafkajsResponse<T> {
  readonly decode: (bytes: Buffer) => Promise<unknown>;
  readonly parse: (decoded: unknown) => Promise<T>;
}

interface RequestDefinitions {
  readonly versions: readonly string[];
}

export interface KafkajsLogger {
  namespace(name: string): KafkajsLogger;
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

export function kafkajsParts(): KafkajsParts {
  const require = createRequire(import.meta.url);
  const { requests } = require('kafkajs/src/protocol/requests') as Pick<KafkajsParts, 'requests'>;
  return {
    Broker: require('kafkajs/src/broker') as KafkajsParts['Broker'],
    ConnectionPool: require('kafkajs/src/network/connectionPool') as KafkajsParts['ConnectionPool'],
    requests,
    apiKeys: require('kafkajs/src/protocol/requests/apiKeys') as KafkajsParts['apiKeys'],
  };
}
