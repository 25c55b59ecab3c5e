import { availableParallelism } from 'node:os';
import { workerCount } from '../../config/presets.ts';
import type { Config } from '../../config/settings.ts';
import { type Readiness, readiness, type SinkState } from '../../observe/health.ts';
import type { Log } from '../../observe/log.ts';
import type { LogFormat, LogLevel } from '../../observe/logger.ts';
import type { MetricsSnapshot } from '../../observe/metrics/snapshot.ts';
import type { Report } from '../../observe/report.ts';
import { commonDropReasons } from '../../pipeline/sink-counters.ts';
import { LaneDirectory } from '../../receive/lanes.ts';
import { buildReport } from '../build-report.ts';
import { CourierPool } from '../couriers/courier-pool.ts';
import { FileList } from '../file-list.ts';
import { LaneWatch } from './lane-watch.ts';
import { LiveIntake } from './live-intake.ts';
import { allocateMemory, readSinkCounters, type SharedMemory } from '../shared-memory.ts';
import { SymmetryWatch } from './symmetry-watch.ts';
import { sinkPlans } from './sink-set.ts';
import { CaptureStore } from '../store/capture-store.ts';
import { flowStoreSinks, storeSinks } from '../store/store-sinks.ts';
import { version } from '../version.ts';
import { WorkerPool } from './worker-pool.ts';

export interface ApplianceOptions {
  readonly config: Config;
  readonly log: Log;
  readonly logSettings: { readonly level: LogLevel; readonly format: LogFormat };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Kernel drops, silent VNIs and idle lanes are looked at so often. */
const WATCH_INTERVAL_MS = 1000;

/**
 * The receiving appliance without its command line: workers, what they share, and what is watched over it.
 * Inert until `start`.
 */
export class Appliance {
  readonly #options: ApplianceOptions;
  readonly #memory: SharedMemory;
  readonly #lanes: LaneDirectory;
  readonly #files = new FileList();
  readonly #pool: WorkerPool;
  readonly #couriers: CourierPool;
  readonly #store: CaptureStore;
  readonly #watch: LaneWatch;
  readonly #symmetry: SymmetryWatch;
  #config: Config;
  #intake: LiveIntake | undefined;
  #timer: NodeJS.Timeout | undefined;
  #draining = false;
  #stopped = false;

  constructor(options: ApplianceOptions) {
    const { config, log, logSettings, now } = options;
    this.#options = options;
    this.#config = config;
    const workers = workerCount(config, availableParallelism());
    this.#memory = allocateMemory(workers, config.admission.maxLanes, sinkPlans(config));
    this.#lanes = new LaneDirectory(this.#memory.lanes);
    this.#watch = new LaneWatch({
      memory: this.#memory,
      lanes: this.#lanes,
      files: this.#files,
      config,
      log,
      now,
    });
    this.#symmetry = new SymmetryWatch({ sample: this.#memory.symmetry, config, log, now });
    const starts = Array.from({ length: workers }, (_, worker) => ({
      worker,
      memory: this.#memory,
      config,
      log: logSettings,
    }));
    this.#couriers = new CourierPool({ start: { memory: this.#memory, config, log: logSettings }, log, now });
    this.#store = new CaptureStore({
      sinks: storeSinks(config),
      flowSinks: flowStoreSinks(config),
      log,
      now,
      onRenamed: (from, to, lanes) => this.#files.rename(from, to, lanes),
    });
    this.#pool = new WorkerPool({
      starts,
      log,
      now,
      onFile: (sink, worker, file) => {
        this.#files.add(file);
        this.#store.finished(sink, worker, file);
      },
      onFlowFile: (sink, news) => this.#store.flowFile(sink, news),
      onDeath: (worker) => this.#store.workerDied(worker),
      makeRoom: (sink) => this.#store.makeRoom(sink),
    });
  }

  /** Resolves when all workers receive. Rejects with a `MirrorError`; `stop` is to be called then too. */
  async start(): Promise<void> {
    const { log } = this.#options;
    await this.#store.open();
    await this.#couriers.start();
    const intake = await LiveIntake.open(this.#config, this.#memory.workers, log);
    this.#intake = intake;
    await this.#pool.start(intake.workers);
    intake.say(this.#pool.sockets());
    this.#timer = setInterval(() => this.#look(), WATCH_INTERVAL_MS);
    if (this.#memory.sinkPlans.length === 0)
      log.warn({}, 'There is no sink: packets are counted and go nowhere.');
  }

  /** Readiness turns to 503; receiving goes on. */
  beginDrain(): void {
    this.#draining = true;
  }

  /** Ends receiving in order; every packet taken in is in the sinks when this resolves. */
  async stop(): Promise<void> {
    this.#draining = true;
    clearInterval(this.#timer);
    this.#look();
    await this.#pool.stop();
    await this.#couriers.stop();
    this.#intake?.look();
    this.#intake?.close();
    await this.#store.close();
    this.#stopped = true;
  }

  /** Goes on with other settings, as far as they can change at run time. */
  reload(config: Config): void {
    this.#config = config;
    this.#watch.reload(config);
    this.#pool.reload(config);
  }

  report(): Report {
    return buildReport(this.#memory, this.#lanes, {
      kernelDrops: this.#intake?.kernelDrops ?? 0,
      closedLanes: this.#watch.closedLanes,
      files: this.#files,
      behindGwlb: this.#config.behind === 'gwlb',
      // once all is at rest, the ledger has to add up by itself
      running: !this.#stopped,
    });
  }

  readiness(): Readiness {
    return readiness({
      draining: this.#draining,
      workersReceiving: this.#pool.states().filter(({ up }) => up).length,
      sinks: this.#sinkStates(),
      policy: this.#config.http.readiness,
      nowMs: this.#options.now(),
    });
  }

  snapshot(): MetricsSnapshot {
    return {
      report: this.report(),
      version,
      ready: this.readiness().httpStatus === 200,
      workers: this.#pool.states(),
      receiveBuffers: (this.#intake?.sockets(this.#pool.sockets()) ?? []).map(
        ({ worker, port, receiveBufferBytes }) => ({ worker, port, bytes: receiveBufferBytes }),
      ),
      hostDrops: this.#intake?.hostDrops ?? new Map(),
      expected: this.#watch.expected(),
      sinks: this.#sinkStates(),
      stores: this.#store.snapshot(),
      symmetry: this.#symmetry.state(),
      dropReasons: new Map(
        this.#memory.sinkPlans.map((plan) => [plan.name, [...commonDropReasons, ...plan.dropReasons]]),
      ),
    };
  }

  #sinkStates(): SinkState[] {
    const states: SinkState[] = [];
    for (let worker = 0; worker < this.#memory.workers; worker++) {
      for (const [index, { name, sink = name, remote = false }] of this.#memory.sinkPlans.entries()) {
        const { failingSinceMs, failingReason } = readSinkCounters(this.#memory, worker, index);
        states.push({ name: sink, remote, failingSinceMs, reason: failingReason });
      }
    }
    return states;
  }

  #look(): void {
    this.#intake?.look();
    this.#watch.look(this.#intake?.kernelDrops ?? 0);
    this.#symmetry.look();
  }
}
