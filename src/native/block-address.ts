import type { RdKafka } from './rdkafka.ts';

/** No bytes lie anywhere but at NULL, which would be a record without a value instead of one with an empty value. */
const NO_BYTES_AT = 1;

/**
 * Remembers the address of one block of memory and keeps it alive: most values of a batch lie in the same block, and asking
 * for an address costs a call.
 */
export class BlockAddress {
  #block: ArrayBufferLike | undefined;
  #at = 0;

  of(bytes: Uint8Array, library: RdKafka): number {
    if (bytes.length === 0) return NO_BYTES_AT;
    const block = bytes.buffer;
    if (block !== this.#block) {
      this.#block = block;
      this.#at = Number(library.address(bytes)) - bytes.byteOffset;
    }
    return this.#at + bytes.byteOffset;
  }
}
