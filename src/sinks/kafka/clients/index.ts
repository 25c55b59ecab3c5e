import { MirrorError } from '../../../observe/error.ts';
import type { KafkaClient } from '../client.ts';
import { readSecrets, type Secrets } from '../secrets.ts';
import type { ClientOptions } from './client-options.ts';
import { mskTokens } from './msk-token.ts';

export type { ClientOptions } from './client-options.ts';

/**
 * Makes the client that the settings ask for, and loads its library and no other. It is not connected yet.
 *
 * @throws MirrorError KAFKA_CLIENT_UNAVAILABLE where a library is missing, SECRET_UNREADABLE
 */
export async function makeKafkaClient(options: ClientOptions): Promise<KafkaClient> {
  const { sasl } = options.settings;
  const makeToken = sasl.mechanism === 'aws-msk-iam' ? await mskTokens(sasl.region) : undefined;
  return load(options, await readSecrets(options.settings, makeToken));
}

async function load(options: ClientOptions, secrets: Secrets): Promise<KafkaClient> {
  const { client } = options.settings;
  switch (client) {
    case 'platformatic': {
      const { PlatformaticClient } = await loaded(client, import('./platformatic-client.ts'));
      return new PlatformaticClient(options, secrets);
    }
    case 'kafkajs': {
      const { KafkajsClient } = await loaded(client, import('./kafkajs-client.ts'));
      return new KafkajsClient(options, secrets);
    }
    default: {
      const { LibrdkafkaClient } = await loaded(client, import('./librdkafka-client.ts'));
      return LibrdkafkaClient.make(options, secrets);
    }
  }
}

async function loaded<T>(client: string, module: Promise<T>): Promise<T> {
  try {
    return await module;
  } catch (cause) {
    throw new MirrorError(
      'KAFKA_CLIENT_UNAVAILABLE',
      `client: ${client} cannot be used: its library does not load`,
      { client },
      { cause },
    );
  }
}
