import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../../src/observe/log.ts';
import type { KafkaClient, KafkaRecord, Outcome, PartitionBatch } from '../../../src/sinks/kafka/client.ts';
import { makeKafkaClient } from '../../../src/sinks/kafka/clients/index.ts';
import type { KafkaSettings } from '../../../src/sinks/kafka/settings.ts';
import { requiresRdKafka } from '../native.ts';
import { defaultKafka } from './kafka-settings.ts';

const RETRY_MS = 100;
const RETRIES_MAX = 400;

const nothing = (): void => undefined;
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A client that is not connected yet, for brokers at `host:port,…`. */
export function newClient(bootstrap: string, changed: Partial<KafkaSettings>): Promise<KafkaClient> {
  const settings = defaultKafka({ brokers: bootstrap.split(','), clientId: 'contract', ...changed });
  return makeKafkaClient({ settings, worker: 0, log: silentLog });
}

/** The clients that this machine has. */
export const clientNames: readonly KafkaSettings['client'][] = [
  'platformatic',
  'kafkajs',
  ...((await requiresRdKafka()) ? (['librdkafka'] as const) : []),
];

/** A record of now, whose value begins with `text` and is `length` bytes long. A broker deletes what is too old. */
export function recordOf(text: string, length = text.length): KafkaRecord {
  const value = Buffer.alloc(length, '.');
  value.write(text);
  const headers = new Map([[Buffer.from('vni'), Buffer.from('42')]]);
  return { key: Buffer.from(`key of ${text}`), value, timestampMs: Date.now(), headers, count: 1 };
}

/** Sends batches again, as the sink does, until each is delivered or refused. */
export async function deliver(
  client: KafkaClient,
  batches: readonly PartitionBatch[],
): Promise<readonly Outcome[]> {
  const outcomes = [...(await client.sendBatch(batches))];
  for (let tries = 0; tries < RETRIES_MAX; tries++) {
    const open = outcomes.flatMap(({ kind }, index) => (kind === 'retry' ? [index] : []));
    if (open.length === 0) return outcomes;
    await pause(RETRY_MS);
    const again = await client.sendBatch(open.map((index) => batches[index]!));
    for (const [place, index] of open.entries()) outcomes[index] = again[place]!;
  }
  throw new Error(`Some batches were neither delivered nor refused: ${JSON.stringify(outcomes)}`);
}
