import type { SinkContext } from '../../pipeline/sink.ts';
import { type PipeSource, pipeSource } from './pipe-end.ts';
import { PipeSink } from './pipe-sink.ts';
import type { PipeSettings } from './settings.ts';
import { workerPath } from './worker-path.ts';

/** What a test hands in its own of. */
export interface PipeMachinery {
  readonly source?: PipeSource;
  readonly tickMs?: number;
  readonly patienceMs?: number;
}

/** The sink of `receive`: a pcapng that a program reads as it grows. */
export function livePipe(
  settings: PipeSettings,
  context: SinkContext,
  { source, ...machinery }: PipeMachinery = {},
): PipeSink {
  const path = workerPath(settings.path, context.worker);
  const { queueBytes } = settings;
  return new PipeSink(context, { path, source: source ?? pipeSource(path), queueBytes, ...machinery });
}
