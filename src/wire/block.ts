/** A piece of memory twice: as bytes, and as a view of the same offsets for numbers of more than one byte. */
export interface Block {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Both sides of a buffer. Once a buffer, never once a packet: it makes a view. */
export function blockOf(bytes: Buffer): Block {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
