const SLAB_BYTES = 65_536;

/**
 * Memory for many small buffers: views of large pieces, each of which is free when the last view of it is. A third of the work
 * of a buffer with memory of its own, of which the garbage collector would do most.
 */
export class Arena {
  /** The piece that is written to. */
  bytes: Buffer = Buffer.alloc(0);
  /** Pieces that were begun. */
  slabs = 0;
  #at = 0;

  /** Makes room for so many bytes, at most 65,536, and returns where in `bytes` they begin. */
  reserve(bytes: number): number {
    if (this.#at + bytes > this.bytes.length) {
      this.bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#at = 0;
      this.slabs++;
    }
    return this.#at;
  }

  /** The buffer that was written from `at`, which `reserve` returned, to `end`. */
  take(at: number, end: number): Buffer {
    this.#at = end;
    return this.bytes.subarray(at, end);
  }
}
