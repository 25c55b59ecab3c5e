import { rmSync } from 'node:fs';
import type { ChannelReader } from '../../../pipeline/channel/channel-reader.ts';
import type { SinkCounters } from '../../../pipeline/sink-counters.ts';
import type { Spool } from '../spool/spool.ts';
import type { LeftBehind } from './after-death.ts';
import type { Backlog } from './backlog.ts';
import type { Line } from './line.ts';

export interface TransferOptions {
  readonly takes: 'packets' | 'flows';
  readonly reader: ChannelReader;
  readonly spool: Spool | undefined;
  readonly backlog: Backlog;
  readonly line: Line;
  readonly counters: SinkCounters;
  /** The spool's folder, which goes when all in it was sent: it is that of a worker which is no more. */
  readonly leftover: string | undefined;
}

/** All that belongs to one source of a courier: its ring, its spool, its line, and what it is counted in. */
export class Transfer {
  readonly takes: TransferOptions['takes'];
  readonly line: Line;
  readonly #options: TransferOptions;
  #pendingBytes = 0;
  #lostRecords = 0;
  #spoolRecords = 0;
  #spoolBytes = 0;

  constructor(options: TransferOptions) {
    this.#options = options;
    this.takes = options.takes;
    this.line = options.line;
  }

  /** Before anything is sent: what an earlier courier of this run has left, if its counters are these. */
  leftIn(counters: SinkCounters): LeftBehind | undefined {
    const { reader, spool } = this.#options;
    if (counters !== this.#options.counters) return undefined;
    return { givenBack: reader.recordsGivenBack, spooled: spool?.records ?? 0 };
  }

  async run(): Promise<void> {
    const { line, leftover, spool } = this.#options;
    await line.run();
    if (leftover === undefined || spool?.isEmpty !== true) return;
    await spool.close();
    try {
      rmSync(leftover, { recursive: true, force: true });
    } catch {
      // it is empty, and found again at the next start
    }
  }

  /** Has the ring emptied into the spool where it fills. Says whether that is so. */
  look(): boolean {
    const { backlog } = this.#options;
    void backlog.look();
    return backlog.isMoving;
  }

  /** Puts what waits, and what was found damaged, into the counters. */
  count(): void {
    const { counters, spool, reader } = this.#options;
    const { records = 0, bytes = 0, lost } = spool ?? {};
    const pendingBytes = reader.bytes + bytes;
    counters.addPendingBytes(pendingBytes - this.#pendingBytes);
    this.#pendingBytes = pendingBytes;
    // several transfers may share a row
    counters.add('spoolRecords', records - this.#spoolRecords);
    counters.add('spoolBytes', bytes - this.#spoolBytes);
    this.#spoolRecords = records;
    this.#spoolBytes = bytes;
    const lostRecords = lost?.records ?? 0;
    if (lostRecords > this.#lostRecords) counters.addDropped('damaged', lostRecords - this.#lostRecords);
    this.#lostRecords = lostRecords;
  }

  /** Whether brokers answer. */
  setConnected(isUp: boolean): void {
    this.#options.counters.set('connected', isUp ? 1 : 0);
  }

  /** Drops what has waited too long. Rejects where the disk fails. */
  async expire(): Promise<void> {
    const { spool, counters } = this.#options;
    const records = (await spool?.expire()) ?? 0;
    if (records > 0) counters.addDropped('spoolExpired', records);
  }

  async close(): Promise<void> {
    await this.#options.spool?.close();
  }
}
