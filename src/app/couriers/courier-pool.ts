import { Worker } from 'node:worker_threads';
import { MirrorError } from '../../observe/error.ts';
import type { Log } from '../../observe/log.ts';
import { ChannelWriter } from '../../pipeline/channel/channel-writer.ts';
import { threadEnvironment } from '../thread-environment.ts';
import { unpackError } from '../worker-messages.ts';
import type { CourierStart, FromCourier, ToCourier } from './messages.ts';

/** A courier that died is started again after this, doubled for each death in a row up to the longest wait. */
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 30_000;
const HEALTHY_AFTER_MS = 60_000;

interface Member {
  readonly start: Omit<CourierStart, 'isAgain'>;
  thread: Worker | undefined;
  begun: boolean;
  /** Deaths in a row. */
  deaths: number;
  startedMs: number;
  restartTimer: NodeJS.Timeout | undefined;
}

export interface CourierPoolOptions {
  readonly start: Omit<CourierStart, 'worker' | 'sink' | 'isAgain'>;
  readonly log: Log;
  readonly now: () => number;
  /** The module that the threads run; that of this folder unless a test brings its own. */
  readonly script?: URL;
}

/**
 * The threads that take packets and flow records away from workers: one for each worker and sink that has channels. What is in
 * the channels outlives them; one that died is started again and goes on with what was not settled.
 */
export class CourierPool {
  readonly #options: CourierPoolOptions;
  readonly #members: Member[];
  #stopping = false;

  constructor(options: CourierPoolOptions) {
    this.#options = options;
    const { memory } = options.start;
    const sinks = new Set(
      memory.sinkPlans.filter(({ channel }) => channel !== undefined).map(({ name, sink }) => sink ?? name),
    );
    this.#members = [...sinks].flatMap((sink) =>
      Array.from({ length: memory.workers }, (_, worker) => ({
        start: { ...options.start, worker, sink },
        thread: undefined,
        begun: false,
        deaths: 0,
        startedMs: 0,
        restartTimer: undefined,
      })),
    );
  }

  /** Resolves when all have begun; rejects with the first error of one that cannot. */
  async start(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#launch(member)));
  }

  /** Workers write nothing any more: has all sent, or put away, and ends the threads. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const { memory } = this.#options.start;
    for (const channels of memory.channels) {
      for (const channel of channels) if (channel !== undefined) new ChannelWriter(channel).close();
    }
    await Promise.all(this.#members.map((member) => this.#end(member)));
  }

  #launch(member: Member): Promise<void> {
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    const script = this.#options.script ?? new URL(`./courier${extension}`, import.meta.url);
    const workerData: CourierStart = { ...member.start, isAgain: member.begun };
    const thread = new Worker(script, { workerData, env: threadEnvironment() });
    member.thread = thread;
    member.startedMs = this.#options.now();
    return new Promise((resolve, reject) => {
      let error: MirrorError | undefined;
      thread.on('message', (message: FromCourier) => {
        if (message.type === 'failed') error = unpackError(message.error);
        if (message.type === 'begun') {
          member.begun = true;
          resolve();
        }
      });
      thread.on('error', (cause) => {
        error ??= new MirrorError(
          'WORKER_FAILED',
          'A courier failed.',
          { sink: member.start.sink },
          { cause },
        );
      });
      thread.on('exit', (exitCode) => {
        member.thread = undefined;
        const { sink } = member.start;
        // nobody asked it to end: it may have had no time to say why
        if (!this.#stopping)
          error ??= new MirrorError('WORKER_FAILED', 'A courier ended by itself.', { sink, exitCode });
        reject(error ?? new MirrorError('WORKER_FAILED', 'A courier ended before it began.', { sink }));
        if (member.begun && error !== undefined) this.#bury(member, error);
      });
    });
  }

  #bury(member: Member, error: MirrorError): void {
    const { worker, sink } = member.start;
    if (this.#stopping) {
      this.#options.log.error({ sink, worker, error }, 'A courier died while it was stopping.');
      return;
    }
    const isHealthy = this.#options.now() - member.startedMs > HEALTHY_AFTER_MS;
    member.deaths = isHealthy ? 1 : member.deaths + 1;
    const waitMs = Math.min(RESTART_MAX_MS, RESTART_FIRST_MS * 2 ** (member.deaths - 1));
    this.#options.log.error({ sink, worker, waitMs, error }, 'A courier died and is started again.');
    // the thread's exit is dealt with here: one that cannot begin is tried again
    member.restartTimer = setTimeout(() => void this.#launch(member).catch(() => {}), waitMs);
  }

  async #end(member: Member): Promise<void> {
    clearTimeout(member.restartTimer);
    // one that died just now has left something to send, or to put away
    if (member.thread === undefined && member.begun) await this.#launch(member).catch(() => {});
    const { thread } = member;
    if (thread === undefined) return;
    const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    const message: ToCourier = { type: 'stop' };
    thread.postMessage(message);
    await exited;
  }
}
