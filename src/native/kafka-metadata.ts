import {
  rdKafkaMetadata as layout,
  rdKafkaMetadataTopic as topicLayout,
  rdKafkaError,
} from './rdkafka-layout.ts';
import type { RdKafka } from './rdkafka.ts';

export interface TopicMetadata {
  readonly error: number;
  readonly partitions: number;
}

/** Whether a broker is connected and has said which versions it speaks. Waits for nothing. */
export function isUp(kafka: RdKafka, producer: bigint): boolean {
  const answer = Buffer.alloc(8);
  const error = kafka.metadata(producer, 0, null, answer, 0);
  if (error === 0) kafka.metadata_destroy(answer.readBigUInt64LE());
  return error !== rdKafkaError.RD_KAFKA_RESP_ERR__TRANSPORT;
}

/** Asks any broker that is up about one topic, on a thread of the pool. */
export async function askMetadata(
  kafka: RdKafka,
  producer: bigint,
  topic: bigint,
  timeoutMs: number,
): Promise<TopicMetadata> {
  const answer = Buffer.alloc(8);
  const error = await new Promise<number>((resolve, reject) => {
    kafka.metadata.async(producer, 0, topic, answer, timeoutMs, (thrown, result) =>
      thrown === null ? resolve(result) : reject(thrown),
    );
  });
  return error === 0 ? readMetadata(kafka, answer.readBigUInt64LE()) : { error, partitions: 0 };
}

function readMetadata(kafka: RdKafka, at: bigint): TopicMetadata {
  const head = Buffer.alloc(layout.bytes);
  kafka.memcpy(head, at, head.length);
  let facts: TopicMetadata = { error: rdKafkaError.RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, partitions: 0 };
  if (head.readInt32LE(layout.at.topic_cnt) > 0) {
    const topic = Buffer.alloc(topicLayout.bytes);
    kafka.memcpy(topic, head.readBigUInt64LE(layout.at.topics), topic.length);
    const partitions = topic.readInt32LE(topicLayout.at.partition_cnt);
    facts = { error: topic.readInt32LE(topicLayout.at.err), partitions };
  }
  kafka.metadata_destroy(at);
  return facts;
}
