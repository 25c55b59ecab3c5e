import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Pace } from '../../mirror/pace.ts';
import type { MirrorSender } from '../../mirror/sender.ts';
import type { PacketBatch } from '../../packet/batch.ts';
import type { UdpOut } from '../../sinks/udp-out.ts';

/** Timers count in milliseconds: a shorter wait is made one of them, and what was due meanwhile leaves together. */
const WAIT_MIN_MS = 1;

/**
 * Takes batches from a capture and lets each frame go when its time has come. The clock and the timers of sending
 * are here; when a frame is due is `mirror/pace.ts`'s to say.
 */
export class PacedSender {
  readonly #sender: MirrorSender;
  readonly #out: UdpOut;
  readonly #pace: Pace | undefined;
  readonly #stopping: AbortSignal;
  /** Largest UDP payload that leaves in one piece. */
  readonly #payloadMax: number;
  #nowUs = clockUs();

  /** Datagrams longer than that. */
  fragmented = 0;
  /** Capture times of the first and the last frame: seconds and nanoseconds; `seconds` -1 before there is one. */
  readonly first = { seconds: -1, nanoseconds: 0 };
  readonly last = { seconds: -1, nanoseconds: 0 };

  /** @param pace left out: as fast as it goes */
  constructor(
    sender: MirrorSender,
    out: UdpOut,
    pace: Pace | undefined,
    payloadMax: number,
    stopping: AbortSignal,
  ) {
    this.#sender = sender;
    this.#out = out;
    this.#pace = pace;
    this.#payloadMax = payloadMax;
    this.#stopping = stopping;
  }

  /** Sends the batch's frames; settles when the batch may be reused. Ends early once the run is to stop. */
  async send(batch: PacketBatch): Promise<void> {
    for (let slot = 0; slot < batch.count; slot++) {
      if (this.#isEarly(batch, slot)) await this.#due(batch, slot);
      if (this.#stopping.aborted) break;
      this.#note(batch, slot);
      this.#pace?.left(this.#nowUs);

      const at = batch.at[slot] ?? 0;
      const end = batch.end[slot] ?? 0;
      if (!this.#sender.accept(end - at, batch.linkType[slot] ?? 0)) continue;
      const len = this.#sender.datagramLen(end - at);
      let outAt = this.#out.reserve(len);
      if (outAt < 0) {
        await this.#settle();
        outAt = this.#out.reserve(len);
      }
      if (len > this.#payloadMax) this.fragmented++;
      const outEnd = this.#sender.mirror(batch.bytes, at, end, this.#out.block, outAt);
      this.#out.send(outAt, outEnd, this.#sender.hash);
    }
    await this.#settle();
  }

  /** Looks at the clock only when the time last read is not late enough. */
  #isEarly(batch: PacketBatch, slot: number): boolean {
    if (this.#pace === undefined || this.#dueUs(batch, slot) <= this.#nowUs) return false;
    this.#nowUs = clockUs();
    return this.#dueUs(batch, slot) > this.#nowUs;
  }

  async #due(batch: PacketBatch, slot: number): Promise<void> {
    for (;;) {
      const waitUs = this.#dueUs(batch, slot) - this.#nowUs;
      if (waitUs <= 0 || this.#stopping.aborted) return;
      await this.#sleep(Math.max(WAIT_MIN_MS, Math.floor(waitUs / 1000)));
      await this.#out.settled();
      this.#nowUs = clockUs();
    }
  }

  #dueUs(batch: PacketBatch, slot: number): number {
    return this.#pace?.dueUs(batch.seconds[slot] ?? 0, batch.nanoseconds[slot] ?? 0, this.#nowUs) ?? 0;
  }

  async #sleep(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#stopping });
    } catch {
      // The run is to stop: the caller sees it.
    }
  }

  /** The turn of the event loop lets signals and messages from the network in, however fast sending goes. */
  async #settle(): Promise<void> {
    await this.#out.settled();
    await nextTurn();
  }

  #note(batch: PacketBatch, slot: number): void {
    this.last.seconds = batch.seconds[slot] ?? 0;
    this.last.nanoseconds = batch.nanoseconds[slot] ?? 0;
    if (this.first.seconds >= 0) return;
    this.first.seconds = this.last.seconds;
    this.first.nanoseconds = this.last.nanoseconds;
  }
}

/** Microseconds on the process's steady clock. */
export function clockUs(): number {
  return performance.now() * 1000;
}
