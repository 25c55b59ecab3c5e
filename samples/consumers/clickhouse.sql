-- Flow records in ClickHouse: a table that reads the topic, one that keeps the records, and a view that moves them over.
-- For records in JSON (flows.encoding: json). Replace brokers, topic and group; TLS and SASL belong to the server's
-- configuration, section <kafka>, under librdkafka's names (security_protocol, sasl_mechanism, …).

CREATE DATABASE IF NOT EXISTS mirrortap;

-- Keeps one row a record: rows that were delivered twice have the same key, and the later one stays.
-- Ask for FINAL, or group by flow_id and sequence, where a row that is not merged yet would count twice.
CREATE TABLE IF NOT EXISTS mirrortap.flows
(
    time                DateTime64(9, 'UTC'),
    start               DateTime64(9, 'UTC'),
    end                 DateTime64(9, 'UTC'),
    flow_id             FixedString(16),
    sequence            UInt64,
    final               Bool,
    end_reason          LowCardinality(String),
    observer            LowCardinality(String),
    lane                LowCardinality(String),
    vni                 UInt32,
    encapsulation       LowCardinality(String),
    gwlb_endpoint_id    LowCardinality(String),
    mirror_source       IPv6,
    transport           LowCardinality(String),
    protocol            LowCardinality(String),
    direction           LowCardinality(String),
    community_id        String,
    source_ip           IPv6,
    source_port         UInt16,
    source_packets      UInt64,
    source_bytes        UInt64,
    destination_ip      IPv6,
    destination_port    UInt16,
    destination_packets UInt64,
    destination_bytes   UInt64,
    destination_domain  String,
    truncated_packets   UInt64,
    tcp_state           LowCardinality(String),
    tcp_history         LowCardinality(String),
    server_rtt_us       Nullable(UInt64),
    client_rtt_us       Nullable(UInt64),
    record              String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(time)
ORDER BY (vni, toStartOfHour(time), source_ip, destination_ip, flow_id, sequence)
TTL toDateTime(time) + INTERVAL 30 DAY;

-- One column: the record as it is. What is no JSON comes with _error.
CREATE TABLE IF NOT EXISTS mirrortap.flows_topic
(
    record String
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '127.0.0.1:9092',
    kafka_topic_list = 'mirrortap.flows',
    kafka_group_name = 'clickhouse-mirrortap',
    kafka_format = 'JSONAsString',
    kafka_num_consumers = 1,
    kafka_handle_error_mode = 'stream';

-- Nothing in it fails, since one record that fails would be read again for ever.
-- A member that is left out is '', 0 or NULL. IPv4 addresses are ::ffff:10.0.0.1 in a column of type IPv6.
CREATE MATERIALIZED VIEW IF NOT EXISTS mirrortap.flows_from_topic TO mirrortap.flows AS
SELECT
    parseDateTime64BestEffortOrZero(JSONExtractString(record, '@timestamp'), 9, 'UTC') AS time,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'event', 'start'), 9, 'UTC') AS start,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'event', 'end'), 9, 'UTC') AS end,
    toFixedString(left(JSONExtractString(record, 'mirrortap', 'flow_id'), 16), 16) AS flow_id,
    JSONExtractUInt(record, 'mirrortap', 'sequence') AS sequence,
    JSONExtractBool(record, 'mirrortap', 'final') AS final,
    JSONExtractString(record, 'mirrortap', 'end_reason') AS end_reason,
    JSONExtractString(record, 'observer', 'name') AS observer,
    JSONExtractString(record, 'mirrortap', 'lane') AS lane,
    toUInt32(JSONExtractUInt(record, 'mirrortap', 'vni')) AS vni,
    JSONExtractString(record, 'mirrortap', 'encapsulation') AS encapsulation,
    JSONExtractString(record, 'mirrortap', 'gwlb_endpoint_id') AS gwlb_endpoint_id,
    toIPv6OrZero(JSONExtractString(record, 'mirrortap', 'mirror_source', 'ip')) AS mirror_source,
    JSONExtractString(record, 'network', 'transport') AS transport,
    JSONExtractString(record, 'network', 'protocol') AS protocol,
    JSONExtractString(record, 'network', 'direction') AS direction,
    JSONExtractString(record, 'network', 'community_id') AS community_id,
    toIPv6OrZero(JSONExtractString(record, 'source', 'ip')) AS source_ip,
    toUInt16(JSONExtractUInt(record, 'source', 'port')) AS source_port,
    JSONExtractUInt(record, 'source', 'packets') AS source_packets,
    JSONExtractUInt(record, 'source', 'bytes') AS source_bytes,
    toIPv6OrZero(JSONExtractString(record, 'destination', 'ip')) AS destination_ip,
    toUInt16(JSONExtractUInt(record, 'destination', 'port')) AS destination_port,
    JSONExtractUInt(record, 'destination', 'packets') AS destination_packets,
    JSONExtractUInt(record, 'destination', 'bytes') AS destination_bytes,
    JSONExtractString(record, 'destination', 'domain') AS destination_domain,
    JSONExtractUInt(record, 'mirrortap', 'truncated_packets') AS truncated_packets,
    JSONExtractString(record, 'mirrortap', 'tcp', 'state') AS tcp_state,
    JSONExtractString(record, 'mirrortap', 'tcp', 'history') AS tcp_history,
    JSONExtract(record, 'mirrortap', 'tcp', 'server_rtt_us', 'Nullable(UInt64)') AS server_rtt_us,
    JSONExtract(record, 'mirrortap', 'tcp', 'client_rtt_us', 'Nullable(UInt64)') AS client_rtt_us,
    record
FROM mirrortap.flows_topic
WHERE _error = '' AND JSONHas(record, 'mirrortap', 'flow_id');

-- What is no flow record, with its place in the topic.
CREATE TABLE IF NOT EXISTS mirrortap.flows_unreadable
(
    time      DateTime,
    topic     LowCardinality(String),
    partition UInt64,
    offset    UInt64,
    error     String,
    message   String
)
ENGINE = MergeTree
ORDER BY time
TTL time + INTERVAL 7 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS mirrortap.flows_unreadable_from_topic TO mirrortap.flows_unreadable AS
SELECT
    now() AS time,
    _topic AS topic,
    _partition AS partition,
    _offset AS offset,
    if(_error = '', 'JSON, but no flow record', _error) AS error,
    if(_error = '', record, _raw_message) AS message
FROM mirrortap.flows_topic
WHERE _error != '' OR NOT JSONHas(record, 'mirrortap', 'flow_id');

-- Who talks most, each hour of a VNI:
--
--   SELECT toStartOfHour(time) AS hour, source_ip, destination_ip, sum(source_bytes + destination_bytes) AS bytes
--   FROM mirrortap.flows FINAL WHERE vni = 42 GROUP BY ALL ORDER BY bytes DESC LIMIT 20;
