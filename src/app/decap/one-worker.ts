import { CaptureFileInput } from '../../inputs/capture-file.ts';
import type { Report } from '../../observe/report.ts';
import { FanOut } from '../../pipeline/fan-out.ts';
import { Outlet } from '../../pipeline/outlet.ts';
import type { Sink, SinkContext } from '../../pipeline/sink.ts';
import { Admission } from '../../receive/admission.ts';
import { admissionRules } from '../../receive/admission-rules.ts';
import { LaneDirectory } from '../../receive/lanes.ts';
import { tunnelPorts } from '../../receive/outer.ts';
import { Receiver } from '../../receive/receiver.ts';
import { Tally } from '../../receive/tally.ts';
import { filesDropReasons } from '../../sinks/files/files-sink.ts';
import { offlineFiles, streamedFile } from '../../sinks/files/create.ts';
import { buildReport } from '../build-report.ts';
import { type DecapOptions, type DecapOutcome, type DecapRun, STDOUT } from './options.ts';
import type { DecapProgress } from './progress.ts';
import { FileList } from '../file-list.ts';
import type { CommandIo } from '../io.ts';
import { allocateMemory, type SharedMemory, sinkCountersOf, tallyOf } from '../shared-memory.ts';

const SINK_NAME = 'captures';

/**
 * Takes capture files all the way to files by lane, in order, on this thread. Reads as fast as its sink takes:
 * nothing is dropped.
 */
export class OneWorkerDecap implements DecapRun {
  readonly #options: DecapOptions;
  readonly #memory: SharedMemory;
  readonly #lanes: LaneDirectory;
  readonly #files = new FileList();
  readonly #receiver: Receiver;
  readonly #fanOut: FanOut;
  #input: CaptureFileInput | undefined;
  #fileIndex = 0;
  #stopped = false;
  #failure: Error | undefined;

  /** @param stdout where `--out -` goes */
  constructor(options: DecapOptions, io: Pick<CommandIo, 'log'>, stdout: number = STDOUT) {
    const { config } = options;
    this.#options = options;
    const plan = { name: SINK_NAME, kind: 'files', dropReasons: filesDropReasons };
    this.#memory = allocateMemory(1, config.admission.maxLanes, [plan]);
    this.#lanes = new LaneDirectory(this.#memory.lanes);
    this.#receiver = new Receiver({
      ports: tunnelPorts(config.listen.vxlanPorts, config.listen.genevePorts),
      admission: new Admission(admissionRules(config.admission)),
      lanes: this.#lanes,
      worker: 0,
      tally: tallyOf(this.#memory, 0),
      verifyChecksums: config.analysis.checksums.verify,
    });
    const counters = sinkCountersOf(this.#memory, 0, 0);
    const sink = this.#makeSink(stdout, {
      name: SINK_NAME,
      worker: 0,
      lanes: this.#lanes,
      counters,
      log: io.log,
      now: Date.now,
      onFile: (file) => this.#files.add(file),
    });
    const limits = { batches: 4, bytes: Infinity };
    const onError = (error: unknown): void => this.#fail(error);
    this.#fanOut = new FanOut([
      new Outlet(sink, counters, { policy: 'wait', limits, now: Date.now, onError }),
    ]);
  }

  async run(): Promise<DecapOutcome> {
    const errors: unknown[] = [];
    try {
      await this.#fanOut.open();
      for (const [index, path] of this.#options.files.entries()) {
        if (this.#stopped || this.#failure !== undefined) break;
        this.#fileIndex = index;
        await this.#decapFile(path).catch((error: unknown) => errors.push(error));
      }
    } catch (error) {
      this.#fail(error);
    }
    await this.#fanOut.close().catch((error: unknown) => this.#fail(error));
    return { errors, failure: this.#failure };
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
    return buildReport(this.#memory, this.#lanes, {
      kernelDrops: 0,
      closedLanes: { count: 0, packets: 0, bytes: 0 },
      files: this.#files,
      behindGwlb: this.#options.config.behind === 'gwlb',
      running: false,
    });
  }

  async #decapFile(path: string): Promise<void> {
    const input = new CaptureFileInput({ path });
    this.#input = input;
    try {
      await input.open();
      await input.run((batch) => {
        this.#receiver.process(batch);
        return this.#fanOut.deliver(batch);
      });
    } finally {
      await input.close();
    }
  }

  #makeSink(stdout: number, context: SinkContext): Sink {
    const { out, format, force } = this.#options;
    if (out === '-') return streamedFile(stdout, context);
    return offlineFiles({ directory: out, format, split: 'lane', force }, context);
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    void this.#input?.close();
  }
}
