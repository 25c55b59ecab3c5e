import { join } from 'node:path';
import { MirrorError } from '../../../observe/error.ts';
import {
  HEAD_BYTES,
  HEADER_BYTES,
  makeTrailer,
  MARK_BYTES,
  readHead,
  readHeader,
  readTrailer,
  type Trailer,
  TRAILER_BYTES,
  VERSION,
} from './layout.ts';
import { readBlocks } from './scan.ts';
import { newSegment, plus, type Segment, sequenceOf } from './segment.ts';
import { readThrough, type SpoolDisk, writeThrough } from './spool-disk.ts';

/** What was found in the folder of a spool. */
export interface Recovered {
  /** With blocks that are not acknowledged, oldest first. */
  readonly segments: Segment[];
  /** Of the first block that is not acknowledged. */
  readonly sequence: number;
  /** Of the block that is appended next. */
  readonly nextSequence: number;
  /** Bytes at the ends of segments that were no whole blocks, and were cut off. */
  readonly cutBytes: number;
  /** Blocks that are known to have been appended, and were not found whole. */
  readonly damaged: number;
}

/** A segment as it lies on the disk. */
interface LyingSegment {
  readonly name: string;
  readonly firstSequence: number;
  /** Its blocks come before this one. */
  readonly beforeSequence: number;
  readonly fileBytes: number;
}

const CHUNK_BYTES = 1024 * 1024;

/** Looks at what a spool left in its folder, cuts what was not written to its end, and removes what is not needed. */
export class Recovery {
  readonly #disk: SpoolDisk;
  readonly #directory: string;
  readonly #scratch = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  readonly #segments: Segment[] = [];
  #cutBytes = 0;
  #damaged = 0;
  /** Of the block that should come next. */
  #expected: number;
  readonly #acknowledged: number;

  /** @param acknowledged sequence of the first block that is not acknowledged, as far as it was noted */
  constructor(disk: SpoolDisk, directory: string, acknowledged: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.#acknowledged = acknowledged;
    this.#expected = acknowledged;
  }

  /** Throws the system's errors, and `SPOOL_UNUSABLE` for a segment of a later version. Damage is no error. */
  async run(): Promise<Recovered> {
    const lying = await this.#list();
    const needed = lying.find(({ beforeSequence }) => beforeSequence > this.#acknowledged);
    this.#expected = Math.max(this.#acknowledged, needed?.firstSequence ?? 0, 1);
    for (const segment of lying) {
      if (segment.beforeSequence <= this.#acknowledged) await this.#remove(segment);
      else await this.#lookAt(segment);
    }
    const first = this.#segments[0];
    return {
      segments: this.#segments,
      sequence: first === undefined ? this.#expected : Math.max(this.#acknowledged, first.firstSequence),
      nextSequence: this.#expected,
      cutBytes: this.#cutBytes,
      damaged: this.#damaged,
    };
  }

  async #list(): Promise<LyingSegment[]> {
    const all = await this.#disk.list(this.#directory);
    const names = all.filter((name) => sequenceOf(name) !== undefined).toSorted();
    const lying: LyingSegment[] = [];
    for (const [index, name] of names.entries()) {
      const facts = await this.#disk.look(join(this.#directory, name));
      if (facts === undefined || !facts.isRegular) continue;
      const next = names[index + 1];
      lying.push({
        name,
        firstSequence: sequenceOf(name) ?? 0,
        beforeSequence: (next === undefined ? undefined : sequenceOf(next)) ?? Infinity,
        fileBytes: facts.bytes,
      });
    }
    return lying;
  }

  async #lookAt(lying: LyingSegment): Promise<void> {
    const path = join(this.#directory, lying.name);
    const file = await this.#disk.open(path, 'r+');
    let segment: Segment | undefined;
    try {
      segment = await this.#recover(lying, file);
    } finally {
      await this.#disk.close(file);
    }
    if (segment === undefined) await this.#remove(lying);
    else this.#segments.push(segment);
  }

  /** The segment, cut and finished; undefined where nothing in it is of use. */
  async #recover(lying: LyingSegment, file: number): Promise<Segment | undefined> {
    const mark = await this.#markOf(lying, file);
    if (mark === undefined) {
      this.#cutBytes += lying.fileBytes;
      return undefined;
    }
    const trailer = await this.#trailerOf(lying, file, mark);
    const segment = newSegment(this.#directory, lying.firstSequence, mark);
    segment.fileBytes = lying.fileBytes;
    segment.end = trailer?.end ?? lying.fileBytes;
    const isWhole = trailer !== undefined && trailer.nextSequence <= lying.beforeSequence;
    if (isWhole && lying.firstSequence >= this.#acknowledged) {
      this.#expect(lying.firstSequence);
      const { blocks, records, dataBytes, newestMs, nextSequence } = trailer;
      Object.assign(segment, { amount: { blocks, records, dataBytes }, newestMs, nextSequence });
      this.#expected = segment.nextSequence;
      return segment;
    }
    const scanned = await this.#scan(segment, file, lying.beforeSequence);
    if (isWhole) {
      this.#expect(trailer.nextSequence);
      scanned.nextSequence = trailer.nextSequence;
    } else await this.#cut(scanned, file);
    return scanned.amount.blocks === 0 ? undefined : scanned;
  }

  /** Notes that blocks up to this sequence are missing. */
  #expect(sequence: number): void {
    this.#damaged += Math.max(0, sequence - this.#expected);
    this.#expected = Math.max(this.#expected, sequence);
  }

  /** The mark, from the header or, where that is damaged, from the first block. */
  async #markOf(lying: LyingSegment, file: number): Promise<Buffer | undefined> {
    const bytes = Buffer.alloc(HEADER_BYTES + HEAD_BYTES);
    const got = await readThrough(this.#disk, file, bytes, bytes.length, 0);
    const header = readHeader(bytes.subarray(0, Math.min(got, HEADER_BYTES)));
    if (header !== undefined && header.version !== VERSION) {
      throw new MirrorError(
        'SPOOL_UNUSABLE',
        `The spool ${this.#directory} was written by a version of mirrortap that this one cannot read.`,
        { directory: this.#directory, file: lying.name, version: header.version, readable: VERSION },
      );
    }
    if (header !== undefined) return header.mark;
    if (got < bytes.length) return undefined;
    const mark = Buffer.from(bytes.subarray(HEADER_BYTES, HEADER_BYTES + MARK_BYTES));
    return readHead(bytes, HEADER_BYTES, mark) === undefined ? undefined : mark;
  }

  async #trailerOf({ fileBytes }: LyingSegment, file: number, mark: Buffer): Promise<Trailer | undefined> {
    const at = fileBytes - TRAILER_BYTES;
    if (at < HEADER_BYTES) return undefined;
    const bytes = Buffer.alloc(TRAILER_BYTES);
    const got = await readThrough(this.#disk, file, bytes, TRAILER_BYTES, at);
    const trailer = readTrailer(bytes.subarray(0, got));
    return trailer !== undefined && trailer.mark.equals(mark) && trailer.end === at ? trailer : undefined;
  }

  /** Reads a segment through and counts what is not acknowledged in it. */
  async #scan(segment: Segment, file: number, beforeSequence: number): Promise<Segment> {
    let at = HEADER_BYTES;
    let { begin, newestMs, amount } = segment;
    let blocksEnd = HEADER_BYTES;
    let fromSequence = segment.firstSequence;
    while (at < segment.end) {
      const range = { mark: segment.mark, at, end: segment.end, fromSequence, beforeSequence };
      const found = await readBlocks(this.#disk, file, range, CHUNK_BYTES, this.#scratch);
      for (const { head, end } of found.blocks) {
        if (head.sequence >= this.#acknowledged) {
          this.#expect(head.sequence);
          this.#expected = head.sequence + 1;
          amount = plus(amount, { blocks: 1, records: head.records, dataBytes: head.dataBytes });
        } else begin = end;
        newestMs = Math.max(newestMs, head.timeMs);
        fromSequence = head.sequence + 1;
        blocksEnd = end;
      }
      at = found.at;
    }
    return { ...segment, begin, end: blocksEnd, amount, newestMs, nextSequence: fromSequence };
  }

  /** Cuts what is behind the last whole block, and says in a trailer what is before it. */
  async #cut(segment: Segment, file: number): Promise<void> {
    const { end, amount, begin, mark, newestMs, nextSequence } = segment;
    if (segment.fileBytes > end) {
      this.#cutBytes += segment.fileBytes - end;
      await this.#disk.truncate(file, end);
      segment.fileBytes = end;
    }
    // where a part of it is acknowledged the trailer would tell less than the whole
    if (begin !== HEADER_BYTES || amount.blocks === 0) return;
    const trailer = makeTrailer({ ...amount, mark, newestMs, end, nextSequence });
    try {
      await writeThrough(this.#disk, file, [trailer], TRAILER_BYTES, end);
      segment.fileBytes += TRAILER_BYTES;
    } catch {
      // on a full disk: then it is read through the next time too
      await this.#disk.truncate(file, end);
    }
  }

  async #remove({ name }: LyingSegment): Promise<void> {
    await this.#disk.remove(join(this.#directory, name));
  }
}
