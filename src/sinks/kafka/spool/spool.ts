import { assert } from '../../../wire/assert.ts';
import type { MirrorError } from '../../../observe/error.ts';
import { errnoOf, isDiskFull } from '../../files/disk.ts';
import { Appender, type SpoolBlock } from './appender.ts';
import { SpoolLock } from './lock.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { PositionFile } from './position.ts';
import { onward, Reader } from './reader.ts';
import { type Recovered, Recovery } from './recovery.ts';
import { type Amount, endOf, minus, NOTHING, type Place, plus, type Segment } from './segment.ts';
import { nodeSpoolDisk, type SpoolDisk } from './spool-disk.ts';
import { spoolFailure, unusable } from './spool-error.ts';

export interface SpoolOptions {
  /** Made where it is missing. One spool at a time has it for itself. */
  readonly directory: string;
  /** Most bytes that its files take of the disk. */
  readonly maxBytes: number;
  /** What has waited longer is dropped by `expire`; 0: nothing is. */
  readonly maxSeconds: number;
  /** A segment is full at so many bytes, and at an eighth of `maxBytes` in any case. */
  readonly segmentBytes: number;
  readonly fsync: 'interval' | 'always' | 'never';
  readonly fsyncMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A block that was read from the spool. */
export interface SpoolEntry {
  readonly bytes: Buffer;
  readonly records: number;
}

/** What was found when a spool was opened. */
export interface SpoolRecovery {
  /** What waits in it: not acknowledged. */
  readonly records: number;
  readonly bytes: number;
  /** Bytes at the ends of segments that were no whole blocks, and were cut off. */
  readonly cutBytes: number;
  /** Blocks that were appended and are not there any more. Others may be found damaged when they are read: `lost`. */
  readonly damaged: number;
  /** Room for the spool: what is free on the disk, and what the spool has of it already. */
  readonly freeBytes: number;
}

class ReadEntry implements SpoolEntry {
  readonly bytes: Buffer;
  readonly records: number;
  /** The place behind it. */
  readonly behind: Place;

  constructor(bytes: Buffer, records: number, behind: Place) {
    this.bytes = bytes;
    this.records = records;
    this.behind = behind;
  }
}

const SEGMENTS_AT_LEAST = 8;
const EXPIRE_BYTES = 1024 * 1024;

/**
 * A queue of blocks on disk: appended in batches, read in order, deleted once acknowledged. Blocks outlive the process from the
 * moment `append` says `kept`, and a power failure once they were synced. What is not acknowledged is read again after it was
 * opened anew: that is when a block is read twice.
 *
 * Calls may overlap: what is appended may be read at the same time. All work on files is done off the calling thread; memory
 * does not grow with what the spool holds.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #disk: SpoolDisk;
  readonly #lock: SpoolLock;
  readonly #position: PositionFile;
  readonly #appender: Appender;
  readonly #reader: Reader;
  readonly #appends = new OneAtATime();
  readonly #reads = new OneAtATime();
  readonly #settles = new OneAtATime();
  /** Oldest first; the last one may be growing. */
  readonly #segments: Segment[];
  /** Segments that are done with, but could not be deleted yet. */
  #undeleted: Segment[] = [];
  #acknowledged: Place;
  #reading: Place;
  /** One past the sequence of the last block that was read since the last rewind. */
  #handedOut: number;
  /** Counts what makes a read that is under way start again. */
  #turns = 0;
  #lost = NOTHING;
  #failure: MirrorError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(
    options: SpoolOptions,
    disk: SpoolDisk,
    lock: SpoolLock,
    position: PositionFile,
    recovered: Recovered,
  ) {
    this.#options = options;
    this.#disk = disk;
    this.#lock = lock;
    this.#position = position;
    const segmentBytes = Math.min(options.segmentBytes, Math.ceil(options.maxBytes / SEGMENTS_AT_LEAST));
    const { directory, fsync } = options;
    const appending = { directory, segmentBytes, fsync, onFailure: this.#fail };
    this.#appender = new Appender(disk, appending, recovered.nextSequence);
    this.#reader = new Reader(disk);
    this.#segments = recovered.segments;
    this.#acknowledged = { segment: undefined, at: 0, sequence: recovered.sequence, amount: NOTHING };
    this.#acknowledged = onward(this.#acknowledged, this.#segments);
    this.#reading = this.#acknowledged;
    this.#handedOut = recovered.sequence;
  }

  /** Opens a spool and puts right what a crash left. Rejects with `SPOOL_UNUSABLE`; damaged files are no reason for that. */
  static async open(
    options: SpoolOptions,
    disk: SpoolDisk = nodeSpoolDisk,
  ): Promise<{ spool: Spool; recovered: SpoolRecovery }> {
    const { directory } = options;
    let lock: SpoolLock | undefined;
    let position: PositionFile | undefined;
    try {
      await disk.makeFolder(directory);
      lock = SpoolLock.take(directory);
      const opened = await PositionFile.open(disk, directory);
      position = opened.position;
      const recovered = await new Recovery(disk, directory, opened.sequence).run();
      const { freeBytes } = await disk.freeSpace(directory);
      const spool = new Spool(options, disk, lock, position, recovered);
      const { cutBytes, damaged } = recovered;
      const { records, bytes, diskBytes } = spool;
      return { spool, recovered: { records, bytes, cutBytes, damaged, freeBytes: freeBytes + diskBytes } };
    } catch (error) {
      await position?.close().catch(() => undefined);
      lock?.release();
      throw unusable(directory, error);
    }
  }

  /** Whether all is acknowledged. */
  get isEmpty(): boolean {
    return this.#acknowledged.sequence >= this.#appender.nextSequence;
  }

  /** Records that are not acknowledged. */
  get records(): number {
    return this.#pending.records;
  }

  /** Bytes of blocks that are not acknowledged. */
  get bytes(): number {
    return this.#pending.dataBytes;
  }

  /** What the files of the spool take: with what stands around blocks, and what is acknowledged in the oldest segment. */
  get diskBytes(): number {
    let bytes = 0;
    for (const { fileBytes } of this.#segments) bytes += fileBytes;
    for (const { fileBytes } of this.#undeleted) bytes += fileBytes;
    return bytes;
  }

  /** Blocks and their records that were counted as waiting since the spool was opened, and then found damaged. */
  get lost(): { readonly blocks: number; readonly records: number } {
    return this.#lost;
  }

  /** What last went wrong with the files: `SPOOL_FAILED` or `DISK_FULL`; undefined since it has gone right again. */
  get failure(): MirrorError | undefined {
    return this.#failure;
  }

  get #pending(): Amount {
    let sum = NOTHING;
    for (const { amount } of this.#segments) sum = plus(sum, amount);
    return minus(sum, this.#acknowledged.amount);
  }

  /**
   * Appends blocks, all or none of them. Their bytes must not change until it settles. It never rejects.
   *
   * `full`: there are `maxBytes` in the spool, or the disk has no room. `failed`: the disk did not take them; `failure` says why.
   */
  append(blocks: readonly SpoolBlock[]): Promise<'kept' | 'full' | 'failed'> {
    return this.#appends.run(async () => {
      if (this.#closed !== undefined) return 'failed';
      if (blocks.length === 0) return 'kept';
      if (this.diskBytes + this.#appender.bytesFor(blocks) > this.#options.maxBytes) return 'full';
      try {
        const segment = await this.#appender.append(blocks, this.#options.now());
        if (this.#segments.at(-1) !== segment) this.#segments.push(segment);
      } catch (error) {
        this.#fail(error);
        return isDiskFull(error) ? 'full' : 'failed';
      }
      this.#failure = undefined;
      this.#syncSoon();
      return 'kept';
    });
  }

  /**
   * The next blocks in their order that were not read since the spool was opened or rewound: at least one, however long, and no
   * more than `maxBytes` of them; none at the end. Damaged ones are left out and counted (`lost`). Rejects with `SPOOL_FAILED`
   * where a file cannot be opened or read for now; the next call tries again.
   */
  read(maxBytes: number): Promise<readonly SpoolEntry[]> {
    return this.#reads.run(async () => {
      for (;;) {
        this.#reading = onward(this.#reading, this.#segments);
        const { segment, at } = this.#reading;
        if (this.#closed !== undefined || segment === undefined || at >= segment.end) return [];
        const turn = this.#turns;
        const { blocks, place } = await this.#readFrom({ ...this.#reading, segment }, maxBytes);
        if (turn !== this.#turns) continue;
        const isNothingOut = this.#isNothingOut;
        this.#reading = place;
        this.#reckon(place);
        const last = blocks.at(-1);
        if (last !== undefined) {
          this.#handedOut = last.behind.sequence;
          return blocks.map(({ block, behind }) => new ReadEntry(block.data, block.head.records, behind));
        }
        if (isNothingOut) await this.#settle();
      }
    });
  }

  async #readFrom(from: Place & { readonly segment: Segment }, maxBytes: number) {
    try {
      return await this.#reader.read(from, maxBytes);
    } catch (error) {
      this.#fail(error);
      throw spoolFailure(this.#options.directory, error);
    }
  }

  /** Takes from the count what a segment turned out to have lost, once it is read to its end. */
  #reckon({ segment, at, amount }: Place): void {
    if (segment === undefined || at < segment.end) return;
    this.#lost = plus(this.#lost, minus(segment.amount, amount));
    segment.amount = amount;
  }

  /** Whether all that was read is acknowledged. */
  get #isNothingOut(): boolean {
    return this.#acknowledged.sequence >= this.#handedOut;
  }

  /**
   * This entry and all before it are done with. Settles once that is noted; it never rejects: where it cannot be noted, blocks are
   * read again after the spool was opened anew.
   */
  async acknowledge(entry: SpoolEntry): Promise<void> {
    assert(entry instanceof ReadEntry, 'Only what was read from a spool can be acknowledged there.');
    const { behind } = entry;
    if (behind.sequence > this.#acknowledged.sequence) this.#acknowledged = behind;
    if (behind.sequence > this.#reading.sequence) {
      // it was read before a rewind
      this.#reading = behind;
      this.#handedOut = behind.sequence;
      this.#turns++;
    }
    await this.#settle();
  }

  /** What was read and is not acknowledged is read again. */
  rewind(): void {
    this.#reading = this.#acknowledged;
    this.#handedOut = this.#acknowledged.sequence;
    this.#turns++;
  }

  /**
   * Drops what has waited longer than `maxSeconds` and returns how many records that were. What is read and neither acknowledged
   * nor rewound stays, with all behind it. Rejects with `SPOOL_FAILED` where a file cannot be read.
   */
  expire(): Promise<number> {
    return this.#reads.run(async () => {
      const { maxSeconds, now } = this.#options;
      if (maxSeconds === 0) return 0;
      const beforeMs = now() - maxSeconds * 1000;
      let records = 0;
      while (this.#closed === undefined && this.#isNothingOut) {
        const from = onward(this.#acknowledged, this.#segments);
        const { segment, at } = from;
        if (segment === undefined || at >= segment.end) break;
        const turn = this.#turns;
        const to =
          segment.newestMs < beforeMs ? endOf(segment) : await this.#expired({ ...from, segment }, beforeMs);
        if (to === undefined || turn !== this.#turns) break;
        records += to.amount.records - from.amount.records;
        this.#reckon(to);
        this.#acknowledged = to;
        this.rewind();
      }
      if (records > 0) await this.#settle();
      return records;
    });
  }

  /** The place behind the blocks that are too old; undefined where there is none. */
  async #expired(from: Place & { readonly segment: Segment }, beforeMs: number): Promise<Place | undefined> {
    const { blocks, place } = await this.#readFrom(from, EXPIRE_BYTES);
    const young = blocks.findIndex(({ block }) => block.head.timeMs >= beforeMs);
    return young === -1 ? place : blocks[young - 1]?.behind;
  }

  /** Notes what is acknowledged and deletes the segments that are done with. */
  #settle(): Promise<void> {
    return this.#settles.run(async () => {
      // damaged blocks behind the last one that was read are done with too
      if (this.#isNothingOut) this.#acknowledged = this.#reading;
      this.#acknowledged = onward(this.#acknowledged, this.#segments);
      if (this.#closed !== undefined) return;
      const { segment, sequence } = this.#acknowledged;
      try {
        await this.#position.note(sequence);
        this.#syncSoon();
      } catch (error) {
        this.#fail(error);
      }
      const done = segment === undefined ? 0 : this.#segments.indexOf(segment);
      if (done > 0) await this.#delete(this.#segments.splice(0, done));
      if (this.isEmpty && this.#segments.length > 0) await this.#appends.run(() => this.#clear());
    });
  }

  /** Deletes all segments, unless something was appended meanwhile. */
  async #clear(): Promise<void> {
    if (!this.isEmpty || this.#closed !== undefined) return;
    const { sequence } = this.#acknowledged;
    const done = this.#segments.splice(0);
    this.#acknowledged = { segment: undefined, at: 0, sequence, amount: NOTHING };
    this.#reading = this.#acknowledged;
    this.#turns++;
    await this.#appender.discard();
    await this.#delete(done);
  }

  async #delete(segments: readonly Segment[]): Promise<void> {
    const all = [...this.#undeleted, ...segments];
    this.#undeleted = all;
    for (const segment of all) {
      try {
        await this.#disk.remove(segment.path);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') {
          this.#fail(error);
          continue;
        }
      }
      this.#undeleted = this.#undeleted.filter((other) => other !== segment);
    }
  }

  readonly #fail = (error: unknown): void => {
    this.#failure = spoolFailure(this.#options.directory, error);
  };

  #syncSoon(): void {
    if (this.#options.fsync !== 'interval' || this.#timer !== undefined || this.#closed !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#syncing = this.#sync();
    }, this.#options.fsyncMs);
    this.#timer.unref();
  }

  async #sync(): Promise<void> {
    await this.#appender.sync();
    await this.#position.sync().catch(this.#fail);
  }

  /** Finishes the files and gives the folder up. What is not acknowledged stays in it. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#syncing;
    await this.#appends.run(() => this.#appender.close());
    await this.#reads.run(() => this.#reader.close());
    await this.#settles.run(() => this.#position.note(this.#acknowledged.sequence)).catch(this.#fail);
    if (this.#options.fsync !== 'never') await this.#position.sync().catch(this.#fail);
    await this.#position.close().catch(this.#fail);
    this.#lock.release();
  }
}
