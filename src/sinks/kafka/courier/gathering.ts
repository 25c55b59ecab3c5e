import type { ChannelBlock, ChannelReader } from '../../../pipeline/channel/channel-reader.ts';

/** Past this part of the ring its blocks go to disk. */
export const FULL = 0.5;
/** Longest wait for a block before spool and end are looked at again. */
export const LOOK_MS = 20;
/** So long before the end of a wait all that was left in the ring is taken, so that the writer hands over the rest in time. */
const LAST_MS = 40;

export interface GatheringOptions {
  readonly channel: ChannelReader;
  /** The next block that waits, of the ring or of what was taken out of it before. */
  readonly take: () => ChannelBlock | undefined;
  /** Whether there are blocks before those in the ring. */
  readonly hasStash: () => boolean;
  /** Whether blocks go to disk where the ring fills. */
  readonly mayMove: boolean;
}

/** Waits for blocks that can be sent together. */
export class Gathering {
  readonly #channel: ChannelReader;
  readonly #take: GatheringOptions['take'];
  readonly #hasStash: GatheringOptions['hasStash'];
  readonly #mayMove: boolean;
  #isBusy = false;

  constructor({ channel, take, hasStash, mayMove }: GatheringOptions) {
    this.#channel = channel;
    this.#take = take;
    this.#hasStash = hasStash;
    this.#mayMove = mayMove;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** The first block and what comes behind it, up to so many bytes or within `lingerMs`. */
  async gather(first: ChannelBlock, bytes: number, lingerMs: number): Promise<ChannelBlock[]> {
    this.#isBusy = true;
    const blocks = [first];
    let gathered = first.bytes.length;
    const endMs = performance.now() + lingerMs;
    while (gathered < bytes) {
      const isFilling = this.#channel.filled > FULL;
      // its blocks have to move to the spool, and that waits for this
      if (isFilling && this.#mayMove) break;
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
    this.#isBusy = false;
    return blocks;
  }

  /**
   * One block waits. As long as it is left where it is, the writer hands over no block that is not full: many such would
   * fill the ring with little in it.
   */
  get #isOneLeft(): boolean {
    return !this.#hasStash() && this.#channel.waiting === 1 && !this.#channel.isClosed;
  }
}
