/** What an operator is told of a capture file that cannot be read to its end. */
import type { CaptureProblem } from '../format/capture-decoder.ts';
import { MirrorError } from '../observe/error.ts';

/**
 * `CAPTURE_DAMAGED`: what a decoder has found.
 *
 * @param name the file in the words of a message
 */
export function captureDamaged(path: string, name: string, problem: CaptureProblem): MirrorError {
  const { kind, offset, message, found, expected } = problem;
  const context = { path, offset, kind, found, expected };
  return new MirrorError('CAPTURE_DAMAGED', `${name}, byte ${offset}: ${message}`, context);
}

/** `CAPTURE_UNREADABLE`: a read at `offset` failed. */
export function unreadable(path: string, offset: number, cause: unknown): MirrorError {
  return new MirrorError('CAPTURE_UNREADABLE', `${path} cannot be read.`, { path, offset }, { cause });
}

/** `CAPTURE_UNREADABLE`: there is nothing at `offset` any more. */
export function becameShorter(path: string, offset: number): MirrorError {
  const message = `${path} became shorter while it was read.`;
  return new MirrorError('CAPTURE_UNREADABLE', message, { path, offset });
}
