import { TEXT_BYTES, textOf } from './kafka-text.ts';
import { rdKafkaNumber as number } from './rdkafka-layout.ts';
import type { RdKafka } from './rdkafka.ts';

/** An option that librdkafka does not know or does not take. */
export class RdKafkaOptionError extends Error {
  readonly option: string;

  constructor(option: string, text: string) {
    super(text);
    this.name = 'RdKafkaOptionError';
    this.option = option;
  }
}

/**
 * A new producer of librdkafka with these options, which tells what happens by events of its queue.
 *
 * @throws RdKafkaOptionError
 */
export function openProducer(kafka: RdKafka, options: ReadonlyMap<string, string>): bigint {
  const why = Buffer.alloc(TEXT_BYTES);
  const conf = kafka.conf_new();
  for (const [name, value] of options) {
    if (kafka.conf_set(conf, name, value, why, why.length) === number.RD_KAFKA_CONF_OK) continue;
    kafka.conf_destroy(conf);
    throw new RdKafkaOptionError(name, textOf(why));
  }
  const { RD_KAFKA_EVENT_DR, RD_KAFKA_EVENT_ERROR, RD_KAFKA_EVENT_LOG } = number;
  const { RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH } = number;
  kafka.conf_set_events(
    conf,
    RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH,
  );
  const producer = kafka.new(number.RD_KAFKA_PRODUCER, conf, why, why.length);
  if (producer !== null) return producer;
  kafka.conf_destroy(conf);
  throw new RdKafkaOptionError('', textOf(why));
}
