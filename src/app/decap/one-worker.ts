import { hostname } from 'node:os';
import { CaptureFileInput } from '../../inputs/capture-file.ts';
import { unreadLinkType } from '../../inputs/unread-link-type.ts';
import type { Report } from '../../observe/report.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import { Outlet } from '../../pipeline/outlet.ts';
import type { Sink, SinkContext } from '../../pipeline/sink.ts';
import { LaneDirectory } from '../../receive/lanes.ts';
import { asksForAll } from '../../receive/select/selection-texts.ts';
import { Tally } from '../../receive/tally.ts';
import { filesDropReasons } from '../../sinks/files/files-sink.ts';
import { offlineFiles, streamedFile } from '../../sinks/files/create.ts';
import { streamedFlows } from '../../sinks/flow-files/stream.ts';
import { flowFilesDropReasons } from '../../sinks/flow-files/drop-reasons.ts';
import { assert } from '../../wire/assert.ts';
import { FileList } from '../file-list.ts';
import type { CommandIo } from '../io.ts';
import { type FlowOutlet, type PacketOutlet, PacketPath } from '../packet-path.ts';
import type { SelectSink } from '../selected-sink.ts';
import { shapeSink } from '../shaped-sink.ts';
import {
  allocateMemory,
  type SharedMemory,
  type SinkPlan,
  sinkCountersOf,
  tallyOf,
} from '../shared-memory.ts';
import { decapReport } from './decap-report.ts';
import {
  CAPTURES,
  type DecapOptions,
  type DecapOutcome,
  type DecapRun,
  selectedBy,
  STDOUT,
  type UnreadFile,
} from './options.ts';
import type { DecapProgress } from './progress.ts';

const PACKETS: SinkPlan = {
  name: CAPTURES,
  kind: 'files',
  takes: 'packets',
  dropReasons: filesDropReasons,
};
const FLOWS: SinkPlan = {
  name: 'flows',
  kind: 'flow-files',
  takes: 'flows',
  dropReasons: flowFilesDropReasons,
};

const takeAll: SelectSink = (sink, texts) => {
  assert(asksForAll(texts), 'A selection needs somebody who makes it.');
  return sink;
};

/**
 * Takes capture files all the way to files by lane, in order, on this thread. Reads as fast as its sink takes:
 * nothing is dropped.
 */
export class OneWorkerDecap implements DecapRun {
  readonly #options: DecapOptions;
  readonly #memory: SharedMemory;
  readonly #lanes: LaneDirectory;
  readonly #files = new FileList();
  readonly #path: PacketPath;
  #input: CaptureFileInput | undefined;
  #fileIndex = 0;
  /** Files with packets of a link type that is not read, and the index of the last one. */
  readonly #unread: UnreadFile[] = [];
  #lookedAt: number | undefined;
  #stopped = false;
  #failure: Error | undefined;

  /**
   * @param stdout where `--out -` goes
   * @param select leaves out what the settings do not ask for
   */
  constructor(
    options: DecapOptions,
    io: Pick<CommandIo, 'log'>,
    stdout: number = STDOUT,
    select: SelectSink = takeAll,
  ) {
    const { config } = options;
    this.#options = options;
    const plans = [
      ...(options.out === undefined ? [] : [PACKETS]),
      ...(options.flows === undefined ? [] : [FLOWS]),
    ];
    this.#memory = allocateMemory(1, config.admission.maxLanes, plans);
    this.#lanes = new LaneDirectory(this.#memory.lanes);
    this.#path = new PacketPath({
      config,
      memory: this.#memory,
      lanes: this.#lanes,
      worker: 0,
      packets: this.#packetOutlets(stdout, io, select),
      flows: this.#flowOutlets(stdout, io),
      countFlows: options.flows !== undefined,
    });
  }

  async run(): Promise<DecapOutcome> {
    const errors: unknown[] = [];
    try {
      await this.#path.open();
      for (const [index, path] of this.#options.files.entries()) {
        if (this.#stopped || this.#failure !== undefined) break;
        this.#fileIndex = index;
        await this.#decapFile(path).catch((error: unknown) => errors.push(error));
      }
    } catch (error) {
      this.#fail(error);
    }
    await this.#path.close().catch((error: unknown) => this.#fail(error));
    return { unread: this.#unread, errors, failure: this.#failure };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#input?.close();
  }

  progress(): DecapProgress {
    const { files } = this.#options;
    return {
      path: files[this.#fileIndex] ?? '',
      file: this.#fileIndex + 1,
      files: files.length,
      bytesRead: this.#input?.bytesRead ?? 0,
      totalBytes: this.#input?.totalBytes,
      packets: tallyOf(this.#memory, 0)[Tally.received] ?? 0,
    };
  }

  report(): Report {
    return decapReport(this.#options, this.#memory, this.#lanes, this.#files);
  }

  async #decapFile(path: string): Promise<void> {
    const input = new CaptureFileInput({ path });
    this.#input = input;
    try {
      await input.open();
      await input.run((batch) => this.#take(batch));
    } finally {
      await input.close();
    }
  }

  /** Here it is as late as the packets say. */
  async #take(batch: PacketBatch): Promise<void> {
    this.#look(batch);
    await this.#path.take(batch);
    const last = batch.count - 1;
    if (last < 0) return;
    const seconds = batch.seconds[last] ?? 0;
    await this.#path.release(seconds, batch.nanoseconds[last] ?? 0);
    await this.#path.expire(seconds);
  }

  #look(batch: PacketBatch): void {
    if (this.#lookedAt === this.#fileIndex) return;
    const linkType = unreadLinkType(batch);
    if (linkType === undefined) return;
    this.#lookedAt = this.#fileIndex;
    this.#unread.push({ path: this.#options.files[this.#fileIndex] ?? '', linkType });
  }

  #packetOutlets(stdout: number, { log }: Pick<CommandIo, 'log'>, select: SelectSink): PacketOutlet[] {
    const { out, output } = this.#options;
    if (out === undefined) return [];
    const lanes = this.#lanes;
    const counters = sinkCountersOf(this.#memory, 0, 0);
    const { order, repair, duplicates } = output;
    const sink = this.#makeSink(out, stdout, {
      name: PACKETS.name,
      worker: 0,
      lanes,
      counters,
      log,
      now: Date.now,
      onFile: (file) => this.#files.add(file),
      ordered: order === 'flow',
    });
    const shaped = shapeSink(sink, { repair, duplicates, lanes }, counters);
    const selected = select(shaped, selectedBy(this.#options), lanes, counters);
    const outlet = new Outlet(selected, counters, {
      policy: 'wait',
      limits: { batches: 4, bytes: Infinity },
      now: Date.now,
      onError: (error) => this.#fail(error),
    });
    return [{ outlet, order, duplicates }];
  }

  #flowOutlets(stdout: number, { log }: Pick<CommandIo, 'log'>): FlowOutlet[] {
    const { flows, out, force } = this.#options;
    if (flows === undefined) return [];
    const counters = sinkCountersOf(this.#memory, 0, out === undefined ? 0 : 1);
    const sink = streamedFlows(
      { path: flows, stdout, force },
      { name: FLOWS.name, worker: 0, counters, log, now: Date.now, observer: hostname() },
    );
    return [{ sink, counters }];
  }

  #makeSink(out: string, stdout: number, context: SinkContext): Sink {
    const { format, force } = this.#options;
    if (out === '-') return streamedFile(stdout, context);
    return offlineFiles({ directory: out, format, split: 'lane', force }, context);
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    void this.#input?.close();
  }
}
