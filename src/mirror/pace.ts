/**
 * When packets may leave. Neither pace reads a clock or starts a timer: each call is told the time, and says for
 * which time to wait. Times are microseconds on any steady clock, the same one in all calls.
 */
export interface Pace {
  /**
   * Time at which the next packet may leave; not after `nowUs` means at once. Asking changes nothing that a
   * later question could see, so it may be asked again after a wait.
   *
   * @param seconds, nanoseconds when the packet was captured
   */
  dueUs(seconds: number, nanoseconds: number, nowUs: number): number;

  /** The packet asked about has left at `nowUs`. */
  left(nowUs: number): void;

  /** The same capture begins again: the next packet is due at once, whatever its time says. */
  restart(): void;
}

/** A sender that fell behind makes up for so much; what is more than this late is given up, not sent in a flood. */
export const BACKLOG_MAX_US = 1_000_000;
/** While it makes up for lateness, packets leave at most at so many times the rate. */
export const CATCH_UP = 2;
/** So much of the catch-up rate may leave at one instant: timers wake a sender about once a millisecond. */
const BURST_US = 1000;

/**
 * So many packets a second, evenly.
 *
 * Packet k is due k intervals after the start, so lateness of single packets does not add up. A second limit, a
 * leaky bucket at the catch-up rate, keeps what leaves after a pause from being one burst: at one instant at most
 * `CATCH_UP` milliseconds' worth, and at least one packet.
 */
export class RatePace implements Pace {
  readonly #intervalUs: number;
  #scheduledUs: number;
  /** When the bucket is empty again. */
  #emptyUs: number;

  /** @param packetsPerSecond greater than 0 */
  constructor(packetsPerSecond: number, startUs: number) {
    this.#intervalUs = 1e6 / packetsPerSecond;
    this.#scheduledUs = startUs;
    this.#emptyUs = startUs;
  }

  dueUs(_seconds: number, _nanoseconds: number, nowUs: number): number {
    const earliestUs = nowUs - BACKLOG_MAX_US;
    if (this.#scheduledUs < earliestUs) this.#scheduledUs = earliestUs;
    return Math.max(this.#scheduledUs, this.#emptyUs - BURST_US);
  }

  left(nowUs: number): void {
    this.#scheduledUs += this.#intervalUs;
    this.#emptyUs = Math.max(this.#emptyUs, nowUs) + this.#intervalUs / CATCH_UP;
  }

  restart(): void {
    // The rate goes on as if the capture were one long one.
  }
}

/** A pause in a capture is waited for, but no longer than this. */
export const GAP_MAX_US = 10_000_000;

/**
 * As the capture was taken: the distance between two packets is that of their time stamps.
 *
 * A pause longer than `GAP_MAX_US` is cut to it. A packet stamped earlier than one before it leaves at once; a
 * stamp more than `GAP_MAX_US` in the past (another file joined on) begins a new timeline.
 */
export class CapturePace implements Pace {
  #started = false;
  /** The latest stamp so far. */
  #seconds = 0;
  #nanoseconds = 0;
  /** When the packet of that stamp was due. */
  #dueUs: number;
  // what `left` is to take over from the last `dueUs`
  #nextSeconds = 0;
  #nextNanoseconds = 0;
  #nextDueUs = 0;

  constructor(startUs: number) {
    this.#dueUs = startUs;
  }

  dueUs(seconds: number, nanoseconds: number, nowUs: number): number {
    const earliestUs = nowUs - BACKLOG_MAX_US;
    const gapUs = (seconds - this.#seconds) * 1e6 + (nanoseconds - this.#nanoseconds) / 1e3;
    const isLate = this.#started && gapUs < 0 && gapUs >= -GAP_MAX_US;
    const waitUs = this.#started ? Math.min(Math.max(gapUs, 0), GAP_MAX_US) : 0;
    const dueUs = Math.max(this.#dueUs + waitUs, earliestUs);
    this.#nextSeconds = isLate ? this.#seconds : seconds;
    this.#nextNanoseconds = isLate ? this.#nanoseconds : nanoseconds;
    this.#nextDueUs = dueUs;
    return dueUs;
  }

  left(_nowUs: number): void {
    this.#started = true;
    this.#seconds = this.#nextSeconds;
    this.#nanoseconds = this.#nextNanoseconds;
    this.#dueUs = this.#nextDueUs;
  }

  restart(): void {
    this.#started = false;
  }
}
