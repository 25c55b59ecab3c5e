import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../../observe/log.ts';
import type { FrameReader } from '../../../packet/frame-reader.ts';
import {
  allocateChannel,
  type ChannelMemory,
  ChannelReader,
  ChannelWriter,
} from '../../../pipeline/channel.ts';
import { doAll } from '../../../pipeline/do-all.ts';
import type { SinkCounters } from '../../../pipeline/sink-counters.ts';
import { assert } from '../../../wire/assert.ts';
import { makeKafkaClient } from '../clients/index.ts';
import type { KafkaSettings } from '../settings.ts';
import { Spool } from '../spool/spool.ts';
import { Backlog } from './backlog.ts';
import { Connection } from './connection.ts';
import { Line } from './line.ts';
import { type EncoderMaker, flowEncoder, packetEncoder } from './make-encoder.ts';

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
  readonly workers: number;
  readonly sources: readonly CourierSource[];
  /** `observer` of the records: this host. */
  readonly observer: string;
  readonly frames: FrameReader;
  readonly sha1Base64: (bytes: Uint8Array) => string;
  readonly log: Log;
  readonly now: () => number;
}

/** One source on its way: what waits, the line that sends it, and what it is counted in. */
interface Transfer {
  readonly line: Line;
  readonly backlog: Backlog;
  readonly spool: Spool | undefined;
  readonly reader: ChannelReader;
  readonly counters: SinkCounters;
  /** Its folder goes when all in it was sent: it is that of a worker which is no more. */
  readonly leftover: string | undefined;
  pendingBytes: number;
  /** Records of the spool that were found damaged, as counted so far. */
  lostRecords: number;
}

const LOOK_MS = 10;
const COUNT_MS = 250;
const EXPIRE_MS = 1000;
const SAY_INTERVAL_MS = 60_000;
/** Blocks that are encoded together: of frames and flow records about what a request takes, of pcapngs more, for each is one record. */
const PORTION_BYTES = 1_048_576;
const PCAPNG_PORTION_BYTES = 4_194_304;

/** The second half of a Kafka sink, in a thread of its own: what a worker put into its channels goes to the brokers. */
export class KafkaCourier {
  readonly #options: CourierOptions;
  readonly #transfers: Transfer[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #connection: Connection | undefined;
  #running: Promise<void> = Promise.resolve();
  #closing: NodeJS.Timeout | undefined;
  #spoolSaidMs = -Infinity;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Opens spools and the client library, and begins. Does not wait for a broker. Rejects with a `MirrorError`. */
  async start(): Promise<void> {
    const { settings, worker, sink, log, now, sources } = this.#options;
    const client = await makeKafkaClient({ settings, worker, log });
    const connection = new Connection({ client, settings, sink, log, now });
    this.#connection = connection;
    for (const source of sources) {
      await this.#add(connection, source, this.#folder(worker, source.takes));
      if (worker === 0) await this.#addLeftovers(connection, source);
    }
    this.#every(LOOK_MS, (transfer) => void transfer.backlog.look());
    this.#every(COUNT_MS, (transfer) => this.#count(transfer));
    if (settings.spool.maxSeconds > 0) this.#every(EXPIRE_MS, (transfer) => void this.#expire(transfer));
    this.#running = doAll(this.#transfers.map((transfer) => () => this.#run(transfer)));
    this.#running.catch(() => {});
  }

  /** Settles when all is sent and closed, after `closeSeconds` what is not sent being put away. Rejects with the first error. */
  async stop(): Promise<void> {
    const { settings } = this.#options;
    this.#closing = setTimeout(() => this.#giveUp(), settings.closeSeconds * 1000);
    try {
      await this.#running;
    } finally {
      clearTimeout(this.#closing);
      for (const timer of this.#timers) clearInterval(timer);
      for (const transfer of this.#transfers) this.#count(transfer);
      await this.#connection?.close();
      await doAll(
        this.#transfers.map(
          ({ spool }) =>
            async () =>
              spool?.close(),
        ),
      );
      for (const { counters } of this.#transfers) counters.set('connected', 0);
    }
  }

  /** Settles when one of the lines has failed; rejects with its error. */
  get failure(): Promise<void> {
    return this.#running;
  }

  #giveUp(): void {
    this.#connection?.end();
    for (const { line } of this.#transfers) line.end();
  }

  async #add(
    connection: Connection,
    source: CourierSource,
    folder: string,
    leftover?: string,
  ): Promise<void> {
    const { settings, sink, log, now, worker } = this.#options;
    const { counters, takes } = source;
    const spool = settings.onFull === 'spool' ? await this.#openSpool(folder, source) : undefined;
    const reader = new ChannelReader(source.channel);
    const backlog = new Backlog(reader, spool, (error) => this.#spoolFailed(error));
    const isPcapng = takes === 'packets' && settings.packets?.encoding === 'pcapng';
    const line = new Line({
      backlog,
      connection,
      makeEncoder: this.#encoderMaker(takes),
      counters,
      log,
      portionBytes: isPcapng ? PCAPNG_PORTION_BYTES : PORTION_BYTES,
      lingerMs: settings.lingerMs,
      inFlightRequests: settings.inFlightRequests,
      retryMaxMs: settings.retryMaxMs,
      now,
    });
    if (spool !== undefined && spool.records > 0) {
      log.info(
        { sink, worker, takes, records: spool.records, bytes: spool.bytes },
        'What was left in the spool is sent first.',
      );
    }
    this.#transfers.push({
      line,
      backlog,
      spool,
      reader,
      counters,
      leftover,
      pendingBytes: 0,
      lostRecords: 0,
    });
  }

  #encoderMaker(takes: CourierSource['takes']): EncoderMaker {
    const { settings, observer, frames, sha1Base64 } = this.#options;
    const { packets, flows } = settings;
    if (takes === 'packets' && packets !== null)
      return packetEncoder(packets, { observer, frames, sha1Base64 });
    assert(flows !== null, 'A topic that is turned off has a source.');
    return flowEncoder(flows);
  }

  /** Spools of workers that there are no more. */
  async #addLeftovers(connection: Connection, source: CourierSource): Promise<void> {
    const { settings, sink, workers } = this.#options;
    if (settings.onFull !== 'spool') return;
    const parent = join(settings.spool.directory, sink);
    for (const name of readdirSync(parent)) {
      const found = /^w(\d+)-(packets|flows)$/.exec(name);
      if (found === null || found[2] !== source.takes || Number(found[1]) < workers) continue;
      const channel = allocateChannel(0, 0);
      new ChannelWriter(channel).close();
      await this.#add(connection, { ...source, channel }, join(parent, name), join(parent, name));
    }
  }

  async #openSpool(directory: string, { counters }: CourierSource): Promise<Spool> {
    const { settings, workers, sources, log, sink } = this.#options;
    const { maxSeconds, segmentBytes, fsync, fsyncMs } = settings.spool;
    const maxBytes = Math.floor(settings.spool.maxBytes / workers / sources.length);
    const { spool, recovered } = await Spool.open({
      directory,
      maxBytes,
      maxSeconds,
      segmentBytes: Math.min(segmentBytes, Math.max(1_048_576, Math.floor(maxBytes / 4))),
      fsync,
      fsyncMs,
      now: this.#options.now,
    });
    counters.addDelivered(recovered.records);
    counters.add('recovered', recovered.records);
    if (recovered.damaged > 0 || recovered.cutBytes > 0) {
      const { damaged, cutBytes } = recovered;
      log.warn(
        { sink, directory, damaged, cutBytes },
        'Part of the spool could not be read; it was left out.',
      );
    }
    if (recovered.freeBytes < maxBytes) {
      log.warn(
        { sink, directory, maxBytes, freeBytes: recovered.freeBytes },
        'The disk has less room than the spool may need.',
      );
    }
    return spool;
  }

  async #run({ line, leftover, spool }: Transfer): Promise<void> {
    await line.run();
    if (leftover === undefined || spool?.isEmpty !== true) return;
    await spool.close();
    rmSync(leftover, { recursive: true, force: true });
  }

  #count(transfer: Transfer): void {
    const { counters, spool, reader } = transfer;
    const pendingBytes = reader.bytes + (spool?.bytes ?? 0);
    counters.addPendingBytes(pendingBytes - transfer.pendingBytes);
    transfer.pendingBytes = pendingBytes;
    const lost = spool?.lost.records ?? 0;
    if (lost > transfer.lostRecords) counters.addDropped('damaged', lost - transfer.lostRecords);
    transfer.lostRecords = lost;
    const ofRow = this.#transfers.filter((other) => other.counters === counters);
    counters.set(
      'spoolRecords',
      ofRow.reduce((sum, other) => sum + (other.spool?.records ?? 0), 0),
    );
    counters.set(
      'spoolBytes',
      ofRow.reduce((sum, other) => sum + (other.spool?.bytes ?? 0), 0),
    );
    counters.set('connected', this.#connection?.isUp === true ? 1 : 0);
  }

  async #expire({ spool, counters }: Transfer): Promise<void> {
    try {
      const records = (await spool?.expire()) ?? 0;
      if (records > 0) counters.addDropped('spoolExpired', records);
    } catch (error) {
      this.#spoolFailed(error);
    }
  }

  #spoolFailed(error: unknown): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#spoolSaidMs < SAY_INTERVAL_MS) return;
    this.#spoolSaidMs = nowMs;
    this.#options.log.error({ sink: this.#options.sink, error }, 'The spool fails; it is tried again.');
  }

  #every(intervalMs: number, work: (transfer: Transfer) => void): void {
    this.#timers.push(
      setInterval(() => {
        for (const transfer of this.#transfers) work(transfer);
      }, intervalMs),
    );
  }

  #folder(worker: number, takes: string): string {
    const { settings, sink } = this.#options;
    return join(settings.spool.directory, sink, `w${worker}-${takes}`);
  }
}
