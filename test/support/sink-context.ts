import type { Log, LogFields } from '../../src/observe/log.ts';
import type { FinishedFile } from '../../src/pipeline/finished-file.ts';
import type { SinkContext } from '../../src/pipeline/sink.ts';
import { SinkCounters } from '../../src/pipeline/sink-counters.ts';
import { CutFrames } from '../../src/receive/cut-frames.ts';
import { TEST_SECONDS, TestLanes } from './batches.ts';

/** What a sink is given in a test: its clock stands still until the test moves it. */
export interface TestSinkContext extends SinkContext {
  readonly lanes: TestLanes;
  readonly clock: { ms: number };
  /** Log lines: level and message. */
  readonly lines: string[];
  readonly files: FinishedFile[];
  /** Dropped packets by reason, only those that occurred. */
  dropped(): Record<string, number>;
}

export function sinkContext(
  kindReasons: readonly string[],
  worker = 0,
  kindCounters: readonly string[] = [],
): TestSinkContext {
  const counters = newCounters(kindReasons, kindCounters);
  const clock = { ms: TEST_SECONDS * 1000 };
  const lines: string[] = [];
  const files: FinishedFile[] = [];
  return {
    name: 'captures',
    worker,
    lanes: new TestLanes(),
    counters,
    log: logInto(lines),
    now: () => clock.ms,
    completer: new CutFrames(),
    onFile: (file) => files.push(file),
    clock,
    lines,
    files,
    dropped: () => droppedOf(counters),
  };
}

export function newCounters(
  kindReasons: readonly string[],
  kindCounters: readonly string[] = [],
): SinkCounters {
  const row = new Float64Array(SinkCounters.length(kindReasons, kindCounters));
  return new SinkCounters(row, kindReasons, kindCounters);
}

export function droppedOf(counters: SinkCounters): Record<string, number> {
  const counts = counters.reasons.map((reason, index) => [reason, counters.dropped(index)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

export function logInto(lines: string[]): Log {
  const at = (level: string) => (_fields: LogFields, message: string) => {
    lines.push(`${level}: ${message}`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
