import type { KafkaSettings } from '../../../src/sinks/kafka/settings.ts';
import { soaking } from '../scale.ts';
import { clientNames } from './clients.ts';

/** Who sends, and as what. */
export interface Way {
  readonly client: KafkaSettings['client'];
  readonly encoding: 'frame' | 'pcapng';
}

const all: readonly Way[] = clientNames.flatMap((client): readonly Way[] => [
  { client, encoding: 'frame' },
  { client, encoding: 'pcapng' },
]);

/** All clients of this machine with both encodings in the long run; else each encoding once, by a client of its own kind. */
export const ways: readonly Way[] = soaking
  ? all
  : all.filter(({ client, encoding }) => {
      return encoding === 'frame' ? client === 'platformatic' : client === 'librdkafka';
    });
