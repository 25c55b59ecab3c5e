import type { Config } from '../config/settings.ts';
import type { WorkerIntake } from '../inputs/intake.ts';
import type { BoundSocket } from '../inputs/intake-set.ts';
import { type ErrorCode, type ErrorContext, errorCodes, MirrorError } from '../observe/error.ts';
import type { LogFormat, LogLevel } from '../observe/logger.ts';
import type { FinishedFile } from '../pipeline/finished-file.ts';
import type { FlowFileNews } from '../pipeline/flow-sink.ts';
import { errnoOf } from '../sinks/files/disk.ts';
import type { SharedMemory } from './shared-memory.ts';

/** What a worker thread is started with. */
export interface WorkerStart {
  /** 0 .. workers - 1. */
  readonly worker: number;
  /** What it reads from: opened by the main thread, and open longer than the worker lives. */
  readonly intake: WorkerIntake;
  readonly memory: SharedMemory;
  readonly config: Config;
  /** It takes the place of one that died. */
  readonly isRestart?: boolean;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
}

/** What the main thread tells a worker. */
export type ToWorker =
  /** Take in what the kernel holds, empty the queues, finish the files, end. */
  | { readonly type: 'stop' }
  /** Go on with these settings, as far as they can change at run time. */
  | { readonly type: 'reload'; readonly config: Config }
  /** What could be deleted for this sink is. */
  | { readonly type: 'roomMade'; readonly sink: string };

/** What a worker tells the main thread. Never anything per packet. */
export type FromWorker =
  /** With the sockets that it opened itself. */
  | { readonly type: 'listening'; readonly sockets: readonly BoundSocket[] }
  | { readonly type: 'file'; readonly sink: string; readonly file: FinishedFile }
  | { readonly type: 'flowFile'; readonly sink: string; readonly news: FlowFileNews }
  /** Wants old files of this sink deleted, and an answer. */
  | { readonly type: 'makeRoom'; readonly sink: string }
  | { readonly type: 'stopped' }
  | { readonly type: 'failed'; readonly error: ErrorMessage };

/** An error as it crosses from thread to thread: structured cloning would lose its class and code. */
export interface ErrorMessage {
  readonly code: string;
  readonly message: string;
  readonly context: ErrorContext;
  readonly cause: string | undefined;
  /** What the system calls the cause, as `EPIPE`. */
  readonly causeCode?: string;
}

export function packError(thrown: unknown): ErrorMessage {
  if (!(thrown instanceof MirrorError)) {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { code: 'WORKER_FAILED', message: 'A worker failed.', context: {}, cause: text };
  }
  const { code, message, context } = thrown;
  if (!(thrown.cause instanceof Error)) return { code, message, context, cause: undefined };
  const causeCode = errnoOf(thrown.cause);
  return {
    code,
    message,
    context,
    cause: thrown.cause.message,
    ...(causeCode === '' ? {} : { causeCode }),
  };
}

export function unpackError(packed: ErrorMessage): MirrorError {
  const { code, message, context } = packed;
  const known = errorCodes.find((name): name is ErrorCode => name === code) ?? 'WORKER_FAILED';
  if (packed.cause === undefined) return new MirrorError(known, message, context);
  const cause = new Error(packed.cause);
  if (packed.causeCode !== undefined) Object.assign(cause, { code: packed.causeCode });
  return new MirrorError(known, message, context, { cause });
}
