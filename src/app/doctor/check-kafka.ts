import type { Facts, KafkaFact } from './facts.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** What a batch has besides its records. */
const BATCH_OVERHEAD_BYTES = 1024;

/** Whether the brokers of each Kafka sink can be reached with its client, TLS and user. */
export function checkBrokers({ kafka }: Facts): Finding[] {
  return kafka.map(({ sink, settings, failure }) => {
    const brokers = settings.brokers.join(', ');
    return failure === undefined
      ? ok('brokers', `The sink ${sink} reaches Kafka at ${brokers} with ${settings.client}.`)
      : problem(
          'brokers',
          `The sink ${sink} cannot use Kafka at ${brokers}: ${failure}.`,
          `Check sinks.${sink}.brokers, tls and sasl, and the network between; docs/errors.md, KAFKA_UNAVAILABLE.`,
        );
  });
}

/** Whether the topics are there, or may be made, and take batches as large as ours. */
export function checkTopics({ kafka }: Facts): Finding[] {
  return kafka.flatMap((fact) =>
    fact.failure === undefined ? [...fact.topics.keys()].map((topic) => checkTopic(fact, topic)) : [],
  );
}

function checkTopic({ sink, settings, topics }: KafkaFact, topic: string): Finding {
  const facts = topics.get(topic);
  const { createTopics, batchBytes } = settings;
  if (facts === undefined) {
    const missing = `The topic ${topic} of the sink ${sink} is not there`;
    if (createTopics.enabled) return ok('topics', `${missing}: it will be created.`);
    const remedy = `Create it, or set sinks.${sink}.createTopics.enabled: true.`;
    return problem(
      'topics',
      `${missing}: its records would wait for a minute, and then be dropped as noTopic.`,
      remedy,
    );
  }
  const { partitions, maxMessageBytes } = facts;
  if (maxMessageBytes === undefined || maxMessageBytes - BATCH_OVERHEAD_BYTES >= batchBytes)
    return ok('topics', `The topic ${topic} of the sink ${sink} has ${partitions} partitions.`);
  return note(
    'topics',
    `The topic ${topic} takes batches of ${maxMessageBytes} bytes; sinks.${sink}.batchBytes is ${batchBytes}.`,
    'Batches will be made as small as the topic asks for; a larger max.message.bytes of the topic costs less.',
  );
}

/** Whether the spool may grow as large as it is allowed to. */
export function checkSpool({ kafka }: Facts): Finding[] {
  return kafka.flatMap(({ sink, settings, spoolFreeBytes }) => {
    if (spoolFreeBytes === undefined) return [];
    const { directory, maxBytes } = settings.spool;
    const message =
      `The spool of the sink ${sink}, ${directory}, may grow to ${gigabytes(maxBytes)}; ` +
      `its disk has ${gigabytes(spoolFreeBytes)} free.`;
    if (spoolFreeBytes >= maxBytes) return [ok('spool-space', message)];
    const remedy = `Free some of it, use a larger disk, or lower sinks.${sink}.spool.maxBytes.`;
    return [note('spool-space', message, remedy)];
  });
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
