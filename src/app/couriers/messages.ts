import type { Config } from '../../config/settings.ts';
import type { LogFormat, LogLevel } from '../../observe/logger.ts';
import type { SharedMemory } from '../shared-memory.ts';
import type { ErrorMessage } from '../worker-messages.ts';

/** What a courier thread is started with. */
export interface CourierStart {
  /** Of which worker it takes packets and flow records, 0 .. workers - 1. */
  readonly worker: number;
  /** Of which sink, by its name in the settings. */
  readonly sink: string;
  /** It takes the place of one that died: what is in the spool was counted before. */
  readonly isAgain: boolean;
  readonly memory: SharedMemory;
  readonly config: Config;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
}

/** What the main thread tells a courier: nothing more comes, send what there is and end. */
export interface ToCourier {
  readonly type: 'stop';
}

/** What a courier tells the main thread. Never anything per record. */
export type FromCourier =
  | { readonly type: 'begun' }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: ErrorMessage };
