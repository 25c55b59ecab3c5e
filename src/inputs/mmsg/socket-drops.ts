import { level, memoryInfo, socketOption } from '../../native/constants.ts';
import { getOption } from '../../native/socket.ts';
import { type SocketHandle, SocketState } from './socket-handle.ts';

/** A count that is further behind than this is an old one that came late, and not one that has wrapped. */
const HALF = 0x8000_0000;

/** Follows a counter of 32 bits that wraps, from several reports of it of which some are older than others. */
export class WrappingCount {
  /** All that was counted since the beginning; never less than before. */
  total = 0;
  #last: number;

  /** @param start the counter at the beginning, 0 .. 2^32 - 1 */
  constructor(start: number) {
    this.#last = start;
  }

  /** @param count a report, 0 .. 2^32 - 1 */
  see(count: number): void {
    const ahead = (count - this.#last) >>> 0;
    if (ahead >= HALF) return;
    this.total += ahead;
    this.#last = count;
  }
}

/**
 * Packets that the kernel dropped for one socket since it was opened: its receive buffer was full, or a checksum wrong.
 *
 * The kernel tells its count with datagrams (SO_RXQ_OVFL), which says nothing of drops after the last of them; asked
 * for it (SO_MEMINFO, since Linux 4.12), it tells what it is now.
 */
export class SocketDrops {
  readonly #descriptor: number;
  readonly #state: Uint32Array;
  readonly #words = new Uint32Array(memoryInfo.SK_MEMINFO_VARS);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  readonly #count: WrappingCount;

  constructor({ descriptor, state }: SocketHandle) {
    this.#descriptor = descriptor;
    this.#state = new Uint32Array(state);
    this.#count = new WrappingCount(this.#ask());
  }

  /** @throws MirrorError `SYSTEM_CALL_FAILED` */
  look(): number {
    this.#count.see(Atomics.load(this.#state, SocketState.drops));
    this.#count.see(this.#ask());
    return this.#count.total;
  }

  #ask(): number {
    getOption(this.#descriptor, level.SOL_SOCKET, socketOption.SO_MEMINFO, this.#bytes);
    return this.#words[memoryInfo.SK_MEMINFO_DROPS] ?? 0;
  }
}
