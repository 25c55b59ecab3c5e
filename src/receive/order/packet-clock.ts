/** A step back in the time of packets up to this is the order in which they came; a longer one is another clock. */
const STEP_BACK_US = 1_000_000;

/**
 * How much time has passed, told from the times of packets: it never runs backwards. Where packets are older than those
 * before them it stands still, until a clock that was put back has been noticed.
 */
export class PacketClock {
  /** Now, and the time of the last packet that moved it, µs. */
  readonly #times = new Float64Array(2);

  get nowUs(): number {
    return this.#times[0]!;
  }

  /** A packet of this time has come, or this time has. */
  advance(seconds: number, nanoseconds: number): void {
    const times = this.#times;
    const timeUs = seconds * 1e6 + nanoseconds / 1000;
    const passedUs = timeUs - times[1]!;
    if (passedUs >= 0) {
      times[0]! += passedUs;
      times[1] = timeUs;
    } else if (passedUs < -STEP_BACK_US) {
      times[1] = timeUs;
    }
  }
}
