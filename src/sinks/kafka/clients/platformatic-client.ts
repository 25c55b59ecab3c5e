import * as kafka from '@platformatic/kafka';

import type { Secrets } from '../secrets.ts';
import type { KafkaClientSettings } from '../settings.ts';
import type { KafkaLibrary } from './broker-link.ts';
import type { ClientOptions } from './client-options.ts';
import { type CompressionName, type Compressor, nodeCompressors } from './compression.ts';
import { KafkaProducer } from './kafka-producer.ts';
import { PlatformaticLink } from './platformatic-link.ts';

const { snappy, lz4 } = kafka.compressionsAlgorithms;

const compressors: Readonly<Record<CompressionName, Compressor | undefined>> = {
  none: undefined,
  ...nodeCompressors,
  snappy: (bytes) => snappy.compressSync(bytes),
  lz4: (bytes) => lz4.compressSync(bytes),
};

/** `client: platformatic`: connections, TLS, SASL and requests of @platformatic/kafka. */
export class PlatformaticClient extends KafkaProducer {
  constructor({ settings, worker, log }: ClientOptions, secrets: Secrets) {
    super({
      settings,
      worker,
      log,
      library: platformatic(settings, secrets),
      compressor: compressors[settings.compression],
    });
  }
}

const platformatic = (settings: KafkaClientSettings, secrets: Secrets): KafkaLibrary => ({
  open: (address) => new PlatformaticLink(address, settings, secrets),
});
