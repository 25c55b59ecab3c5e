/**
 * Numbers written low byte first, as the capture files that mirrortap makes have them.
 *
 * No function here checks bounds: the caller has made room.
 */

/** Writes the low 16 bits of `value` at `at`. */
export function putU16le(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Writes the low 32 bits of `value` at `at`. */
export function putU32le(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
