import type { Log, LogFields } from '../../src/observe/log.ts';
import type { FlowFileNews, FlowSinkContext } from '../../src/pipeline/flow-sink.ts';
import type { FlowFilesSettings } from '../../src/sinks/settings.ts';
import { TEST_SECONDS } from './batches.ts';
import { droppedOf, newCounters } from './sink-context.ts';

/** What a flow sink is given in a test: its clock stands still until the test moves it. */
export interface TestFlowContext extends FlowSinkContext {
  readonly clock: { ms: number };
  /** Log lines: level and message. */
  readonly lines: string[];
  /** Paths of those that were finished. */
  readonly files: string[];
  readonly news: FlowFileNews[];
  /** Dropped records by reason, only those that occurred. */
  dropped(): Record<string, number>;
}

export function flowSinkContext(kindReasons: readonly string[], worker = 0): TestFlowContext {
  const counters = newCounters(kindReasons);
  const clock = { ms: TEST_SECONDS * 1000 };
  const lines: string[] = [];
  const files: string[] = [];
  const news: FlowFileNews[] = [];
  const at = (level: string) => (_fields: LogFields, message: string) => {
    lines.push(`${level}: ${message}`);
  };
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return {
    name: 'flowLog',
    worker,
    counters,
    log,
    now: () => clock.ms,
    observer: 'test-host',
    onFile: (file) => {
      news.push(file);
      if (file.event === 'finished') files.push(file.path);
    },
    news,
    clock,
    lines,
    files,
    dropped: () => droppedOf(counters),
  };
}

/** Settings of a sink of kind flow-files that limit nothing, but for those that are given. */
export function flowFilesSettings(
  settings: Partial<FlowFilesSettings> & Pick<FlowFilesSettings, 'directory'>,
): FlowFilesSettings {
  return {
    rotateBytes: 0,
    rotateSeconds: 0,
    compress: 'none',
    keepBytes: 0,
    keepSeconds: 0,
    keepFreePercent: 0,
    ...settings,
  };
}
