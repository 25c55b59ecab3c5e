import { fillGroup } from '../../../src/config/fill.ts';
import { type KafkaSettings, kafkaSettings } from '../../../src/sinks/kafka/settings.ts';

/** Settings of a Kafka sink: the defaults, and what a test changes. */
export function defaultKafka(changed: Partial<KafkaSettings> = {}): KafkaSettings {
  const filled = fillGroup(kafkaSettings, undefined, { path: '', source: 'test' }, []);
  return { ...(filled as unknown as KafkaSettings), ...changed };
}
