import { type ChannelBlock, type ChannelReader, FullReason } from '../../../pipeline/channel.ts';
import type { Spool, SpoolEntry } from '../spool/spool.ts';

/** Past this part of the ring its blocks go to disk, until no more than the second part is left. */
const FULL = 0.5;
const ENOUGH = 0.25;
/** Blocks that are appended in one write. */
const BLOCKS_AT_A_TIME = 16;
/** Longest wait for a block before spool and end are looked at again. */
const LOOK_MS = 20;

/** Blocks that are sent together, and from where they came. */
export interface Portion {
  readonly blocks: readonly Buffer[];
  readonly records: number;
  readonly fromChannel: readonly ChannelBlock[];
  readonly fromSpool: readonly SpoolEntry[];
}

/**
 * All that waits to be sent, in the order in which it came: what is in the spool first, then what was taken out of the
 * ring and found no room there, then the ring. While the ring fills, its blocks move to the spool.
 */
export class Backlog {
  readonly #channel: ChannelReader;
  readonly #spool: Spool | undefined;
  /** Taken out of the ring for the spool, which did not take them. */
  readonly #stash: ChannelBlock[] = [];
  /** Records in the spool that were not read. */
  #unreadRecords: number;
  #moving: Promise<void> | undefined;

  constructor(channel: ChannelReader, spool: Spool | undefined) {
    this.#channel = channel;
    this.#spool = spool;
    this.#unreadRecords = spool?.records ?? 0;
  }

  /**
   * The next blocks: as many as there are, up to so many bytes, and what comes within `lingerMs`. Undefined once nothing
   * more will come, or `isEnded` says so.
   */
  async next(bytes: number, lingerMs: number, isEnded: () => boolean): Promise<Portion | undefined> {
    while (!isEnded()) {
      if (this.#moving !== undefined) await this.#moving;
      else if (this.#unreadRecords > 0) {
        const entries = (await this.#spool?.read(bytes)) ?? [];
        const records = entries.reduce((sum, entry) => sum + entry.records, 0);
        // what was damaged, or too old, is not read
        this.#unreadRecords = entries.length === 0 ? 0 : Math.max(0, this.#unreadRecords - records);
        if (entries.length > 0)
          return {
            blocks: entries.map((entry) => entry.bytes),
            records,
            fromChannel: [],
            fromSpool: entries,
          };
      } else {
        const first = this.#take();
        if (first !== undefined) return this.#gather(first, bytes, lingerMs);
        if (this.#channel.ended) return undefined;
        await this.#channel.wait(LOOK_MS);
      }
    }
    return undefined;
  }

  /** A portion has arrived, or was given up: its memory and its place on disk are free. */
  async settle({ fromChannel, fromSpool }: Portion): Promise<void> {
    for (const block of fromChannel) this.#channel.giveBack(block);
    const last = fromSpool.at(-1);
    if (last !== undefined) await this.#spool?.acknowledge(last);
  }

  /** Moves blocks to the spool where the ring fills. To be called again and again; settles when that is done. */
  look(): Promise<void> {
    if (this.#spool === undefined || this.#moving !== undefined) return this.#moving ?? Promise.resolve();
    if (this.#channel.filled <= FULL) return Promise.resolve();
    this.#moving = this.#move(ENOUGH).finally(() => {
      this.#moving = undefined;
    });
    return this.#moving;
  }

  /**
   * Nothing is sent any more: puts on disk what was not sent, that of portions under way before the rest, and what the
   * spool holds stays there.
   *
   * @returns records that found no room
   */
  async putAway(unsent: readonly Portion[]): Promise<number> {
    await this.#moving;
    const blocks = unsent.flatMap(({ fromChannel }) => fromChannel);
    for (let block = this.#take(); block !== undefined; block = this.#take()) blocks.push(block);
    let lost = 0;
    for (let at = 0; at < blocks.length; at += BLOCKS_AT_A_TIME) {
      const some = blocks.slice(at, at + BLOCKS_AT_A_TIME);
      if ((await this.#append(some)) !== 'kept') lost += some.reduce((sum, { records }) => sum + records, 0);
      for (const block of some) this.#channel.giveBack(block);
    }
    return lost;
  }

  async #gather(first: ChannelBlock, bytes: number, lingerMs: number): Promise<Portion> {
    const blocks = [first];
    let gathered = first.bytes.length;
    const endMs = performance.now() + lingerMs;
    while (gathered < bytes) {
      // what goes to disk meanwhile comes before what is in the ring
      if (this.#moving !== undefined || this.#unreadRecords > 0) break;
      const block = this.#take();
      if (block === undefined) {
        const leftMs = endMs - performance.now();
        if (leftMs <= 0 || this.#channel.ended) break;
        await this.#channel.wait(Math.min(leftMs, LOOK_MS));
        continue;
      }
      blocks.push(block);
      gathered += block.bytes.length;
    }
    const records = blocks.reduce((sum, block) => sum + block.records, 0);
    return { blocks: blocks.map((block) => block.bytes), records, fromChannel: blocks, fromSpool: [] };
  }

  #take(): ChannelBlock | undefined {
    return this.#stash.shift() ?? this.#channel.next();
  }

  async #move(until: number): Promise<void> {
    while (this.#channel.filled > until) {
      const blocks: ChannelBlock[] = [];
      while (blocks.length < BLOCKS_AT_A_TIME) {
        const block = this.#take();
        if (block === undefined) break;
        blocks.push(block);
      }
      if (blocks.length === 0) return;
      if ((await this.#append(blocks)) !== 'kept') {
        this.#stash.push(...blocks);
        this.#channel.setFullReason(FullReason.spool);
        return;
      }
      for (const block of blocks) {
        this.#unreadRecords += block.records;
        this.#channel.giveBack(block);
      }
      this.#channel.setFullReason(FullReason.queue);
    }
  }

  async #append(blocks: readonly ChannelBlock[]): Promise<'kept' | 'full' | 'failed'> {
    if (this.#spool === undefined) return 'full';
    // the disk is given a copy: memory that threads share is not for it
    return this.#spool.append(blocks.map(({ bytes, records }) => ({ bytes: Buffer.from(bytes), records })));
  }
}
