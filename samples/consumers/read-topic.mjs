/**
 * Reads topics with kafkajs: what the other files here share.
 *
 * Batches compressed with gzip and zstd are read; for lz4 and snappy kafkajs needs a codec that is a package of its own.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) => Promise.resolve(zstdCompressSync(encoder.buffer)),
  decompress: (bytes) => Promise.resolve(zstdDecompressSync(bytes)),
});

/** Options that every consumer here takes, for `parseArgs` of `node:util`. */
export const topicOptions = {
  brokers: { type: 'string', default: '127.0.0.1:9092' },
  topic: { type: 'string' },
  group: { type: 'string' },
  'to-end': { type: 'boolean', default: false },
  kafka: { type: 'string' },
  help: { type: 'boolean', default: false },
};

export const topicHelp = `
  --brokers HOST:PORT,…  brokers to begin with (127.0.0.1:9092)
  --topic NAME           topic; /PATTERN/ for all that match, as with {vni} in their names
  --group NAME           consumer group: reading goes on where the group left off, the first time from
                         the beginning, and several processes share the partitions. Without a group
                         what comes from now on is read
  --to-end               read all that is there now, from the beginning, and end; without a group
  --kafka FILE           JSON with more options of kafkajs: {"ssl": true, "sasl": {…}}`;

/**
 * Calls `visit(message, topic)` for each message, of one partition in order, until SIGINT or SIGTERM, or with `to-end` until
 * the end. What `visit` returns is waited for; only then is the message committed, so a crash may show it a second time.
 * What it throws ends the reading.
 */
export async function readTopic(values, visit) {
  if (values['to-end'] && values.group !== undefined) throw new Error('--to-end reads without a group.');
  const options = values.kafka === undefined ? {} : JSON.parse(readFileSync(values.kafka, 'utf8'));
  const brokers = values.brokers.split(',');
  const kafka = new Kafka({ clientId: 'mirrortap-sample', logLevel: logLevel.ERROR, ...options, brokers });
  const left = await endsOf(kafka, values.topic, values['to-end']);
  if (values['to-end'] && left.size === 0) return;

  const groupId = values.group ?? `mirrortap-sample-${randomUUID()}`;
  // a stop waits for the fetch that is under way
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 500, allowAutoTopicCreation: false });
  const stopped = Promise.withResolvers();
  stopped.promise.catch(() => {
    // told where it is awaited, which may be later
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stopped.resolve);
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) stopped.reject(payload.error);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({
      topics: [topicOf(values.topic)],
      fromBeginning: values['to-end'] || values.group !== undefined,
    });
    await consumer.run({
      autoCommit: values.group !== undefined,
      // a batch that is left in the middle is not done
      eachBatchAutoResolve: false,
      eachBatch: async (work) => {
        const { topic, partition, messages } = work.batch;
        for (const message of messages) {
          if (!work.isRunning()) return;
          try {
            await visit(message, topic);
          } catch (error) {
            stopped.reject(error);
            return;
          }
          work.resolveOffset(message.offset);
          await work.heartbeat();
        }
        const name = `${topic} ${partition}`;
        if (BigInt(work.batch.lastOffset()) + 1n >= (left.get(name) ?? 0n)) left.delete(name);
        if (values['to-end'] && left.size === 0) stopped.resolve();
      },
    });
    await stopped.promise;
  } finally {
    await consumer.disconnect();
  }
}

/** `/…/` stands for a pattern. */
function topicOf(text) {
  return text.startsWith('/') && text.endsWith('/') ? new RegExp(text.slice(1, -1), 'u') : text;
}

/** Where each partition that holds something ends now, by topic and partition. */
async function endsOf(kafka, text, isWanted) {
  const ends = new Map();
  if (!isWanted) return ends;
  const wanted = topicOf(text);
  const admin = kafka.admin();
  await admin.connect();
  try {
    // asking a broker about a topic that is not there may make it
    const topics = (await admin.listTopics()).filter((name) =>
      wanted instanceof RegExp ? wanted.test(name) : name === wanted,
    );
    if (topics.length === 0) throw new Error(`There is no topic ${text}.`);
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (low !== high) ends.set(`${topic} ${partition}`, BigInt(high));
      }
    }
  } finally {
    await admin.disconnect();
  }
  return ends;
}
