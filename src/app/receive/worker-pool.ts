import { Worker } from 'node:worker_threads';
import type { Config } from '../../config/settings.ts';
import type { WorkerIntake } from '../../inputs/intake.ts';
import type { BoundSocket } from '../../inputs/intake-set.ts';
import { MirrorError } from '../../observe/error.ts';
import type { Log } from '../../observe/log.ts';
import type { WorkerState } from '../../observe/metrics/snapshot.ts';
import type { FinishedFile } from '../../pipeline/finished-file.ts';
import type { FlowFileNews } from '../../pipeline/flow-sink.ts';
import { AnalysisTally } from '../../receive/analysis-tally.ts';
import { settled, Tally } from '../../receive/tally.ts';
import { analysisTallyOf, sinkCountersOf, tallyOf } from '../shared-memory.ts';
import { threadEnvironment } from '../thread-environment.ts';
import { type FromWorker, type ToWorker, unpackError, type WorkerStart } from '../worker-messages.ts';
import { workerUrl } from '../worker-url.ts';

/** A worker that died is started again after this, doubled for each death in a row up to the longest wait. */
const RESTART_FIRST_MS = 50;
const RESTART_MAX_MS = 30_000;
/** A worker that lived so long counts as healthy: its next death is the first in a row again. */
const HEALTHY_AFTER_MS = 60_000;

interface Member {
  readonly start: Omit<WorkerStart, 'intake'>;
  intake: WorkerIntake;
  thread: Worker | undefined;
  up: boolean;
  restarts: number;
  /** Deaths in a row. */
  deaths: number;
  startedMs: number;
  sockets: readonly BoundSocket[];
  restartTimer: NodeJS.Timeout | undefined;
}

export interface WorkerPoolOptions {
  readonly starts: readonly Omit<WorkerStart, 'intake'>[];
  readonly log: Log;
  readonly onFile: (sink: string, worker: number, file: FinishedFile) => void;
  readonly onFlowFile: (sink: string, news: FlowFileNews) => void;
  /** Told of a worker that has died: it left files unfinished. */
  readonly onDeath: (worker: number) => void;
  /** Has old files of a sink deleted. */
  readonly makeRoom: (sink: string) => Promise<void>;
  readonly now: () => number;
  /** The module that the threads run; that of this folder unless a test brings its own. */
  readonly script?: URL;
}

/** The receiving threads: starts them, starts one again that died, and puts what it held into the ledger. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members: Member[];
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#members = options.starts.map((start) => ({
      start,
      intake: { mode: 'dgram' },
      thread: undefined,
      up: false,
      restarts: 0,
      deaths: 0,
      startedMs: 0,
      sockets: [],
      restartTimer: undefined,
    }));
  }

  /**
   * Resolves when every worker receives; rejects with the first error of one that cannot.
   *
   * @param intakes what each worker reads from; a worker that dies leaves it to its successor
   */
  async start(intakes: readonly WorkerIntake[]): Promise<void> {
    for (const [index, member] of this.#members.entries()) member.intake = intakes[index] ?? member.intake;
    await Promise.all(this.#members.map((member) => this.#launch(member)));
  }

  states(): WorkerState[] {
    return this.#members.map(({ start, up, restarts }) => ({ worker: start.worker, up, restarts }));
  }

  /** Sockets that workers which are up opened themselves. */
  sockets(): BoundSocket[] {
    return this.#members.flatMap(({ sockets }) => sockets);
  }

  reload(config: Config): void {
    for (const member of this.#members) this.#tell(member, { type: 'reload', config });
  }

  /** Stops every worker in order: all packets that were taken in are in the sinks when this resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#members.map((member) => this.#end(member)));
  }

  #launch(member: Member): Promise<void> {
    const workerData: WorkerStart = {
      ...member.start,
      intake: member.intake,
      isRestart: member.restarts > 0,
    };
    const script = this.#options.script ?? workerUrl('receive/worker');
    const thread = new Worker(script, { workerData, env: threadEnvironment() });
    member.thread = thread;
    member.startedMs = this.#options.now();
    return new Promise((resolve, reject) => {
      let error: MirrorError | undefined;
      thread.on('message', (message: FromWorker) => {
        if (message.type === 'failed') error = unpackError(message.error);
        if (message.type === 'listening') {
          member.up = true;
          member.sockets = message.sockets;
          resolve();
        }
        if (message.type === 'file') this.#options.onFile(message.sink, member.start.worker, message.file);
        if (message.type === 'flowFile') this.#options.onFlowFile(message.sink, message.news);
        if (message.type === 'makeRoom') void this.#makeRoom(member, message.sink);
      });
      thread.on('error', (cause) => {
        error ??= new MirrorError(
          'WORKER_FAILED',
          'A worker failed.',
          { worker: member.start.worker },
          { cause },
        );
      });
      thread.on('exit', () => {
        const wasUp = member.up;
        member.up = false;
        member.thread = undefined;
        member.sockets = [];
        reject(error ?? new MirrorError('WORKER_FAILED', 'A worker ended before it received.'));
        if (this.#stopping && wasUp && error !== undefined) this.#lament(member, error);
        if (!this.#stopping && (wasUp || member.restarts > 0)) this.#bury(member, error);
      });
    });
  }

  /** Accounts for what the dead worker held and has it started again. */
  #bury(member: Member, error: MirrorError | undefined): void {
    const { worker } = member.start;
    const lostPackets = this.#writeOff(member);
    this.#options.onDeath(worker);
    member.deaths = this.#options.now() - member.startedMs > HEALTHY_AFTER_MS ? 1 : member.deaths + 1;
    const waitMs = Math.min(RESTART_MAX_MS, RESTART_FIRST_MS * 2 ** (member.deaths - 1));
    this.#options.log.error({ worker, lostPackets, waitMs, error }, 'A worker died and is started again.');
    member.restartTimer = setTimeout(() => {
      member.restarts++;
      this.#launch(member).then(
        () => this.#options.log.info({ worker }, 'The worker receives again.'),
        // the thread's exit has been dealt with above: it is tried again
        () => {},
      );
    }, waitMs);
  }

  /** A worker that died while it was told to stop: nobody starts it again, but what it lost is said. */
  #lament(member: Member, error: MirrorError): void {
    const { worker } = member.start;
    const lostPackets = this.#writeOff(member);
    this.#options.onDeath(worker);
    this.#options.log.error({ worker, lostPackets, error }, 'A worker died while it was stopping.');
  }

  /** What the dead worker had taken in and not settled is lost; returns packets. Does nothing the second time. */
  #writeOff(member: Member): number {
    const { memory, worker } = member.start;
    const tally = tallyOf(memory, worker);
    const packets = (tally[Tally.received] ?? 0) - settled(tally, 0);
    const held = tally[Tally.held] ?? 0;
    const bytes = (tally[Tally.received + 1] ?? 0) - settled(tally, 1);
    tally[Tally.lost] = (tally[Tally.lost] ?? 0) + packets;
    // a batch is measured while it is sorted: bytes of its packets that were not reached are not known, and those
    // of the others may be in their buckets before they are told as received
    if (bytes > 0) tally[Tally.lost + 1] = (tally[Tally.lost + 1] ?? 0) + bytes;
    else tally[Tally.received + 1] = settled(tally, 1);
    // what waited in the resequencer died with it
    for (const part of [0, 1]) {
      tally[Tally.lost + part] = (tally[Tally.lost + part] ?? 0) + (tally[Tally.held + part] ?? 0);
      tally[Tally.held + part] = 0;
    }
    forgetState(analysisTallyOf(memory, worker));
    let pending = 0;
    for (const [index, { takes }] of memory.sinkPlans.entries()) {
      const counters = sinkCountersOf(memory, worker, index);
      // packets of the batch in hand that were to be delivered, or were held back, and that no sink was given
      const never = takes === 'packets' ? (tally[Tally.delivered] ?? 0) - counters.delivered : 0;
      if (never > 0) counters.addDelivered(never);
      if (takes === 'packets') pending = Math.max(pending, counters.pending);
      counters.addDropped('workerLost', counters.pending);
      counters.addPendingBytes(-counters.pendingBytes);
      // what made its sink refuse died with it: the next worker's sink says so itself if it is still so
      counters.accepting();
    }
    return packets + held + pending;
  }

  async #end(member: Member): Promise<void> {
    clearTimeout(member.restartTimer);
    const { thread } = member;
    if (thread === undefined) return;
    const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    this.#tell(member, { type: 'stop' });
    await exited;
    this.#writeOff(member);
  }

  async #makeRoom(member: Member, sink: string): Promise<void> {
    await this.#options.makeRoom(sink);
    this.#tell(member, { type: 'roomMade', sink });
  }

  #tell(member: Member, message: ToWorker): void {
    member.thread?.postMessage(message);
  }
}

/** Gauges of what the worker had in its memory. */
function forgetState(tally: Float64Array): void {
  tally[AnalysisTally.flowsActive] = 0;
  tally[AnalysisTally.heldPackets] = 0;
  tally[AnalysisTally.heldBytes] = 0;
  tally[AnalysisTally.nameBytes] = 0;
}
