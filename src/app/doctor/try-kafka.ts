import { statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../config/settings.ts';
import { MirrorError } from '../../observe/error.ts';
import type { Log } from '../../observe/log.ts';
import { type KafkaClient, KafkaError, type TopicFacts } from '../../sinks/kafka/client.ts';
import { makeKafkaClient } from '../../sinks/kafka/clients/index.ts';
import type { KafkaSettings } from '../../sinks/kafka/settings.ts';
import type { KafkaFact } from './facts.ts';

/** A broker that answers at all does so well within this. */
const TIMEOUT_MS = 5000;
/** What a client logs is told by the finding. */
const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Asks the brokers of all Kafka sinks. Nothing is written to them. */
export function tryKafka({ sinks }: Config): Promise<KafkaFact[]> {
  const kafka = Object.entries(sinks).filter(([, { kind, enabled }]) => kind === 'kafka' && enabled);
  return Promise.all(kafka.map(([sink, settings]) => tryOne(sink, settings as unknown as KafkaSettings)));
}

async function tryOne(sink: string, settings: KafkaSettings): Promise<KafkaFact> {
  const topics = new Map<string, TopicFacts | undefined>();
  const spoolFreeBytes = settings.onFull === 'spool' ? freeBytes(settings.spool.directory) : undefined;
  const fact = { sink, settings, topics, spoolFreeBytes };
  let client: KafkaClient | undefined;
  try {
    const requestTimeoutMs = Math.min(settings.requestTimeoutMs, TIMEOUT_MS);
    client = await makeKafkaClient({ settings: { ...settings, requestTimeoutMs }, worker: 0, log: silent });
    await client.connect();
    for (const name of topicsOf(settings)) topics.set(name, await client.topic(name));
    return { ...fact, failure: undefined };
  } catch (error) {
    return { ...fact, failure: failureOf(error) };
  } finally {
    await client?.close();
  }
}

/** Topics whose names are known before a packet comes. */
function topicsOf({ packets, flows }: KafkaSettings): string[] {
  return [packets?.topic, flows?.topic].filter(
    (name) => name !== undefined && !name.includes('{vni}'),
  ) as string[];
}

function failureOf(error: unknown): string {
  if (error instanceof KafkaError) {
    const { reason, message, broker } = error.failure;
    return `${reason}${broker === undefined ? '' : ` at ${broker}`}: ${message}`;
  }
  if (error instanceof MirrorError) return error.message;
  throw error;
}

/** Of the disk that the folder is on, or will be; undefined where the system does not tell. */
function freeBytes(directory: string): number | undefined {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch {
      if (folder === dirname(folder)) return undefined;
    }
  }
}
