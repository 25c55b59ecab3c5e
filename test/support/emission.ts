import { expect } from 'vitest';

const MARGIN = 24;

/**
 * What `emit` wrote at `at`, after making sure that it returned the offset just past it, wrote all `len` bytes
 * and touched nothing else: done twice over different fillings, the result has to be the same.
 */
export function emission(
  len: number,
  at: number,
  emit: (bytes: Uint8Array, at: number) => number,
): Uint8Array {
  const first = emitOver(0xa5, len, at, emit);
  expect(emitOver(0x5a, len, at, emit)).toEqual(first);
  return first;
}

function emitOver(
  filling: number,
  len: number,
  at: number,
  emit: (bytes: Uint8Array, at: number) => number,
): Uint8Array {
  const bytes = new Uint8Array(at + len + MARGIN).fill(filling);
  expect(emit(bytes, at)).toBe(at + len);
  expect(bytes.subarray(0, at).every((byte) => byte === filling)).toBe(true);
  expect(bytes.subarray(at + len).every((byte) => byte === filling)).toBe(true);
  return bytes.slice(at, at + len);
}
