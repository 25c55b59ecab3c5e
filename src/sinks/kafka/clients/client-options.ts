import type { Log } from '../../../observe/log.ts';
import type { KafkaClientSettings } from '../settings.ts';

export interface ClientOptions {
  readonly settings: KafkaClientSettings;
  /** Number of the worker that the client serves. */
  readonly worker: number;
  readonly log: Log;
}
