import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { asyncProperty, assert, boolean, constantFrom, integer } from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import {
  CHUNK_STATE_LENGTH,
  type ChunkedFile,
  ChunkReader,
  openChunked,
} from '../../../src/inputs/capture-chunk.ts';
import { CaptureFileInput } from '../../../src/inputs/capture-file.ts';
import { describeError } from '../../../src/observe/describe-error.ts';
import {
  block,
  enhancedPacket,
  interfaceBytes,
  obsoletePacket,
  option,
  pcapHeader,
  pcapRecord,
  sectionBlock,
  simplePacket,
} from '../../support/capture-bytes.ts';
import { packetsOf, type PacketSeen } from '../../support/decoding.ts';
import { runInput } from '../../support/input-run.ts';
import { requires } from '../../support/requires.ts';
import { mutated, Seeded } from '../../support/seeded.ts';

const folder = mkdtempSync(join(tmpdir(), 'mirrortap-chunks-'));
const path = join(folder, 'capture');
const data = Buffer.from('0102030405060708090a0b0c0d0e0f1011121314', 'hex');

beforeEach(() => rmSync(path, { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

interface Seen {
  readonly packets: readonly PacketSeen[];
  readonly error: string | undefined;
}

/** Reads a file in chunks, each with a reader of its own that knows of the others only by what they handed on. */
function readInChunks(file: ChunkedFile, chunkBytes: number, beforeRead: () => void = () => {}): Seen {
  const state = new Float64Array(CHUNK_STATE_LENGTH);
  const packets: PacketSeen[] = [];
  const errors: string[] = [];
  for (let from = 0; from < file.totalBytes; from += chunkBytes) {
    const chunk = { ...file, from, to: Math.min(from + chunkBytes, file.totalBytes) };
    const reader = new ChunkReader(chunkBytes);
    beforeRead();
    reader.read(chunk);
    const error = reader.decode(chunk, state);
    if (error !== undefined) errors.push(describeError(error));
    for (const batch of reader.batches.slice(0, reader.batchCount)) packets.push(...packetsOf(batch));
  }
  expect(errors.length).toBeLessThanOrEqual(1);
  return { packets, error: errors[0] };
}

function opened(): ChunkedFile {
  const file = openChunked(path);
  if (file === undefined) throw new Error('This file is not read in chunks.');
  return file;
}

function seenInChunks(chunkBytes: number, beforeRead?: () => void): Seen {
  const file = opened();
  try {
    return readInChunks(file, chunkBytes, beforeRead);
  } finally {
    closeSync(file.descriptor);
  }
}

async function seenAtOnce(): Promise<Seen> {
  const { packets, error } = await runInput(new CaptureFileInput({ path }));
  return { packets, error: error === undefined ? undefined : describeError(error) };
}

function pcapOf(littleEndian: boolean): Buffer {
  const records = Array.from({ length: 12 }, (_, index) =>
    pcapRecord(littleEndian, { seconds: index, fraction: index, data: data.subarray(index) }),
  );
  return Buffer.concat([pcapHeader({ littleEndian, nanoseconds: littleEndian, linkType: 1 }), ...records]);
}

function pcapngOf(littleEndian: boolean): Buffer {
  return Buffer.concat([
    sectionBlock(littleEndian, option(littleEndian, 1, data)),
    interfaceBytes(littleEndian, { resolution: 9, snapLength: 15 }),
    interfaceBytes(littleEndian, { resolution: 0xa4, offsetSeconds: -5n, linkType: 101 }),
    enhancedPacket(littleEndian, { time: 1n << 60n, data }),
    enhancedPacket(littleEndian, { interfaceId: 1, time: (1n << 63n) + 12_345n, data }),
    simplePacket(littleEndian, data.subarray(0, 15), 20),
    block(littleEndian, 5, data, data, data, data),
    obsoletePacket(littleEndian, { interfaceId: 1, time: 77n, data }, 3),
    enhancedPacket(littleEndian, { data: data.subarray(0, 7) }),
  ]);
}

const captures: Readonly<Record<string, Buffer>> = {
  'pcap, little-endian': pcapOf(true),
  'pcap, big-endian': pcapOf(false),
  'pcapng, little-endian': pcapngOf(true),
  'pcapng of three sections': Buffer.concat([pcapngOf(false), pcapngOf(true), pcapngOf(false)]),
};

test.each(Object.entries(captures))('%s: chunks of every size give the same', async (_name, bytes) => {
  writeFileSync(path, bytes);
  const atOnce = await seenAtOnce();
  expect(atOnce.packets.length).toBeGreaterThan(4);
  for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++)
    expect(seenInChunks(chunkBytes), `${chunkBytes} bytes`).toEqual(atOnce);
});

test('a damaged file gives the same packets and the same error, wherever chunks end', async () => {
  const damaged = asyncProperty(
    constantFrom(...Object.values(captures)),
    integer(),
    integer({ min: 1, max: 300 }),
    boolean(),
    async (bytes, seed, chunkBytes, isCut) => {
      const random = new Seeded(seed);
      const stream = isCut ? bytes.subarray(0, random.below(bytes.length)) : mutated(random, bytes);
      writeFileSync(path, stream);
      const file = openChunked(path);
      if (file === undefined) return;
      closeSync(file.descriptor);
      expect(seenInChunks(chunkBytes)).toEqual(await seenAtOnce());
    },
  );
  await assert(damaged, { numRuns: 400 });
}, 120_000);

test('a chunk of more packets than a batch holds', async () => {
  const record = pcapRecord(true, { seconds: 1, fraction: 2, data: data.subarray(0, 1) });
  const header = pcapHeader({ littleEndian: true, nanoseconds: true, linkType: 1 });
  writeFileSync(path, Buffer.concat([header, ...Array.from({ length: 20_000 }, () => record)]));
  const atOnce = await seenAtOnce();
  expect(atOnce.packets.length).toBe(20_000);
  expect(seenInChunks(1_000_000)).toEqual(atOnce);
  expect(seenInChunks(300_000)).toEqual(atOnce);
});

test('a file that has grown inside its last record is not damaged', () => {
  const bytes = pcapOf(true);
  writeFileSync(path, bytes.subarray(0, bytes.length - 3));
  const file = opened();
  appendFileSync(path, bytes.subarray(bytes.length - 3));
  const { packets, error } = readInChunks(file, 64);
  closeSync(file.descriptor);
  expect([packets.length, error]).toEqual([11, undefined]);
});

test('a file that becomes shorter gives what is left of it, and an error', () => {
  writeFileSync(path, pcapOf(true));
  let reads = 0;
  const { packets, error } = seenInChunks(100, () => {
    if (++reads === 2) truncateSync(path, 150);
  });
  expect(packets.length).toBe(3);
  expect(error).toMatch(/became shorter while it was read.*CAPTURE_UNREADABLE[^]*offset: 150/);
});

test('a file that cannot be read is an error with the offset', () => {
  writeFileSync(path, pcapOf(true));
  const file = opened();
  closeSync(file.descriptor);
  const unreadable = openSync(folder, 'r');
  const { packets, error } = readInChunks({ ...file, descriptor: unreadable }, 100);
  closeSync(unreadable);
  expect(packets).toEqual([]);
  expect(error).toMatch(/cannot be read.*CAPTURE_UNREADABLE[^]*offset: 0[^]*EISDIR/);
});

test('a file may be ended where nothing is wrong: no packet follows', () => {
  writeFileSync(path, pcapOf(true));
  const file = opened();
  const state = new Float64Array(CHUNK_STATE_LENGTH);
  const reader = new ChunkReader(100);
  reader.end(state);
  const chunk = { ...file, from: 100, to: 200 };
  reader.read(chunk);
  expect(reader.decode(chunk, state)).toBe(undefined);
  expect(reader.batchCount).toBe(0);
  closeSync(file.descriptor);
});

test.each([
  ['compressed', gzipSync(pcapOf(true))],
  ['empty', Buffer.alloc(0)],
  ['no capture', Buffer.from('a few words')],
])('%s: not read in chunks', (_name, bytes) => {
  writeFileSync(path, bytes);
  expect(openChunked(path)).toBe(undefined);
});

test.skipIf(!requires('mkfifo'))('neither are a folder, a pipe, and what is not there', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect([folder, pipe, path].map((name) => openChunked(name))).toEqual([undefined, undefined, undefined]);
});
