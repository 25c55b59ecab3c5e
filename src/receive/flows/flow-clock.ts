/** Packets that are so much behind the latest one are not just out of order, seconds. */
const BEHIND_SECONDS = 60;
/** So many of them in a row: time has gone back, as between two captures that were given in the wrong order. */
const BEHIND_PACKETS = 1024;

/**
 * The time by which flows end: it never runs backwards, whatever the times of packets say.
 *
 * A time stamp from the future carries it along. Where the times of packets go back for good, it stands still for
 * BEHIND_PACKETS packets and then runs on at their pace: `offset` is what it is ahead of them.
 */
export class FlowClock {
  /** Seconds. */
  now = 0;
  /** Seconds to add to the time of a packet; 0 as long as times do not go back. */
  offset = 0;
  /**
   * The time by which the flow of the last packet is judged, as packets tell it: that of the latest packet so far, or its own
   * where that is far behind.
   */
  packetTime = 0;
  #behind = 0;

  /** A packet of this time came. */
  tick(seconds: number): void {
    const now = seconds + this.offset;
    if (now > this.now) {
      this.now = now;
    } else if (now < this.now - BEHIND_SECONDS) {
      this.#fallBehind(seconds);
      return;
    }
    if (this.#behind !== 0) this.#behind = 0;
    this.packetTime = this.now - this.offset;
  }

  /** It is this late, with packets or without. */
  reach(seconds: number): void {
    const now = seconds + this.offset;
    if (now > this.now) this.now = now;
  }

  #fallBehind(seconds: number): void {
    this.packetTime = seconds;
    this.#behind++;
    if (this.#behind < BEHIND_PACKETS) return;
    this.offset = this.now - seconds;
    this.#behind = 0;
  }
}
