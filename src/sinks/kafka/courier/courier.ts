import type { Log } from '../../../observe/log.ts';
import type { FrameReader } from '../../../packet/frame-reader.ts';
import { allocateChannel, type ChannelMemory } from '../../../pipeline/channel/channel-memory.ts';
import { ChannelReader } from '../../../pipeline/channel/channel-reader.ts';
import { ChannelWriter } from '../../../pipeline/channel/channel-writer.ts';
import { doAll } from '../../../pipeline/do-all.ts';
import type { SinkCounters } from '../../../pipeline/sink-counters.ts';
import { assert } from '../../../wire/assert.ts';
import { makeKafkaClient } from '../clients/index.ts';
import type { KafkaSettings } from '../settings.ts';
import type { Spool } from '../spool/spool.ts';
import { setRight } from './after-death.ts';
import { Backlog } from './backlog.ts';
import { Connection } from './connection.ts';
import { Line } from './line.ts';
import { type EncoderMaker, flowEncoder, packetEncoder } from './make-encoder.ts';
import { leftoverFolders, openSpool, spoolFolder } from './open-spool.ts';
import { Transfer } from './transfer.ts';

/** What one of the two topics gets its records from. */
export interface CourierSource {
  readonly takes: 'packets' | 'flows';
  readonly channel: ChannelMemory;
  /** The courier's part of the sink's ledger. */
  readonly counters: SinkCounters;
}

export interface CourierOptions {
  /** The user's name for the sink. */
  readonly sink: string;
  readonly settings: KafkaSettings;
  readonly worker: number;
  /** It takes the place of one that died: what is in the spool was counted before. */
  readonly isAgain: boolean;
  readonly workers: number;
  readonly sources: readonly CourierSource[];
  /** `observer` of the records: this host. */
  readonly observer: string;
  readonly frames: FrameReader;
  readonly sha1Base64: (bytes: Uint8Array) => string;
  readonly log: Log;
  readonly now: () => number;
  /** A test hands in its own. */
  readonly makeClient?: typeof makeKafkaClient;
}

const LOOK_MS = 10;
const COUNT_MS = 250;
const EXPIRE_MS = 1000;
const SAY_INTERVAL_MS = 60_000;
const SLOW_INTERVAL_MS = 600_000;
/** Blocks that are encoded together: about what one request takes; more of pcapngs, each of which is one record. */
const PORTION_BYTES = 1_048_576;
const PCAPNG_PORTION_BYTES = 4_194_304;

/** The second half of a Kafka sink, in a thread of its own: what a worker put into its channels goes to the brokers. */
export class KafkaCourier {
  readonly #options: CourierOptions;
  readonly #transfers: Transfer[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #connection: Connection | undefined;
  #running: readonly Promise<void>[] = [];
  #spoolSaidMs = -Infinity;
  #slowSaidMs = -Infinity;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Opens spools and the client library, and begins. Does not wait for a broker. Rejects with a `MirrorError`. */
  async start(): Promise<void> {
    const {
      settings,
      worker,
      sink,
      log,
      now,
      sources,
      isAgain,
      makeClient = makeKafkaClient,
    } = this.#options;
    const client = await makeClient({ settings, worker, log });
    const connection = new Connection({ client, settings, sink, log, now });
    this.#connection = connection;
    for (const source of sources) {
      const { counters } = source;
      forgetState(counters);
      await this.#addSource(connection, source);
      if (isAgain)
        setRight(
          counters,
          this.#transfers.map((transfer) => transfer.leftIn(counters)),
        );
    }
    this.#every(LOOK_MS, (transfer) => this.#look(transfer));
    this.#every(COUNT_MS, (transfer) => this.#count(transfer));
    if (settings.spool.maxSeconds > 0)
      this.#every(EXPIRE_MS, (transfer) => {
        transfer.expire().catch((error: unknown) => this.#spoolFailed(error));
      });
    this.#running = this.#runAll();
    // who asks for `done`, or stops, is told
    for (const running of this.#running) running.catch(() => {});
  }

  /** Settles when all is sent and closed; after `closeSeconds` what is not sent is put away. Rejects with the first error. */
  async stop(): Promise<void> {
    const closing = setTimeout(() => this.#giveUp(), this.#options.settings.closeSeconds * 1000);
    try {
      await doAll(this.#running.map((running) => () => running));
    } finally {
      clearTimeout(closing);
      for (const timer of this.#timers) clearInterval(timer);
      for (const transfer of this.#transfers) transfer.count();
      await this.#connection?.close();
      for (const transfer of this.#transfers) {
        transfer.setConnected(false);
        await transfer.close();
      }
    }
  }

  /** Settles when all is sent; rejects as soon as one of its lines has failed, whatever the others do. */
  get done(): Promise<unknown> {
    return Promise.all(this.#running);
  }

  /**
   * Transfers of one topic run one after the other, what workers have left before what comes now: a client has one batch of a
   * partition at a time, and a second one would take the place of the first, which is then there twice.
   */
  #runAll(): Promise<void>[] {
    const last = new Map<CourierSource['takes'], Promise<void>>();
    return this.#transfers.map((transfer) => {
      const before = last.get(transfer.takes) ?? Promise.resolve();
      const running = before.then(() => transfer.run());
      last.set(transfer.takes, running);
      return running;
    });
  }

  /** A broker that is silent is not waited for: its answer may take `requestTimeoutMs` more. */
  #giveUp(): void {
    for (const { line } of this.#transfers) line.end();
    void this.#connection?.close();
  }

  /** A source, and on worker 0 before it what workers have left that are no more. */
  async #addSource(connection: Connection, source: CourierSource): Promise<void> {
    const { settings, sink, worker, isAgain, workers, sources, log, now } = this.#options;
    const place = { settings: settings.spool, sink, takes: source.takes };
    const { counters } = source;
    const shares = workers * sources.length;
    const open = (folder: string): Promise<Spool> =>
      openSpool({ place, folder, shares, counters, isAgain, log, now });
    if (settings.onFull === 'drop') {
      this.#add(connection, source, undefined);
      return;
    }
    const own = await open(spoolFolder(place, worker));
    for (const folder of worker > 0 ? [] : leftoverFolders(place, workers)) {
      const channel = allocateChannel(0, 0);
      new ChannelWriter(channel).close();
      this.#add(connection, { ...source, channel }, await open(folder), folder);
    }
    this.#add(connection, source, own);
  }

  #add(connection: Connection, source: CourierSource, spool: Spool | undefined, leftover?: string): void {
    const { settings, sink, log, now } = this.#options;
    const { counters, takes, channel } = source;
    const reader = new ChannelReader(channel);
    const backlog = new Backlog(reader, spool, (error) => this.#spoolFailed(error));
    const isPcapng = takes === 'packets' && settings.packets?.encoding === 'pcapng';
    const { lingerMs, inFlightRequests, retryMaxMs } = settings;
    const line = new Line({
      backlog,
      connection,
      makeEncoder: this.#encoderMaker(takes),
      sink,
      counters,
      log,
      portionBytes: isPcapng ? PCAPNG_PORTION_BYTES : PORTION_BYTES,
      lingerMs,
      inFlightRequests,
      retryMaxMs,
      maxSeconds: settings.spool.maxSeconds,
      now,
    });
    this.#transfers.push(new Transfer({ takes, reader, spool, backlog, line, counters, leftover }));
  }

  #encoderMaker(takes: CourierSource['takes']): EncoderMaker {
    const { settings, observer, frames, sha1Base64 } = this.#options;
    const { packets, flows } = settings;
    if (takes === 'packets' && packets !== null)
      return packetEncoder(packets, { observer, frames, sha1Base64 });
    assert(flows !== null, 'A topic that is turned off has a source.');
    return flowEncoder(flows);
  }

  #look(transfer: Transfer): void {
    if (!transfer.look() || this.#connection?.isUp !== true) return;
    const { sink, settings, log, now } = this.#options;
    const nowMs = now();
    if (nowMs - this.#slowSaidMs < SLOW_INTERVAL_MS) return;
    this.#slowSaidMs = nowMs;
    const { takes } = transfer;
    const isFrame = takes === 'packets' && settings.packets?.encoding === 'frame';
    log.warn(
      { sink, takes, ...(isFrame ? { remedy: 'packets.encoding: pcapng costs a fraction' } : {}) },
      'Kafka takes less than what comes: the rest goes to the spool.',
    );
  }

  #count(transfer: Transfer): void {
    transfer.count();
    transfer.setConnected(this.#connection?.isUp === true);
  }

  #spoolFailed(error: unknown): void {
    const { now, log, sink } = this.#options;
    const nowMs = now();
    if (nowMs - this.#spoolSaidMs < SAY_INTERVAL_MS) return;
    this.#spoolSaidMs = nowMs;
    log.error({ sink, error }, 'The spool fails; it is tried again.');
  }

  #every(intervalMs: number, work: (transfer: Transfer) => void): void {
    this.#timers.push(
      setInterval(() => {
        for (const transfer of this.#transfers) work(transfer);
      }, intervalMs),
    );
  }
}

/** What an earlier courier in this place had waiting: this one counts it anew. */
function forgetState(counters: SinkCounters): void {
  counters.addPendingBytes(-counters.pendingBytes);
  counters.set('spoolRecords', 0);
  counters.set('spoolBytes', 0);
}
