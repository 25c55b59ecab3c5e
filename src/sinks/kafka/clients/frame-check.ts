/** Largest answer: a library keeps it in memory until it is complete. Facts about 10,000 partitions are below 1 MB. */
export const MAX_ANSWER_BYTES = 33_554_432;

const LENGTH_LEN = 4;
/** An answer begins with the number of its request. */
const SHORTEST = 4;

/**
 * Follows the frames of answers: four bytes of length, big-endian, and so many bytes. Other protocols show in the
 * first length already: text is past every limit, and so is a record of TLS.
 */
export class FrameCheck {
  /** Bytes of the present frame that are still to come. */
  #left = 0;
  #length = 0;
  #lengthBytes = 0;

  /** Undefined, or what is wrong. */
  look(bytes: Uint8Array): string | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      this.#length = (this.#length << 8) | (bytes[at++] ?? 0);
      if (++this.#lengthBytes < LENGTH_LEN) continue;
      if (this.#length < SHORTEST || this.#length > MAX_ANSWER_BYTES) return this.#describe();
      this.#left = this.#length;
      this.#length = 0;
      this.#lengthBytes = 0;
    }
    return undefined;
  }

  #describe(): string {
    const start = Buffer.alloc(LENGTH_LEN);
    start.writeInt32BE(this.#length);
    // TLS: type of record 20 to 23, version 3.x.
    const isTls = (start[0] ?? 0) >= 20 && (start[0] ?? 0) <= 23 && start[1] === 3;
    const what = isTls ? 'it speaks TLS' : `it begins with the bytes ${start.toString('hex')}`;
    return `The answer is not Kafka: ${what}.`;
  }
}
