import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveFlows } from '../../src/sinks/flow-files/create.ts';
import { flowFilesDropReasons } from '../../src/sinks/flow-files/drop-reasons.ts';
import type { FlowFilesSink } from '../../src/sinks/flow-files/flow-files-sink.ts';
import type { FlowFilesSettings } from '../../src/sinks/settings.ts';
import type { FaultyDisk } from './faulty-disk.ts';
import { numberedRecord } from './flow-records.ts';
import { flowFilesSettings, flowSinkContext, type TestFlowContext } from './flow-sink-context.ts';

/** A sink of kind flow-files whose time stands still until a test moves it. */
export class LiveFlows {
  readonly directory: string;
  readonly context: TestFlowContext;
  readonly sink: FlowFilesSink;

  constructor(
    directory: string,
    settings: Partial<FlowFilesSettings> = {},
    { worker = 0, disk, atMs }: { worker?: number; disk?: FaultyDisk; atMs?: number } = {},
  ) {
    this.directory = directory;
    this.context = flowSinkContext(flowFilesDropReasons, worker);
    if (atMs !== undefined) this.context.clock.ms = atMs;
    this.sink = liveFlows(flowFilesSettings({ directory, ...settings }), this.context, {
      tickMs: 0,
      ...(disk === undefined ? {} : { disk }),
    });
  }

  /** Gives records that say their numbers. */
  give(count: number, first = 0): void {
    for (let i = 0; i < count; i++) {
      this.context.counters.addDelivered(1);
      this.sink.record(numberedRecord(first + i));
    }
  }

  /** Time goes on, and what is due is done. */
  async pass(ms: number): Promise<void> {
    this.context.clock.ms += ms;
    this.sink.tick();
    await this.sink.settle();
  }
}

/** Names of flow files in a folder, in order. */
export function flowFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.includes('.ndjson'))
    .sort();
}

/** Numbers of the records in a file. */
export function numbersIn(directory: string, name: string): number[] {
  const lines = readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { mirrortap: { sequence: number } }).mirrortap.sequence);
}
