/**
 * Structures and numbers of librdkafka that are used here, as `librdkafka/rdkafka.h` declares them; on 64-bit
 * little-endian Linux. They are part of its binary interface and have not changed since version 1.
 */
import type { Layout } from './layout.ts';

export const rdKafkaMessage = {
  header: 'librdkafka/rdkafka.h',
  name: 'rd_kafka_message_t',
  bytes: 72,
  at: { err: 0, _private: 64 },
} as const satisfies Layout;

/** One argument of `rd_kafka_produceva`: what it is, then a union. */
export const rdKafkaArgument = {
  header: 'librdkafka/rdkafka.h',
  name: 'rd_kafka_vu_t',
  bytes: 72,
  at: {
    vtype: 0,
    'u.rkt': 8,
    'u.i32': 8,
    'u.i': 8,
    'u.i64': 8,
    'u.ptr': 8,
    'u.mem.ptr': 8,
    'u.mem.size': 16,
    'u.headers': 8,
  },
} as const satisfies Layout;

export const rdKafkaMetadata = {
  header: 'librdkafka/rdkafka.h',
  name: 'struct rd_kafka_metadata',
  bytes: 48,
  at: { broker_cnt: 0, topic_cnt: 16, topics: 24 },
} as const satisfies Layout;

export const rdKafkaMetadataTopic = {
  header: 'librdkafka/rdkafka.h',
  name: 'struct rd_kafka_metadata_topic',
  bytes: 32,
  at: { partition_cnt: 8, err: 24 },
} as const satisfies Layout;

export const rdKafkaNumber = {
  RD_KAFKA_PRODUCER: 0,
  RD_KAFKA_CONF_UNKNOWN: -2,
  RD_KAFKA_CONF_INVALID: -1,
  RD_KAFKA_CONF_OK: 0,

  RD_KAFKA_VTYPE_RKT: 2,
  RD_KAFKA_VTYPE_PARTITION: 3,
  RD_KAFKA_VTYPE_VALUE: 4,
  RD_KAFKA_VTYPE_KEY: 5,
  RD_KAFKA_VTYPE_OPAQUE: 6,
  RD_KAFKA_VTYPE_MSGFLAGS: 7,
  RD_KAFKA_VTYPE_TIMESTAMP: 8,
  RD_KAFKA_VTYPE_HEADERS: 10,
  RD_KAFKA_MSG_F_COPY: 0x2,

  RD_KAFKA_EVENT_NONE: 0,
  RD_KAFKA_EVENT_DR: 0x1,
  RD_KAFKA_EVENT_LOG: 0x4,
  RD_KAFKA_EVENT_ERROR: 0x8,
  RD_KAFKA_EVENT_CREATETOPICS_RESULT: 100,
  RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT: 104,
  RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH: 0x100,

  RD_KAFKA_PURGE_F_QUEUE: 0x1,
  RD_KAFKA_PURGE_F_INFLIGHT: 0x2,
  RD_KAFKA_PURGE_F_NON_BLOCKING: 0x4,

  RD_KAFKA_ADMIN_OP_CREATETOPICS: 1,
  RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS: 5,
  RD_KAFKA_RESOURCE_TOPIC: 2,
} as const;

/** Codes of errors: those below 0 are librdkafka's own, the others a broker's. */
export const rdKafkaError = {
  RD_KAFKA_RESP_ERR__BAD_MSG: -199,
  RD_KAFKA_RESP_ERR__BAD_COMPRESSION: -198,
  RD_KAFKA_RESP_ERR__FAIL: -196,
  RD_KAFKA_RESP_ERR__TRANSPORT: -195,
  RD_KAFKA_RESP_ERR__RESOLVE: -193,
  RD_KAFKA_RESP_ERR__MSG_TIMED_OUT: -192,
  RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: -190,
  RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC: -188,
  RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: -187,
  RD_KAFKA_RESP_ERR__INVALID_ARG: -186,
  RD_KAFKA_RESP_ERR__TIMED_OUT: -185,
  RD_KAFKA_RESP_ERR__QUEUE_FULL: -184,
  RD_KAFKA_RESP_ERR__SSL: -181,
  RD_KAFKA_RESP_ERR__AUTHENTICATION: -169,
  RD_KAFKA_RESP_ERR__PURGE_QUEUE: -152,
  RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: -151,
  RD_KAFKA_RESP_ERR__FATAL: -150,
  RD_KAFKA_RESP_ERR_NO_ERROR: 0,
  RD_KAFKA_RESP_ERR_INVALID_MSG: 2,
  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: 3,
  RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT: 7,
  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: 10,
  RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION: 17,
  RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: 18,
  RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS: 21,
  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: 29,
  RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: 31,
  RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP: 32,
  RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: 36,
  RD_KAFKA_RESP_ERR_INVALID_PARTITIONS: 37,
  RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR: 38,
  RD_KAFKA_RESP_ERR_INVALID_REQUEST: 42,
  RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT: 43,
  RD_KAFKA_RESP_ERR_POLICY_VIOLATION: 44,
  RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED: 58,
  RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE: 76,
  RD_KAFKA_RESP_ERR_INVALID_RECORD: 87,
} as const;
