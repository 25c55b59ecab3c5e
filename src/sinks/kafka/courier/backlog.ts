import { FullReason } from '../../../pipeline/channel/channel-memory.ts';
import type { ChannelBlock, ChannelReader } from '../../../pipeline/channel/channel-reader.ts';
import type { Spool, SpoolEntry } from '../spool/spool.ts';
import { FULL, Gathering, LOOK_MS } from './gathering.ts';
import { SpoolSide } from './spool-side.ts';

/** Blocks of the ring go to disk until no more than this part is left. */
const ENOUGH = 0.25;
const DONE: Promise<void> = Promise.resolve();
/** Blocks that are appended in one write. */
const BLOCKS_AT_A_TIME = 16;

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
  readonly #spool: SpoolSide;
  readonly #gathering: Gathering;
  /** Taken out of the ring for the spool, which did not take them. */
  readonly #stash: ChannelBlock[] = [];
  /** Portions that were handed out and are not settled, the oldest first. */
  readonly #underWay: Movable[] = [];
  #moving: Promise<void> | undefined;

  /** @param onFailure told of each time that the disk fails; what is on it is tried again */
  constructor(
    channel: ChannelReader,
    spool: Spool | undefined,
    onFailure: (error: unknown) => void = () => {},
  ) {
    this.#channel = channel;
    this.#spool = new SpoolSide(spool, onFailure);
    this.#gathering = new Gathering({
      channel,
      take: () => this.#take(),
      hasStash: () => this.#stash.length > 0,
      mayMove: spool !== undefined,
    });
  }

  /**
   * The next blocks: as many as there are, up to so many bytes, and what comes within `lingerMs`. Undefined once nothing
   * more will come, or `isEnded` says so.
   */
  async next(bytes: number, lingerMs: number, isEnded: () => boolean): Promise<Portion | undefined> {
    while (!isEnded()) {
      if (this.#moving !== undefined) await this.#moving;
      else if (this.#spool.isToRead) {
        const entries = (await this.#spool.next(bytes)) ?? [];
        if (entries.length > 0) return this.#handOut([], entries);
      } else {
        const first = this.#take();
        if (first !== undefined)
          return this.#handOut(await this.#gathering.gather(first, bytes, lingerMs), []);
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
    if (last !== undefined) await this.#spool.acknowledge(last);
  }

  /** Nothing is sent any more: a disk that cannot be read is not waited for. */
  end(): void {
    this.#spool.end();
  }

  /** Blocks are moving to the spool: they come faster than they are sent. */
  get isMoving(): boolean {
    return this.#moving !== undefined;
  }

  /** Moves blocks to the spool where the ring fills. To be called again and again; settles when that is done. */
  look(): Promise<void> {
    if (this.#moving !== undefined) return this.#moving;
    if (!this.#spool.isThere || this.#gathering.isBusy || this.#channel.filled <= FULL) return DONE;
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
    const isKept = (await this.#spool.append(blocks)) === 'kept';
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

  #handOut(fromChannel: readonly ChannelBlock[], fromSpool: readonly SpoolEntry[]): Portion {
    // one of the two is empty
    const parts = [...fromChannel, ...fromSpool];
    const portion: Movable = {
      blocks: parts.map(({ bytes }) => bytes),
      records: parts.reduce((sum, { records }) => sum + records, 0),
      fromChannel,
      fromSpool,
      counted: 0,
    };
    this.#underWay.push(portion);
    return portion;
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
      if ((await this.#spool.append(blocks)) !== 'kept') {
        this.#stash.unshift(...blocks);
        if (most > 1) {
          // there may be room for one
          most = 1;
          continue;
        }
        this.#channel.setFullReason(FullReason.spool);
        return;
      }
      this.#spool.toRead(blocks);
      for (const block of blocks) this.#channel.giveBack(block);
      this.#channel.setFullReason(FullReason.queue);
    }
  }

  /** Puts on disk what is under way from the ring; false where it finds no room. */
  async #moveUnderWay(): Promise<boolean> {
    const portions = this.#underWay.filter(({ fromChannel }) => fromChannel.length > 0);
    const all = portions.flatMap(({ fromChannel }) => fromChannel);
    if (all.length === 0) return true;
    if ((await this.#spool.append(all)) !== 'kept') return false;
    for (const portion of portions) {
      const blocks = portion.fromChannel;
      portion.blocks = blocks.map(({ bytes }) => Buffer.from(bytes));
      // they are the next to be read: when these portions were taken, all that the spool held had been
      portion.fromSpool = await this.#spool.readBack(blocks.length);
      portion.fromChannel = [];
      for (const block of blocks) this.#channel.giveBack(block);
    }
    return true;
  }
}
