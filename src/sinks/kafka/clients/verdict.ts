import type { KafkaFailure, KafkaFailureReason } from '../client.ts';
import type { Coded } from './broker-link.ts';

/**
 * What an error of the broker means for the records of a partition.
 *
 * again: they are sent again. unknown: the broker knows of no such topic or partition, which is so for a moment after a
 * start or a creation too. never: it has taken none, and never will. twice: it has them already. lost: the producer's
 * sequence numbers mean nothing to it any more. damaged: the bytes did not arrive as they were sent, or are no records.
 */
export type Meaning = 'again' | 'unknown' | 'never' | 'twice' | 'lost' | 'damaged';

export interface Verdict {
  readonly name: string;
  readonly meaning: Meaning;
  readonly reason: KafkaFailureReason;
}

const verdict = (name: string, meaning: Meaning, reason: KafkaFailureReason): Verdict => ({
  name,
  meaning,
  reason,
});

/** Kafka documentation, section "Error Codes": those that Produce, Metadata, InitProducerId and CreateTopics answer with. */
const verdicts: ReadonlyMap<number, Verdict> = new Map([
  [-1, verdict('UNKNOWN_SERVER_ERROR', 'again', 'unavailable')],
  [2, verdict('CORRUPT_MESSAGE', 'damaged', 'invalid')],
  [3, verdict('UNKNOWN_TOPIC_OR_PARTITION', 'unknown', 'noTopic')],
  [5, verdict('LEADER_NOT_AVAILABLE', 'again', 'unavailable')],
  [6, verdict('NOT_LEADER_OR_FOLLOWER', 'again', 'unavailable')],
  [7, verdict('REQUEST_TIMED_OUT', 'again', 'timeout')],
  [8, verdict('BROKER_NOT_AVAILABLE', 'again', 'unavailable')],
  [9, verdict('REPLICA_NOT_AVAILABLE', 'again', 'unavailable')],
  [10, verdict('MESSAGE_TOO_LARGE', 'never', 'tooLarge')],
  [13, verdict('NETWORK_EXCEPTION', 'again', 'unavailable')],
  [14, verdict('COORDINATOR_LOAD_IN_PROGRESS', 'again', 'unavailable')],
  [15, verdict('COORDINATOR_NOT_AVAILABLE', 'again', 'unavailable')],
  [16, verdict('NOT_COORDINATOR', 'again', 'unavailable')],
  [17, verdict('INVALID_TOPIC_EXCEPTION', 'never', 'noTopic')],
  [18, verdict('RECORD_LIST_TOO_LARGE', 'never', 'tooLarge')],
  [19, verdict('NOT_ENOUGH_REPLICAS', 'again', 'unavailable')],
  [20, verdict('NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'again', 'unavailable')],
  [21, verdict('INVALID_REQUIRED_ACKS', 'never', 'invalid')],
  [29, verdict('TOPIC_AUTHORIZATION_FAILED', 'never', 'notAuthorised')],
  // Nothing of the topic is wrong: whoever sets it right finds the records in the spool.
  [31, verdict('CLUSTER_AUTHORIZATION_FAILED', 'again', 'notAuthorised')],
  [32, verdict('INVALID_TIMESTAMP', 'never', 'invalid')],
  [33, verdict('UNSUPPORTED_SASL_MECHANISM', 'again', 'authentication')],
  [34, verdict('ILLEGAL_SASL_STATE', 'again', 'authentication')],
  [35, verdict('UNSUPPORTED_VERSION', 'again', 'unavailable')],
  [36, verdict('TOPIC_ALREADY_EXISTS', 'twice', 'invalid')],
  [37, verdict('INVALID_PARTITIONS', 'never', 'invalid')],
  [38, verdict('INVALID_REPLICATION_FACTOR', 'never', 'invalid')],
  [40, verdict('INVALID_CONFIG', 'never', 'invalid')],
  [41, verdict('NOT_CONTROLLER', 'again', 'unavailable')],
  [42, verdict('INVALID_REQUEST', 'never', 'invalid')],
  [43, verdict('UNSUPPORTED_FOR_MESSAGE_FORMAT', 'never', 'invalid')],
  [44, verdict('POLICY_VIOLATION', 'never', 'invalid')],
  [45, verdict('OUT_OF_ORDER_SEQUENCE_NUMBER', 'lost', 'unavailable')],
  [46, verdict('DUPLICATE_SEQUENCE_NUMBER', 'twice', 'invalid')],
  [47, verdict('INVALID_PRODUCER_EPOCH', 'lost', 'unavailable')],
  [49, verdict('INVALID_PRODUCER_ID_MAPPING', 'lost', 'unavailable')],
  [56, verdict('KAFKA_STORAGE_ERROR', 'again', 'unavailable')],
  [58, verdict('SASL_AUTHENTICATION_FAILED', 'again', 'authentication')],
  [59, verdict('UNKNOWN_PRODUCER_ID', 'lost', 'unavailable')],
  [74, verdict('FENCED_LEADER_EPOCH', 'again', 'unavailable')],
  [75, verdict('UNKNOWN_LEADER_EPOCH', 'again', 'unavailable')],
  [76, verdict('UNSUPPORTED_COMPRESSION_TYPE', 'never', 'invalid')],
  [87, verdict('INVALID_RECORD', 'never', 'invalid')],
  [89, verdict('THROTTLING_QUOTA_EXCEEDED', 'again', 'unavailable')],
  [90, verdict('PRODUCER_FENCED', 'lost', 'unavailable')],
]);

/** An error that is not in the table may pass: nothing is dropped for it. */
export function verdictOf(code: number): Verdict {
  return verdicts.get(code) ?? verdict(`Kafka error ${code}`, 'again', 'unavailable');
}

export function failureOf(coded: Coded, about: string, broker?: string): KafkaFailure {
  const { name, reason } = verdictOf(coded.code);
  const text = coded.text === undefined || coded.text === '' ? '' : ` (${coded.text})`;
  return { reason, message: `${about}: ${name}${text}`, ...(broker === undefined ? {} : { broker }) };
}
