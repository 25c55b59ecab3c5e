import type { Secrets } from '../secrets.ts';
import type { ClientOptions } from './client-options.ts';
import { type CompressionName, type Compressor, nodeCompressors } from './compression.ts';
import { KafkaProducer } from './kafka-producer.ts';
import { kafkajsParts } from './kafkajs-internals.ts';
import { KafkajsLink } from './kafkajs-link.ts';
import { kafkajsLogger } from './kafkajs-logger.ts';

const compressors: Readonly<Partial<Record<CompressionName, Compressor>>> = nodeCompressors;

/** `client: kafkajs`: connections, TLS, SASL and requests of kafkajs. */
export class KafkajsClient extends KafkaProducer {
  constructor({ settings, worker, log }: ClientOptions, secrets: Secrets) {
    const parts = kafkajsParts();
    const logger = kafkajsLogger(log);
    super({
      settings,
      worker,
      log,
      library: { open: (address) => new KafkajsLink(address, { parts, logger, settings, secrets }) },
      compressor: compressors[settings.compression],
    });
  }
}
