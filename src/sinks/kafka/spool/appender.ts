import { randomBytes } from 'node:crypto';
import {
  checksum,
  HEAD_BYTES,
  HEADER_BYTES,
  makeHeader,
  makeTrailer,
  MARK_BYTES,
  TRAILER_BYTES,
  writeHead,
} from './layout.ts';
import { newSegment, plus, type Segment } from './segment.ts';
import { type SpoolDisk, writeThrough } from './spool-disk.ts';

export interface AppenderOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly fsync: 'interval' | 'always' | 'never';
  /** Told what failed where nobody waits for it. */
  readonly onFailure: (error: unknown) => void;
}

export interface SpoolBlock {
  readonly bytes: Uint8Array;
  readonly records: number;
}

/** Writes blocks at the end of a spool: one write for all that are appended together. One call at a time. */
export class Appender {
  readonly #disk: SpoolDisk;
  readonly #options: AppenderOptions;
  /** Sequence of the block that is appended next. */
  nextSequence: number;
  /** The segment that grows; undefined: the next append begins one. */
  segment: Segment | undefined;
  #file = -1;
  /** A segment that is full is finished while the next one is begun. */
  #retiring: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();
  #unsynced = false;
  #folderUnsynced = false;
  /** Its file could not be cut or synced: nothing more is appended there. */
  #spoilt = false;

  constructor(disk: SpoolDisk, options: AppenderOptions, nextSequence: number) {
    this.#disk = disk;
    this.#options = options;
    this.nextSequence = nextSequence;
  }

  /** Bytes of the disk that blocks will take, at most. */
  bytesFor(blocks: readonly SpoolBlock[]): number {
    return HEADER_BYTES + TRAILER_BYTES + bytesOf(blocks);
  }

  /** Appends all blocks or, where it rejects, none. Returns the segment that has them. */
  async append(blocks: readonly SpoolBlock[], nowMs: number): Promise<Segment> {
    const bytes = bytesOf(blocks);
    if (this.segment !== undefined) {
      const isFull = this.segment.end + bytes + TRAILER_BYTES > this.#options.segmentBytes;
      if (isFull || this.#spoilt) await this.retire();
    }
    const segment = this.segment ?? (await this.#begin());
    const isNew = segment.end === 0;
    const buffers = this.#encode(segment, blocks, nowMs);
    const total = isNew ? bytes + HEADER_BYTES : bytes;
    try {
      await writeThrough(this.#disk, this.#file, buffers, total, segment.end);
      if (this.#options.fsync === 'always') await this.#syncNow(this.#file, isNew);
    } catch (error) {
      await this.#takeBack(segment);
      throw error;
    }
    this.#unsynced = this.#options.fsync === 'interval';
    this.#folderUnsynced ||= isNew && this.#unsynced;
    this.#account(segment, blocks, total, nowMs);
    return segment;
  }

  async #begin(): Promise<Segment> {
    const segment = newSegment(this.#options.directory, this.nextSequence, randomBytes(MARK_BYTES));
    // one that is there has nothing that was kept: it could not be removed after its first append failed
    this.#file = await this.#disk.open(segment.path, 'w');
    this.segment = segment;
    this.#spoilt = false;
    return segment;
  }

  #encode(segment: Segment, blocks: readonly SpoolBlock[], timeMs: number): Uint8Array[] {
    const heads = Buffer.allocUnsafe(blocks.length * HEAD_BYTES);
    const buffers: Uint8Array[] = segment.end === 0 ? [makeHeader(segment.mark, segment.firstSequence)] : [];
    let sequence = this.nextSequence;
    let at = 0;
    for (const { bytes, records } of blocks) {
      const head = {
        dataBytes: bytes.length,
        sequence: sequence++,
        timeMs,
        records,
        dataCrc: checksum(bytes),
      };
      const end = writeHead(heads, at, segment.mark, head);
      buffers.push(heads.subarray(at, end), bytes);
      at = end;
    }
    return buffers;
  }

  #account(segment: Segment, blocks: readonly SpoolBlock[], total: number, nowMs: number): void {
    let records = 0;
    let dataBytes = 0;
    for (const block of blocks) {
      records += block.records;
      dataBytes += block.bytes.length;
    }
    segment.end += total;
    segment.fileBytes += total;
    segment.amount = plus(segment.amount, { blocks: blocks.length, records, dataBytes });
    segment.newestMs = Math.max(segment.newestMs, nowMs);
    this.nextSequence += blocks.length;
    segment.nextSequence = this.nextSequence;
  }

  async #syncNow(file: number, isNew: boolean): Promise<void> {
    try {
      await this.#disk.sync(file);
      if (isNew) await this.#disk.syncFolder(this.#options.directory);
    } catch (error) {
      // what a disk could not take once it does not try again: the next bytes go elsewhere
      this.#spoilt = true;
      throw error;
    }
  }

  /** Leaves nothing behind of an append that failed. */
  async #takeBack(segment: Segment): Promise<void> {
    try {
      await this.#disk.truncate(this.#file, segment.end);
      if (segment.end === 0) await this.#disk.remove(segment.path);
    } catch (error) {
      this.#spoilt = true;
      this.#options.onFailure(error);
    }
    if (segment.end > 0) return;
    this.segment = undefined;
    await this.#disk.close(this.#file).catch(this.#options.onFailure);
  }

  /** Ends the segment that grows: the next append begins one. */
  async retire(): Promise<void> {
    const { segment } = this;
    if (segment === undefined) return;
    await this.#retiring;
    const file = this.#file;
    const isSpoilt = this.#spoilt;
    this.segment = undefined;
    const syncing = this.#syncing;
    this.#retiring = syncing.then(() => this.#finish(segment, file, isSpoilt)).catch(this.#options.onFailure);
  }

  async #finish(segment: Segment, file: number, isSpoilt: boolean): Promise<void> {
    try {
      if (!isSpoilt) await this.#seal(segment, file);
      if (this.#options.fsync !== 'never') await this.#disk.sync(file);
    } finally {
      await this.#disk.close(file);
    }
  }

  async #seal(segment: Segment, file: number): Promise<void> {
    const { amount, mark, newestMs, nextSequence, end } = segment;
    const trailer = makeTrailer({ ...amount, mark, newestMs, end, nextSequence });
    try {
      await writeThrough(this.#disk, file, [trailer], TRAILER_BYTES, end);
      segment.fileBytes += TRAILER_BYTES;
    } catch (error) {
      // it is not needed: without it the segment is read through when the spool is opened
      await this.#disk.truncate(file, end);
      throw error;
    }
  }

  /** Closes the segment that grows without finishing it: all in it is acknowledged. */
  async discard(): Promise<void> {
    if (this.segment === undefined) return;
    this.segment = undefined;
    this.#unsynced = false;
    await this.#syncing;
    await this.#disk.close(this.#file).catch(this.#options.onFailure);
  }

  /** Makes sure that what was appended outlives a power failure. Settles in any case. */
  sync(): Promise<void> {
    if (!this.#unsynced || this.segment === undefined) return this.#syncing;
    this.#unsynced = false;
    const isNew = this.#folderUnsynced;
    this.#folderUnsynced = false;
    const file = this.#file;
    this.#syncing = this.#syncing.then(() => this.#syncNow(file, isNew)).catch(this.#options.onFailure);
    return this.#syncing;
  }

  async close(): Promise<void> {
    await this.retire();
    await this.#retiring;
    if (this.#folderUnsynced)
      await this.#disk.syncFolder(this.#options.directory).catch(this.#options.onFailure);
  }
}

function bytesOf(blocks: readonly SpoolBlock[]): number {
  return blocks.reduce((sum, { bytes }) => sum + HEAD_BYTES + bytes.length, 0);
}
