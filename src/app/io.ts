import type { Log } from '../observe/log.ts';
import type { LogFormat, LogLevel } from '../observe/logger.ts';

/** What a command may use of the world besides files and the network. */
export interface CommandIo {
  /** Standard output: results, and nothing else. */
  readonly print: (text: string) => void;
  /** Standard error. */
  readonly log: Log;
  readonly logSettings: { readonly level: LogLevel; readonly format: LogFormat };
}

/** Exit statuses that every command shares. */
export const ExitStatus = {
  done: 0,
  failed: 1,
  usage: 2,
} as const;

/** What the shell expects of a process that a signal ended. */
export const exitStatusBySignal = { SIGINT: 130, SIGTERM: 143 } as const;
export type EndingSignal = keyof typeof exitStatusBySignal;
