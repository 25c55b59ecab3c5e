import { FullReason } from '../../../pipeline/channel/channel-memory.ts';
import type { ChannelBlock, ChannelReader } from '../../../pipeline/channel/channel-reader.ts';
import type { Spool, SpoolEntry } from '../spool/spool.ts';

/** Past this part of the ring its blocks go to disk, until no more than the second part is left. */
const FULL = 0.5;
const ENOUGH = 0.25;
const DONE: Promise<void> = Promise.resolve();
/** Blocks that are appended in one write. */
const BLOCKS_AT_A_TIME = 16;
/** Longest wait for a block before spool and end are looked at again. */
const LOOK_MS = 20;
/** So long before the end of a wait all that was left in the ring is taken, so that the writer hands over the rest in time. */
const LAST_MS = 40;
/** A disk that cannot be read is tried again after this. */
const RETRY_MS = 1000;

/** Blocks that are sent together. Where they lie may change while they wait: `blocks` is to be read when it is needed. */
export interface Portion {
  readonly blocks: readonly Buffer[];
  readonly records: number;
  /** Where they are: in the ring or in the spool; one of the two is empty. */
  readonly fromChannel: readonly ChannelBlock[];
  readonly fromSpool: readonly SpoolEntry[];
  /** Of its records, those that the ledger has already: written, or dropped. */
  counted: number;
}

type Movable = { -readonly [Field in keyof Portion]: Portion[Field] };

/**
 * All that waits to be sent, in the order in which it came: what is in the spool first, then what was taken out of the
 * ring and found no room there, then the ring. While the ring fills, its blocks move to the spool, and before them what is
 * under way from the ring: so nothing in the spool ever came after what is not in it.
 */
export class Backlog {
  readonly #channel: ChannelReader;
  readonly #spool: Spool | undefined;
  /** Taken out of the ring for the spool, which did not take them. */
  readonly #stash: ChannelBlock[] = [];
  /** Records in the spool that were not read. */
  #unreadRecords: number;
  readonly #onFailure: (error: unknown) => void;
  /** Portions that were handed out and are not settled, the oldest first. */
  readonly #underWay: Movable[] = [];
  #gathering = false;
  #moving: Promise<void> | undefined;

  /** @param onFailure told of each time that the disk fails; what is on it is tried again */
  constructor(
    channel: ChannelReader,
    spool: Spool | undefined,
    onFailure: (error: unknown) => void = () => {},
  ) {
    this.#channel = channel;
    this.#spool = spool;
    this.#onFailure = onFailure;
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
        const entries = await this.#read(bytes);
        if (entries === undefined) continue;
        const records = entries.reduce((sum, entry) => sum + entry.records, 0);
        // what was damaged, or too old, is not read
        this.#unreadRecords = entries.length === 0 ? 0 : Math.max(0, this.#unreadRecords - records);
        if (entries.length > 0) {
          const blocks = entries.map((entry) => entry.bytes);
          return this.#handOut({ blocks, records, fromChannel: [], fromSpool: entries, counted: 0 });
        }
      } else {
        const first = this.#take();
        if (first !== undefined) return this.#handOut(await this.#gather(first, bytes, lingerMs));
        if (this.#channel.ended) return undefined;
        await this.#channel.wait(LOOK_MS);
      }
    }
    return undefined;
  }

  /** A portion has arrived, or was given up: its memory and its place on disk are free. */
  async settle(portion: Portion): Promise<void> {
    await this.#moving;
    const { fromChannel, fromSpool } = portion;
    const index = this.#underWay.indexOf(portion);
    if (index >= 0) this.#underWay.splice(index, 1);
    for (const block of fromChannel) this.#channel.giveBack(block);
    const last = fromSpool.at(-1);
    if (last !== undefined) await this.#spool?.acknowledge(last);
  }

  /** Blocks are moving to the spool: they come faster than they are sent. */
  get isMoving(): boolean {
    return this.#moving !== undefined;
  }

  /** Moves blocks to the spool where the ring fills. To be called again and again; settles when that is done. */
  look(): Promise<void> {
    if (this.#moving !== undefined) return this.#moving;
    if (this.#spool === undefined || this.#gathering || this.#channel.filled <= FULL) return DONE;
    this.#moving = this.#move(ENOUGH).finally(() => {
      this.#moving = undefined;
    });
    return this.#moving;
  }

  /**
   * Nothing is sent any more: puts on disk what was not sent, first what was handed out and not settled. What the spool
   * holds stays there.
   *
   * @returns records that found no room, less those of them that are counted already
   */
  async putAway(): Promise<number> {
    await this.#moving;
    let lost = 0;
    for (const { fromChannel, counted } of this.#underWay.splice(0)) {
      lost += Math.max(0, (await this.#keep(fromChannel)) - counted);
    }
    for (;;) {
      const blocks = this.#takeSome(BLOCKS_AT_A_TIME);
      if (blocks.length === 0) return lost;
      lost += await this.#keep(blocks);
    }
  }

  /** Puts blocks on disk and gives them back; returns how many records found no room. */
  async #keep(blocks: readonly ChannelBlock[]): Promise<number> {
    if (blocks.length === 0) return 0;
    const isKept = (await this.#append(blocks)) === 'kept';
    for (const block of blocks) this.#channel.giveBack(block);
    return isKept ? 0 : blocks.reduce((sum, { records }) => sum + records, 0);
  }

  #takeSome(most: number): ChannelBlock[] {
    const blocks: ChannelBlock[] = [];
    while (blocks.length < most) {
      const block = this.#take();
      if (block === undefined) break;
      blocks.push(block);
    }
    return blocks;
  }

  #handOut(portion: Movable): Portion {
    this.#underWay.push(portion);
    return portion;
  }

  async #gather(first: ChannelBlock, bytes: number, lingerMs: number): Promise<Movable> {
    this.#gathering = true;
    const blocks = [first];
    let gathered = first.bytes.length;
    const endMs = performance.now() + lingerMs;
    while (gathered < bytes) {
      const isFilling = this.#channel.filled > FULL;
      // its blocks have to move to the spool, and that waits for this
      if (isFilling && this.#spool !== undefined) break;
      const spareMs = endMs - performance.now() - LAST_MS;
      if (!isFilling && spareMs > 0 && this.#isOneLeft) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(spareMs, LOOK_MS)));
        continue;
      }
      const block = this.#take();
      if (block === undefined) {
        // it may be full, and then only what is under way makes room
        if (isFilling) break;
        const leftMs = endMs - performance.now();
        if (leftMs <= 0 || this.#channel.ended) break;
        await this.#channel.wait(Math.min(leftMs, LOOK_MS));
        continue;
      }
      blocks.push(block);
      gathered += block.bytes.length;
    }
    this.#gathering = false;
    const records = blocks.reduce((sum, block) => sum + block.records, 0);
    return {
      blocks: blocks.map((block) => block.bytes),
      records,
      fromChannel: blocks,
      fromSpool: [],
      counted: 0,
    };
  }

  /**
   * One block waits. As long as it is left where it is, the writer hands over no block that is not full: many such would
   * fill the ring with little in it.
   */
  get #isOneLeft(): boolean {
    return this.#stash.length === 0 && this.#channel.waiting === 1 && !this.#channel.isClosed;
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

  #take(): ChannelBlock | undefined {
    return this.#stash.shift() ?? this.#channel.next();
  }

  async #move(until: number): Promise<void> {
    if (!(await this.#moveUnderWay())) {
      this.#channel.setFullReason(FullReason.spool);
      return;
    }
    let most = BLOCKS_AT_A_TIME;
    while (this.#channel.filled > until) {
      const blocks = this.#takeSome(most);
      if (blocks.length === 0) return;
      if ((await this.#append(blocks)) !== 'kept') {
        this.#stash.unshift(...blocks);
        if (most > 1) {
          // there may be room for one
          most = 1;
          continue;
        }
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

  /** Puts on disk what is under way from the ring; false where it finds no room. */
  async #moveUnderWay(): Promise<boolean> {
    const portions = this.#underWay.filter(({ fromChannel }) => fromChannel.length > 0);
    const all = portions.flatMap(({ fromChannel }) => fromChannel);
    if (all.length === 0) return true;
    if ((await this.#append(all)) !== 'kept') return false;
    for (const portion of portions) {
      const blocks = portion.fromChannel;
      portion.blocks = blocks.map(({ bytes }) => Buffer.from(bytes));
      // they are the next to be read: when these portions were taken, all that the spool held had been
      portion.fromSpool = await this.#readBack(blocks.length);
      portion.fromChannel = [];
      for (const block of blocks) this.#channel.giveBack(block);
    }
    return true;
  }

  async #readBack(count: number): Promise<readonly SpoolEntry[]> {
    const entries: SpoolEntry[] = [];
    while (entries.length < count) {
      const found = await this.#read(1);
      if (found === undefined) continue;
      // damaged as soon as it was written: it is sent from memory, and is not on disk
      if (found.length === 0) break;
      entries.push(...found);
    }
    return entries;
  }

  async #append(blocks: readonly ChannelBlock[]): Promise<'kept' | 'full' | 'failed'> {
    if (this.#spool === undefined) return 'full';
    // the disk is given a copy: memory that threads share is not for it
    const copies = blocks.map(({ bytes, records }) => ({ bytes: Buffer.from(bytes), records }));
    const outcome = await this.#spool.append(copies);
    if (this.#spool.failure !== undefined) this.#onFailure(this.#spool.failure);
    return outcome;
  }
}
