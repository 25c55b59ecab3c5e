import { putEpochNanoseconds, EPOCH_NANOSECONDS_BYTES_MAX } from '../../../format/epoch-nanoseconds.ts';

const SLAB_BYTES = 65_536;

/** Texts of times. They share large pieces of memory, each of which is free when the last text in it is. */
export class TimeTexts {
  #slab = Buffer.alloc(0);
  #at = 0;

  /** Nanoseconds since the epoch in decimal digits. */
  of(seconds: number, nanoseconds: number): Buffer {
    if (this.#at + EPOCH_NANOSECONDS_BYTES_MAX > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at = putEpochNanoseconds(this.#slab, at, seconds, nanoseconds);
    return this.#slab.subarray(at, this.#at);
  }
}
