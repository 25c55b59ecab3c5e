/**
 * Options of pcapng blocks, and how a block ends.
 *
 * Source: draft-ietf-opsawg-pcapng, sections 3.1 and 3.5.
 */
import { putU16le, putU32le } from './little-endian.ts';
import { END_OF_OPTIONS, OPTION_HEADER_BYTES, padded, TRAILER_BYTES } from './pcapng-block.ts';

/** Option of every block: what people are to know of it. It may be there more than once. */
export const OPT_COMMENT = 1;

export const END_OF_OPTIONS_BYTES: number = OPTION_HEADER_BYTES;

/** Bytes of an option with this text; 0 without one. */
export function textOptionBytes(text: string): number {
  return text === '' ? 0 : OPTION_HEADER_BYTES + padded(Buffer.byteLength(text));
}

/** Writes code and length of an option and returns where its value goes. */
export function optionHeader(out: Buffer, at: number, code: number, length: number): number {
  putU16le(out, at, code);
  putU16le(out, at + 2, length);
  return at + OPTION_HEADER_BYTES;
}

/** Writes an option with this text and returns the offset just past it. */
export function optionText(out: Buffer, at: number, code: number, text: string): number {
  const length = out.write(text, at + OPTION_HEADER_BYTES, 'utf8');
  return putPadding(out, optionHeader(out, at, code, length) + length, length);
}

/** Ends the options and returns the offset just past them. */
export function endOptions(out: Buffer, at: number): number {
  return optionHeader(out, at, END_OF_OPTIONS, 0);
}

/** Fills the bytes after `length` bytes of data with zeros up to the next multiple of 4. */
function putPadding(out: Buffer, at: number, length: number): number {
  const end = at + padded(length) - length;
  for (let i = at; i < end; i++) out[i] = 0;
  return end;
}

/** Writes the length of the block that began at `at` before and after its body. */
export function endBlock(out: Buffer, at: number, bodyEnd: number): number {
  const length = bodyEnd + TRAILER_BYTES - at;
  putU32le(out, at + 4, length);
  putU32le(out, bodyEnd, length);
  return bodyEnd + TRAILER_BYTES;
}
