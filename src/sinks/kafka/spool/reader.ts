import { errnoOf } from '../../files/disk.ts';
import { type FoundBlock, readBlocks } from './scan.ts';
import { beginOf, type Place, plus, type Segment } from './segment.ts';
import type { SpoolDisk } from './spool-disk.ts';

/** Blocks that follow a place, and the place behind each. */
export interface ReadBlocks {
  readonly blocks: readonly { readonly block: FoundBlock; readonly behind: Place }[];
  /** Up to where all was seen. */
  readonly place: Place;
}

/** Reads the segments of a spool, whose files it opens one at a time. One call at a time. */
export class Reader {
  readonly #disk: SpoolDisk;
  #open: { readonly segment: Segment; readonly file: number } | undefined;

  constructor(disk: SpoolDisk) {
    this.#disk = disk;
  }

  /**
   * The next whole blocks of the segment in which `from` is, one at least if there is any. A file that is gone has none. Rejects
   * with the system's errors.
   */
  async read(from: Place & { readonly segment: Segment }, maxBytes: number): Promise<ReadBlocks> {
    const { segment } = from;
    const { end, nextSequence } = segment;
    let file: number;
    try {
      file = await this.#fileOf(segment);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return { blocks: [], place: { ...from, at: end, sequence: nextSequence } };
    }
    const { at, sequence } = from;
    const range = { mark: segment.mark, at, end, fromSequence: sequence, beforeSequence: nextSequence };
    const found = await readBlocks(this.#disk, file, range, maxBytes);
    let place: Place = from;
    const blocks = found.blocks.map((block) => {
      const { records, dataBytes } = block.head;
      place = {
        segment,
        at: block.end,
        sequence: block.head.sequence + 1,
        amount: plus(place.amount, { blocks: 1, records, dataBytes }),
      };
      return { block, behind: place };
    });
    // behind the last block there is nothing more, or nothing that can be read
    if (found.at >= end) place = { ...place, at: end, sequence: nextSequence };
    return { blocks, place };
  }

  async #fileOf(segment: Segment): Promise<number> {
    if (this.#open?.segment === segment) return this.#open.file;
    await this.close();
    const file = await this.#disk.open(segment.path, 'r');
    this.#open = { segment, file };
    return file;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await this.#disk.close(open.file);
  }
}

/** The place to go on at: in the segment that comes next where this one is read to its end. */
export function onward(place: Place, segments: readonly Segment[]): Place {
  const { segment, sequence } = place;
  if (segment === undefined) return segments[0] === undefined ? place : beginOf(segments[0], sequence);
  if (place.at < segment.end) return place;
  const next = segments[segments.indexOf(segment) + 1];
  return next === undefined ? place : beginOf(next, sequence);
}
