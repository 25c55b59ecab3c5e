/** What can be wrong with a pcapng block. `offset` is that of the block in the stream. */
import type { CaptureProblem } from './capture-decoder.ts';
import { MAX_INTERFACES, MAX_RECORD_BYTES } from './limits.ts';
import { VERSION_MAJOR } from './pcapng-block.ts';

export function noSection(offset: number, type: number): CaptureProblem {
  return damaged(offset, 'The capture does not begin with a section.', type, 'a section header');
}

export function badMagic(offset: number, magic: number): CaptureProblem {
  return damaged(offset, 'A section header has no byte-order magic.', magic, '0x1a2b3c4d');
}

export function badVersion(offset: number, major: number): CaptureProblem {
  return unsupported(offset, `This is pcapng version ${major}`, major, `version ${VERSION_MAJOR}`);
}

export function badLength(offset: number, length: number): CaptureProblem {
  const expected = 'a multiple of 4 that holds what its kind must have';
  return damaged(offset, `A block says that it has ${length} bytes.`, length, expected);
}

export function tooLong(offset: number, length: number): CaptureProblem {
  const expected = `at most ${MAX_RECORD_BYTES} bytes`;
  return damaged(offset, 'A block is longer than its kind can be.', length, expected);
}

export function badTrailer(offset: number, trailer: number, length: number): CaptureProblem {
  return damaged(offset, 'A block ends in another length than it begins with.', trailer, String(length));
}

export function badOption(offset: number, length: number): CaptureProblem {
  return damaged(offset, 'An option runs past its block.', length, 'options that fit in the block');
}

export function tooManyInterfaces(offset: number): CaptureProblem {
  const message = `A section has more than ${MAX_INTERFACES} interfaces`;
  return unsupported(offset, message, MAX_INTERFACES + 1, `at most ${MAX_INTERFACES} interfaces`);
}

export function noInterface(offset: number, id: number, count: number): CaptureProblem {
  const message = `A packet belongs to interface ${id}, which no block describes.`;
  return damaged(offset, message, id, `less than ${count}`);
}

export function tooMuchData(offset: number, kept: number, room: number): CaptureProblem {
  return damaged(offset, `A packet block promises ${kept} bytes of data.`, kept, `at most ${room} bytes`);
}

function damaged(offset: number, message: string, found: number, expected: string): CaptureProblem {
  return { kind: 'damaged', offset, message, found, expected };
}

function unsupported(offset: number, what: string, found: number, expected: string): CaptureProblem {
  return { kind: 'unsupported', offset, message: `${what}, which is not read.`, found, expected };
}
