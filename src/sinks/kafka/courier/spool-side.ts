import type { ChannelBlock } from '../../../pipeline/channel/channel-reader.ts';
import type { Spool, SpoolEntry } from '../spool/spool.ts';

/** A disk that cannot be read is tried again after this. */
const RETRY_MS = 1000;

/** The spool as a backlog sees it: how much of it is to be read, and what fails is told and tried again. */
export class SpoolSide {
  readonly #spool: Spool | undefined;
  readonly #onFailure: (error: unknown) => void;
  /** Records that were not read. */
  #unreadRecords: number;
  #ended = false;

  constructor(spool: Spool | undefined, onFailure: (error: unknown) => void) {
    this.#spool = spool;
    this.#onFailure = onFailure;
    this.#unreadRecords = spool?.records ?? 0;
  }

  get isThere(): boolean {
    return this.#spool !== undefined;
  }

  /** Something was not read yet. */
  get isToRead(): boolean {
    return this.#unreadRecords > 0;
  }

  /** The next entries of at most so many bytes, or one; none at the end. Undefined where the disk could not be read for now. */
  async next(bytes: number): Promise<readonly SpoolEntry[] | undefined> {
    const entries = await this.#read(bytes);
    if (entries === undefined) return undefined;
    const records = entries.reduce((sum, entry) => sum + entry.records, 0);
    // what was damaged, or too old, is not read
    this.#unreadRecords = entries.length === 0 ? 0 : Math.max(0, this.#unreadRecords - records);
    return entries;
  }

  /** Puts blocks behind all that is there. */
  async append(blocks: readonly ChannelBlock[]): Promise<'kept' | 'full' | 'failed'> {
    if (this.#spool === undefined) return 'full';
    // the disk is given a copy: memory that threads share is not for it
    const copies = blocks.map(({ bytes, records }) => ({ bytes: Buffer.from(bytes), records }));
    const outcome = await this.#spool.append(copies);
    if (this.#spool.failure !== undefined) this.#onFailure(this.#spool.failure);
    return outcome;
  }

  /** These were appended, to be read in their turn. */
  toRead(blocks: readonly ChannelBlock[]): void {
    for (const { records } of blocks) this.#unreadRecords += records;
  }

  /** Entries that were just appended, where all before them was read; fewer where they are damaged, or `end` came first. */
  async readBack(count: number): Promise<readonly SpoolEntry[]> {
    const entries: SpoolEntry[] = [];
    while (entries.length < count) {
      const found = await this.#read(1);
      if (found === undefined && !this.#ended) continue;
      // damaged as soon as it was written: it is sent from memory, and is not on disk
      if (found === undefined || found.length === 0) break;
      entries.push(...found);
    }
    return entries;
  }

  /** All up to this entry has arrived, or was given up. */
  async acknowledge(entry: SpoolEntry): Promise<void> {
    await this.#spool?.acknowledge(entry);
  }

  /** A disk that cannot be read is not waited for any more. */
  end(): void {
    this.#ended = true;
  }

  /** Undefined where the disk could not be read for now. */
  async #read(bytes: number): Promise<readonly SpoolEntry[] | undefined> {
    try {
      return (await this.#spool?.read(bytes)) ?? [];
    } catch (error) {
      this.#onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      return undefined;
    }
  }
}
