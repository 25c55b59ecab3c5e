import { rdKafkaError as code } from '../../../native/rdkafka-layout.ts';
import { rdKafka } from '../../../native/rdkafka.ts';
import type { KafkaFailure, KafkaFailureReason, Outcome } from '../client.ts';

/** What a code says about the records or the question that it answers. `refused`: they never arrive as they are. */
export interface Meaning {
  readonly kind: Exclude<Outcome['kind'], 'delivered'>;
  readonly reason: KafkaFailureReason;
}

const meanings: ReadonlyMap<number, Meaning> = new Map([
  ...all('refused', 'tooLarge', [
    code.RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
    code.RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
  ]),
  ...all('refused', 'notAuthorised', [
    code.RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    code.RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
  ]),
  ...all('refused', 'noTopic', [
    code.RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    code.RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
    code.RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
  ]),
  ...all('refused', 'invalid', [
    code.RD_KAFKA_RESP_ERR__INVALID_ARG,
    code.RD_KAFKA_RESP_ERR__BAD_COMPRESSION,
    code.RD_KAFKA_RESP_ERR_INVALID_MSG,
    code.RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
    code.RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS,
    code.RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
    code.RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
    code.RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
    code.RD_KAFKA_RESP_ERR_INVALID_REQUEST,
    code.RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
    code.RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
    code.RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE,
    code.RD_KAFKA_RESP_ERR_INVALID_RECORD,
  ]),
  ...all('retry', 'unreachable', [
    code.RD_KAFKA_RESP_ERR__TRANSPORT,
    code.RD_KAFKA_RESP_ERR__RESOLVE,
    code.RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
  ]),
  ...all('retry', 'timeout', [
    code.RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
    code.RD_KAFKA_RESP_ERR__TIMED_OUT,
    code.RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    code.RD_KAFKA_RESP_ERR__PURGE_QUEUE,
    code.RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
  ]),
  ...all('retry', 'authentication', [
    code.RD_KAFKA_RESP_ERR__SSL,
    code.RD_KAFKA_RESP_ERR__AUTHENTICATION,
    code.RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
  ]),
  ...all('retry', 'garbage', [code.RD_KAFKA_RESP_ERR__BAD_MSG]),
]);

/** Codes that are not listed are a broker's state, which passes. */
export function meaningOf(error: number): Meaning {
  return meanings.get(error) ?? { kind: 'retry', reason: 'unavailable' };
}

/**
 * Whether this version of librdkafka repeats its own nonce in the last message of SCRAM. Brokers minded that never before Kafka
 * 4, which compares as RFC 5802 section 5.1 asks; confluentinc/librdkafka#4895 mended it in 2.6.1.
 */
export function repeatsNonce(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number.parseFloat);
  return major < 2 || (major === 2 && (minor < 6 || (minor === 6 && patch < 1)));
}

function all(
  kind: Meaning['kind'],
  reason: KafkaFailureReason,
  codes: readonly number[],
): [number, Meaning][] {
  return codes.map((each) => [each, { kind, reason }]);
}

/** `host:port` in front of what librdkafka says of a broker, as in `sasl_ssl://kafka-1:9092/1: …`. */
const brokerPattern = /^(?:\w+:\/\/)?([^\s/]+:\d+)\//;

/** A broker that accepts and does not answer is, by its code, one whose connection broke. */
const timeoutPattern = /failed: Local: Timed out/;

/** What librdkafka says with a code, and of whom. After `loadRdKafka`. */
export function failureOf(error: number, text = ''): KafkaFailure {
  const { err2name, err2str } = rdKafka();
  const broker = brokerPattern.exec(text)?.[1];
  const message = `${text === '' ? err2str(error) : text} (${err2name(error)})`;
  const reason = timeoutPattern.test(text) ? 'timeout' : meaningOf(error).reason;
  return { reason, message, ...(broker !== undefined && { broker }) };
}
