import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { detectFormat, makeDecoder } from '../../src/format/detect.ts';
import { MAX_RECORD_BYTES } from '../../src/format/limits.ts';
import { CaptureFileInput } from '../../src/inputs/capture-file.ts';
import { MirrorError } from '../../src/observe/error.ts';
import { PacketBatch } from '../../src/packet/batch.ts';
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
} from '../support/capture-bytes.ts';
import { scaled } from '../support/scale.ts';
import { mutated, Seeded } from '../support/seeded.ts';

/**
 * Seeds that once failed, run before all others. To look into one, put it here and run this file.
 */
const failedOnce: readonly number[] = [];

const FILES = scaled(100_000);
const INPUTS = scaled(10_000);
const MINUTE_MS = 60_000;

const data = Buffer.from('0102030405060708090a0b0c0d0e0f1011121314', 'hex');

function pcapOf(littleEndian: boolean): Buffer {
  const records = Array.from({ length: 12 }, (_, index) =>
    pcapRecord(littleEndian, { seconds: index, fraction: index, data: data.subarray(index) }),
  );
  return Buffer.concat([pcapHeader({ littleEndian, nanoseconds: littleEndian, linkType: 1 }), ...records]);
}

function pcapngOf(littleEndian: boolean): Buffer {
  const comment = option(littleEndian, 1, data);
  return Buffer.concat([
    sectionBlock(littleEndian, comment),
    interfaceBytes(littleEndian, { resolution: 9, snapLength: 15 }),
    interfaceBytes(littleEndian, { resolution: 0xa4, offsetSeconds: -5n, linkType: 101 }),
    enhancedPacket(littleEndian, { time: 1n << 60n, data, options: [comment] }),
    enhancedPacket(littleEndian, { interfaceId: 1, time: (1n << 63n) + 12_345n, data }),
    simplePacket(littleEndian, data.subarray(0, 15), 20),
    block(littleEndian, 5, data),
    obsoletePacket(littleEndian, { interfaceId: 1, time: 77n, data }, 3),
    enhancedPacket(littleEndian, { data: data.subarray(0, 7) }),
  ]);
}

const originals = [
  pcapOf(true),
  pcapOf(false),
  pcapngOf(true),
  pcapngOf(false),
  Buffer.concat([pcapngOf(true), pcapngOf(false)]),
];

/** What one reading of a stream has found: enough to see that two readings agree. */
interface Reading {
  readonly count: number;
  /** A sum over all columns and bytes of all packets. */
  readonly sum: number;
  readonly stopped: string;
}

/** Reads a stream in chunks of `chunkBytes`, and throws where the decoder breaks a promise. */
function read(stream: Buffer, chunkBytes: number, capacity: number): Reading {
  const format = detectFormat(stream, 0, stream.length);
  if (format === undefined) return { count: 0, sum: 0, stopped: 'unknown' };
  const decoder = makeDecoder(format);
  const batch = new PacketBatch(capacity, stream);
  let count = 0;
  let sum = 0;
  let at = 0;
  // Each turn ends the stream's next chunk, or uses up a full batch of at least one packet of 12 bytes or more.
  let turns = 2 + stream.length / chunkBytes + stream.length / 12;
  for (let end = 0; end < stream.length && decoder.problem === undefined; ) {
    end = Math.min(end + chunkBytes, stream.length);
    do {
      if (turns-- < 0) throw new Error('does not end');
      batch.clear();
      const next = decoder.decode(batch, at, end);
      if (next < at || next > end || decoder.offset !== next) throw new Error(`went from ${at} to ${next}`);
      for (let slot = 0; slot < batch.count; slot++) sum = (sum * 31 + digest(batch, slot, at, next)) % 1e12;
      count += batch.count;
      at = next;
    } while (batch.count === capacity);
    if (decoder.neededBytes > MAX_RECORD_BYTES) throw new Error(`needs ${decoder.neededBytes} bytes`);
  }
  decoder.finish(stream.length - at);
  const { problem } = decoder;
  if (problem === undefined) return { count, sum, stopped: 'nowhere' };
  if (problem.offset > stream.length || problem.offset < 0) throw new Error('damage outside the stream');
  return { count, sum, stopped: `${problem.kind} ${problem.offset} ${problem.message} ${problem.found}` };
}

/** Checks one packet and makes a number of it. */
function digest(batch: PacketBatch, slot: number, from: number, to: number): number {
  const at = batch.at[slot] ?? -1;
  const end = batch.end[slot] ?? -1;
  const nanoseconds = batch.nanoseconds[slot] ?? -1;
  const wireLen = batch.wireLen[slot] ?? -1;
  if (at < from || end < at || end > to) throw new Error(`packet ${at}..${end} outside ${from}..${to}`);
  if (nanoseconds > 999_999_999) throw new Error(`${nanoseconds} nanoseconds`);
  if (wireLen < end - at) throw new Error(`${wireLen} bytes on the wire, ${end - at} captured`);
  return at + end + nanoseconds + wireLen + (batch.seconds[slot] ?? 0) + (batch.linkType[slot] ?? 0);
}

/** Bytes in use on the heap once everything that can be freed was freed. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return process.memoryUsage().heapUsed;
}

/** Reads the file of one seed whole and in chunks. */
function tryFile(seed: number): Reading {
  const random = new Seeded(seed);
  const stream = mutated(random, random.pick(originals));
  const whole = read(stream, stream.length, 100);
  const inChunks = read(stream, 1 + random.below(100), 1 + random.below(5));
  if (JSON.stringify(whole) !== JSON.stringify(inChunks)) {
    throw new Error(`${JSON.stringify(whole)} read whole, ${JSON.stringify(inChunks)} in chunks`);
  }
  return whole;
}

test(
  `${FILES} mutated capture files: no throw, no growth, and the chunks do not matter`,
  () => {
    const first = Math.floor(Math.random() * 0x1_0000_0000);
    const outcomes = new Map<string, number>();
    let heapBefore = 0;
    for (let index = -failedOnce.length; index < FILES; index++) {
      const known = index < 0 ? failedOnce.at(index) : undefined;
      const seed = known ?? (first + index) >>> 0;
      if (index === 1000) heapBefore = heapBytes();
      try {
        const kind = tryFile(seed).stopped.split(' ')[0] ?? '';
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      } catch (cause) {
        throw new Error(`Seed ${seed} fails: ${String(cause)}`, { cause });
      }
    }
    // Mutations are of use only if they neither leave all files whole nor break all of them at once.
    for (const kind of ['nowhere', 'cut', 'damaged']) expect(outcomes.get(kind)).toBeGreaterThan(FILES / 50);
    expect(heapBytes() - heapBefore).toBeLessThan(4_000_000);
  },
  10 * MINUTE_MS,
);

test(
  `${INPUTS} mutated files, compressed and not, through the input: one error at most, and an end`,
  async () => {
    const files = originals.flatMap((bytes) => [bytes, gzipSync(bytes), zstdCompressSync(bytes)]);
    const first = Math.floor(Math.random() * 0x1_0000_0000);
    let errors = 0;
    for (let index = 0; index < INPUTS; index++) {
      const seed = (first + index) >>> 0;
      const random = new Seeded(seed);
      const bytes = mutated(random, random.pick(files));
      const stdin = Readable.from([bytes.subarray(0, 30), bytes.subarray(30)]);
      const input = new CaptureFileInput({
        path: '-',
        stdin,
        chunkBytes: 100 + random.below(900),
        batchPackets: 5,
      });
      try {
        await input.open();
        await input.run(() => Promise.resolve());
      } catch (error) {
        if (!(error instanceof MirrorError)) throw new Error(`Seed ${seed} fails.`, { cause: error });
        errors++;
      }
    }
    expect(errors).toBeGreaterThan(INPUTS / 2);
    expect(errors).toBeLessThan(INPUTS);
  },
  10 * MINUTE_MS,
);
