import type { PacketPath } from './packet-path.ts';

/** Flows that are due are looked for so often. */
const EXPIRE_MS = 250;
/** Held packets are looked at so often while there are some: longer than a ring's block takes to be handed over. */
const RELEASE_MS = 10;
const MS_PER_SECOND = 1000;
const NANOSECONDS_PER_MS = 1_000_000;

/**
 * Does what is due by the clock on a worker's path; asks for no timer while no packet is held.
 *
 * While packets come, their time stamps say how late it is: those that still wait in a ring may be what others are
 * held for. The clock speaks only where nothing has come since it was looked at last.
 */
export class PathClock {
  readonly #path: PacketPath;
  #expire: NodeJS.Timeout | undefined;
  #release: NodeJS.Timeout | undefined;
  #quiet = true;

  constructor(path: PacketPath) {
    this.#path = path;
  }

  start(): void {
    this.#expire = setInterval(
      () => void this.#path.expire(Math.floor(Date.now() / MS_PER_SECOND)),
      EXPIRE_MS,
    );
  }

  /** To be told after each batch. */
  packetsCame(): void {
    this.#quiet = false;
    if (this.#path.heldPackets > 0) this.#release ??= setInterval(() => this.#look(), RELEASE_MS);
  }

  stop(): void {
    clearInterval(this.#expire);
    clearInterval(this.#release);
  }

  #look(): void {
    const nowMs = Date.now();
    const seconds = Math.floor(nowMs / MS_PER_SECOND);
    if (this.#quiet) void this.#path.release(seconds, (nowMs - seconds * MS_PER_SECOND) * NANOSECONDS_PER_MS);
    this.#quiet = true;
    if (this.#path.heldPackets > 0) return;
    clearInterval(this.#release);
    this.#release = undefined;
  }
}
