/**
 * What the encoder and the decoder of pcapng both know of blocks. Every block is
 *
 *   byte 0-3  block type
 *   byte 4-7  bytes of the whole block, a multiple of 4
 *   …         body, then options: code (2 bytes), length (2 bytes), value, zeros to a multiple of 4
 *   last 4    bytes of the whole block again
 *
 * A section header, in whose byte order all up to the next one is, begins a file; then come one block an interface,
 * which gets the next number from 0 on, and packets that name their interface.
 *
 * Source: draft-ietf-opsawg-pcapng, sections 3.1 (blocks), 3.5 (options), 4.1 to 4.4, 4.6 and appendix A.
 */
export const BlockType = {
  /** Reads the same in both byte orders. */
  sectionHeader: 0x0a0d_0d0a,
  interfaceDescription: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  interfaceStatistics: 5,
  enhancedPacket: 6,
} as const;

/** Bytes 8-11 of a section header: says by its order which byte order the section is in. */
export const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;

/** The major version that is written and read; the minor one does not matter. */
export const VERSION_MAJOR = 1;

/** Type and length before the body, length after it: a block without a body. */
export const MIN_BLOCK_BYTES = 12;
/** The length after the body. */
export const TRAILER_BYTES = 4;

/** Offset of the data in an enhanced and in an obsolete packet block. */
export const PACKET_DATA = 28;
/** Offset of the data in a simple packet block. */
export const SIMPLE_DATA = 12;

export const END_OF_OPTIONS = 0;
/** Code and length before the value of an option. */
export const OPTION_HEADER_BYTES = 4;
/** Option of an interface: the unit of its time stamps, see `pcapng-time.ts`. */
export const IF_TSRESOL = 9;

/** `length` and what fills it up to a multiple of 4. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
