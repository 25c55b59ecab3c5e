import { loadNative } from '../../native/library.ts';
import { viewMemory } from '../../native/memory.ts';
import { MirrorError } from '../../observe/error.ts';
import type { Deliver, Input } from '../../pipeline/input.ts';
import { Deliveries } from '../deliveries.ts';
import type { RingHandle } from './ring-handle.ts';
import { RingReader } from './ring-reader.ts';
import { newWakeWord, Slumber } from './slumber.ts';

/** Most batches of one ring before the others have their turn. */
const BATCHES_A_TURN = 4;
/** Empty rings are looked at again after so long, or after `retireMs` where that is shorter. */
const QUIET_WAIT_MS = 8;
/** The same when a block is due soon. */
const SOON_WAIT_MS = 1;
/** After so long without a packet a worker would rather sleep. */
const DROWSY_MS = 500;
/** A small ring is looked at more often: the fastest link fills not more blocks in this time. */
const BLOCKS_A_MS = 16;
/** Closing goes on until there was nothing for so long, and longer where a block is being filled. */
const LAST_QUIET_MS = 10;
/** Closing reads what the kernel still holds, but no longer than this: the sender may never stop. */
const LAST_READ_MS = 1000;

export interface RingOptions {
  /** Rings of one worker, open; they stay open. */
  readonly rings: readonly RingHandle[];
  /** The memory of a ring; the real one, unless a test has another. */
  readonly view?: (ring: RingHandle) => Buffer;
}

/**
 * Receives packets where the kernel puts them: in rings of blocks that it shares with the process, each packet with its
 * IP header and the time of its arrival. Linux only. Nothing is copied, and no system call is made.
 *
 * A block is the sinks' until they have given back all its batches: sinks that are slow for longer than the ring is
 * large make the kernel drop packets, and count them.
 *
 * Nobody waits in the kernel: the event loop looks at the status word of the next block, every few milliseconds while
 * packets come, and hardly ever while it has been promised to be called. A thread that dies leaves the
 * rings as they are; the next one returns to the kernel what the dead one held, and goes on behind it.
 */
export class RingInput implements Input {
  readonly #options: RingOptions;
  readonly #retireMs: number;
  readonly #quietWaitMs: number;
  readonly #slumber: Slumber;
  #readers: readonly RingReader[] = [];
  readonly #deliveries = new Deliveries();
  /** When a packet was last read, or closing began. */
  #busyMs = 0;
  /** When closing ends at the latest. */
  #closeByMs = Number.POSITIVE_INFINITY;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(options: RingOptions) {
    this.#options = options;
    this.#retireMs = Math.max(1, ...options.rings.map(({ retireMs }) => retireMs));
    this.#slumber = new Slumber(options.rings[0]?.wake ?? newWakeWord());
    const blocks = Math.min(...options.rings.map((ring) => ring.blocks));
    this.#quietWaitMs = Math.min(QUIET_WAIT_MS, this.#retireMs, Math.max(1, blocks / BLOCKS_A_MS));
  }

  async open(): Promise<void> {
    const { rings, view } = this.#options;
    const missing = view === undefined ? await loadNative() : undefined;
    if (missing !== undefined) throw new MirrorError('NATIVE_UNAVAILABLE', missing, { mode: 'ring' });
    if (this.#closing !== undefined) return;
    this.#readers = rings.map((ring) => new RingReader(ring, (view ?? mapped)(ring)));
  }

  run(deliver: Deliver): Promise<void> {
    const ended = this.#deliveries.begin(deliver);
    this.#busyMs = performance.now();
    if (this.#closing === undefined) setImmediate(this.#turn);
    return ended;
  }

  /** Settles when nothing more is taken in: what the kernel is just filling comes, too. */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    this.#closing = Promise.withResolvers();
    this.#busyMs = performance.now();
    this.#closeByMs = this.#busyMs + LAST_READ_MS + this.#retireMs;
    if (!this.#deliveries.hasBegun) this.#close();
    this.#slumber.end();
    return this.#closing.promise;
  }

  /** Reads what is ready, a part of each ring at a time, and sets the date of the next look. */
  readonly #turn = (): void => {
    const { isPromised } = this.#slumber;
    let hasRead = false;
    for (const reader of this.#readers) hasRead = this.#read(reader) || hasRead;
    if (hasRead) this.#busyMs = performance.now();
    if (hasRead && this.#busyMs >= this.#closeByMs) this.#close();
    else if (this.#readers.some((reader) => reader.isReady)) setImmediate(this.#turn);
    else this.#wait(isPromised);
  };

  #read(reader: RingReader): boolean {
    let batches = 0;
    for (; batches < BATCHES_A_TURN; batches++) {
      const taken = reader.take();
      if (taken === undefined) break;
      this.#deliveries.send(taken.batch, () => reader.give(taken));
    }
    return batches > 0;
  }

  /**
   * Nothing is ready.
   *
   * @param isPromised it was known before that look that the next packet will call
   */
  #wait(isPromised: boolean): void {
    const isFilling = this.#readers.some((reader) => reader.isFilling);
    const idleMs = performance.now() - this.#busyMs;
    if (this.#closing !== undefined) {
      if (idleMs < LAST_QUIET_MS + (isFilling ? this.#retireMs : 0)) setTimeout(this.#turn, SOON_WAIT_MS);
      else this.#close();
    } else if (isFilling || idleMs < DROWSY_MS) {
      this.#slumber.stayAwake();
      setTimeout(this.#turn, this.#waitMs(isFilling, idleMs));
    } else if (isPromised) {
      void this.#slumber.sleep().then(this.#turn);
    } else {
      this.#slumber.ask();
      setTimeout(this.#turn, this.#quietWaitMs);
    }
  }

  /**
   * A block that has begun to fill is ready `retireMs` after the last one at the latest, as long as packets come; its
   * moment is waited for in small steps.
   */
  #waitMs(isFilling: boolean, idleMs: number): number {
    if (!isFilling) return this.#quietWaitMs;
    // a timer counts from when its turn began: one that comes a little too soon would have to be set again
    return Math.min(Math.max(this.#retireMs + 1 - idleMs, SOON_WAIT_MS), this.#quietWaitMs + 1);
  }

  #close(): void {
    this.#closing?.resolve();
    this.#deliveries.end();
  }
}

function mapped({ address, blockBytes, blocks }: RingHandle): Buffer {
  return viewMemory(address, blockBytes * blocks);
}
