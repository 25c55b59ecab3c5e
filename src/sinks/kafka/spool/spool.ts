import { assert } from '../../../wire/assert.ts';
import type { MirrorError } from '../../../observe/error.ts';
import { isDiskFull } from '../../files/disk.ts';
import { Appender, type SpoolBlock } from './appender.ts';
import { Contents } from './contents.ts';
import { Disposal } from './disposal.ts';
import { dropExpired } from './expiry.ts';
import type { SpoolLock } from './lock.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { openFolder, type OpenedFolder } from './opening.ts';
import type { SpoolEntry, SpoolOptions, SpoolRecovery } from './options.ts';
import type { PositionFile } from './position.ts';
import { ReadEntry } from './read-entry.ts';
import { Reader } from './reader.ts';
import type { Place, Segment } from './segment.ts';
import { nodeSpoolDisk, type SpoolDisk } from './spool-disk.ts';
import { spoolFailure } from './spool-error.ts';
import { SyncTimer } from './sync-timer.ts';

export type { SpoolEntry, SpoolOptions, SpoolRecovery } from './options.ts';

const SEGMENTS_AT_LEAST = 8;

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
  readonly #lock: SpoolLock;
  readonly #position: PositionFile;
  readonly #appender: Appender;
  readonly #reader: Reader;
  readonly #appends = new OneAtATime();
  readonly #reads = new OneAtATime();
  readonly #settles = new OneAtATime();
  readonly #contents: Contents;
  readonly #disposal: Disposal;
  #failure: MirrorError | undefined;
  readonly #syncs: SyncTimer;
  #closed: Promise<void> | undefined;

  private constructor(options: SpoolOptions, disk: SpoolDisk, { lock, position, recovered }: OpenedFolder) {
    this.#options = options;
    this.#lock = lock;
    this.#position = position;
    const segmentBytes = Math.min(options.segmentBytes, Math.ceil(options.maxBytes / SEGMENTS_AT_LEAST));
    const { directory, fsync } = options;
    const appending = { directory, segmentBytes, fsync, onFailure: this.#fail };
    this.#appender = new Appender(disk, appending, recovered.nextSequence);
    this.#reader = new Reader(disk);
    this.#contents = new Contents(recovered);
    this.#disposal = new Disposal(disk, this.#fail);
    this.#syncs = new SyncTimer(options, async () => {
      await this.#appender.sync();
      await this.#position.sync().catch(this.#fail);
    });
  }

  /** Opens a spool and puts right what a crash left. Rejects with `SPOOL_UNUSABLE`; damaged files are no reason for that. */
  static async open(
    options: SpoolOptions,
    disk: SpoolDisk = nodeSpoolDisk,
  ): Promise<{ spool: Spool; recovered: SpoolRecovery }> {
    const opened = await openFolder(options.directory, disk);
    const spool = new Spool(options, disk, opened);
    const { cutBytes, damaged } = opened.recovered;
    const { records, bytes, diskBytes } = spool;
    const freeBytes = opened.freeBytes + diskBytes;
    return { spool, recovered: { records, bytes, cutBytes, damaged, freeBytes } };
  }

  /** Whether all is acknowledged. */
  get isEmpty(): boolean {
    return this.#contents.sequence >= this.#appender.nextSequence;
  }

  /** Records that are not acknowledged. */
  get records(): number {
    return this.#contents.pending.records;
  }

  /** Bytes of blocks that are not acknowledged. */
  get bytes(): number {
    return this.#contents.pending.dataBytes;
  }

  /** What the files of the spool take: with what stands around blocks, and what is acknowledged in the oldest segment. */
  get diskBytes(): number {
    return this.#contents.fileBytes + this.#disposal.fileBytes;
  }

  /** Blocks and their records that were counted as waiting since the spool was opened, and then found damaged. */
  get lost(): { readonly blocks: number; readonly records: number } {
    return this.#contents.lost;
  }

  /** What last went wrong with the files: `SPOOL_FAILED` or `DISK_FULL`; undefined since it has gone right again. */
  get failure(): MirrorError | undefined {
    return this.#failure;
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
        this.#contents.appended(await this.#appender.append(blocks, this.#options.now()));
      } catch (error) {
        this.#fail(error);
        return isDiskFull(error) ? 'full' : 'failed';
      }
      this.#failure = undefined;
      this.#syncs.soon();
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
      const contents = this.#contents;
      for (;;) {
        const from = contents.nextToRead();
        if (this.#closed !== undefined || from === undefined) return [];
        const { turn, isNothingOut } = contents;
        const { blocks, place } = await this.#readFrom(from, maxBytes);
        if (turn !== contents.turn) continue;
        contents.wasRead(place, blocks.at(-1)?.behind);
        if (blocks.length > 0) {
          return blocks.map(({ block, behind }) => new ReadEntry(block, behind));
        }
        // only damaged ones
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

  /**
   * This entry and all before it are done with. Settles once that is noted; it never rejects: where it cannot be noted, blocks are
   * read again after the spool was opened anew.
   */
  async acknowledge(entry: SpoolEntry): Promise<void> {
    assert(entry instanceof ReadEntry, 'Only what was read from a spool can be acknowledged there.');
    this.#contents.acknowledge(entry.behind);
    await this.#settle();
  }

  /** What was read and is not acknowledged is read again. */
  rewind(): void {
    this.#contents.rewind();
  }

  /**
   * Drops what has waited longer than `maxSeconds` and returns how many records that were. What is read and neither acknowledged
   * nor rewound stays, with all behind it. Rejects with `SPOOL_FAILED` where a file cannot be read.
   */
  expire(): Promise<number> {
    return this.#reads.run(async () => {
      const { maxSeconds, now } = this.#options;
      if (maxSeconds === 0 || this.#closed !== undefined) return 0;
      const records = await dropExpired(
        this.#contents,
        now() - maxSeconds * 1000,
        (from, maxBytes) => this.#readFrom(from, maxBytes),
        () => this.#closed !== undefined,
      );
      if (records > 0) await this.#settle();
      return records;
    });
  }

  /** Notes what is acknowledged and deletes the segments that are done with. */
  #settle(): Promise<void> {
    return this.#settles.run(async () => {
      if (this.#closed !== undefined) return;
      this.#disposal.add(this.#contents.takeDone());
      try {
        await this.#position.note(this.#contents.sequence);
        this.#syncs.soon();
      } catch (error) {
        this.#fail(error);
      }
      await this.#disposal.run();
      if (this.isEmpty && this.#contents.fileBytes > 0) await this.#appends.run(() => this.#clear());
    });
  }

  /** Deletes all segments, unless something was appended meanwhile. */
  async #clear(): Promise<void> {
    if (!this.isEmpty || this.#closed !== undefined) return;
    this.#disposal.add(this.#contents.takeAll());
    await this.#appender.discard();
    await this.#disposal.run();
  }

  readonly #fail = (error: unknown): void => {
    this.#failure = spoolFailure(this.#options.directory, error);
  };

  /** Finishes the files and gives the folder up. What is not acknowledged stays in it. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#syncs.stop();
    await this.#appends.run(() => this.#appender.close());
    await this.#reads.run(() => this.#reader.close());
    await this.#settles.run(() => this.#position.note(this.#contents.sequence)).catch(this.#fail);
    if (this.#options.fsync !== 'never') await this.#position.sync().catch(this.#fail);
    await this.#position.close().catch(this.#fail);
    this.#lock.release();
  }
}
