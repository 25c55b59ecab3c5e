import { execFileSync } from 'node:child_process';
import { appendFileSync, createWriteStream, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { array, assert, asyncProperty, constantFrom, integer } from 'fast-check';
import { expect, test } from 'vitest';
import { CaptureFileInput, type CaptureFileOptions } from '../../../src/inputs/capture-file.ts';
import {
  enhancedPacket,
  interfaceBytes,
  pcapHeader,
  pcapRecord,
  sectionBlock,
} from '../../support/capture-bytes.ts';
import { runInput, type Run } from '../../support/input-run.ts';
import { requires } from '../../support/requires.ts';
import { withFolder } from '../../support/tshark.ts';

const COUNT = 300;

function dataOf(index: number): Buffer {
  return Buffer.alloc(20 + (index % 60), index & 0xff);
}

/** A pcap file of `COUNT` packets, each of another length. */
const pcap = Buffer.concat([
  pcapHeader({ littleEndian: true, nanoseconds: true, linkType: 1 }),
  ...Array.from({ length: COUNT }, (_, index) =>
    pcapRecord(true, { seconds: index, fraction: index, data: dataOf(index) }),
  ),
]);
const pcapng = Buffer.concat([
  sectionBlock(false),
  interfaceBytes(false, { resolution: 9 }),
  ...Array.from({ length: COUNT }, (_, index) =>
    enhancedPacket(false, { time: BigInt(index) * 1_000_000_001n, data: dataOf(index) }),
  ),
]);
const expected = Array.from({ length: COUNT }, (_, index) => ({
  time: `${index}.${String(index).padStart(9, '0')}`,
  linkType: 1,
  wireLen: dataOf(index).length,
  data: dataOf(index).toString('hex'),
}));

const checksummed = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

/** Bytes that shrink by half, the same each time. */
function noiseOf(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0, state = seed; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = (state >>> 16) & 0x0f;
  }
  return bytes;
}

/** Reads a file of these bytes. */
function readBytes(bytes: Uint8Array, options: Omit<CaptureFileOptions, 'path'> = {}): Promise<Run> {
  return withFolder((folder) => {
    const path = join(folder, 'capture');
    writeFileSync(path, bytes);
    return runInput(new CaptureFileInput({ path, ...options }));
  });
}

const forms = [
  { name: 'pcap', bytes: pcap },
  { name: 'pcapng', bytes: pcapng },
  { name: 'gzip', bytes: gzipSync(pcapng) },
  {
    name: 'gzip, several members',
    bytes: Buffer.concat([gzipSync(pcap.subarray(0, 999)), gzipSync(pcap.subarray(999))]),
  },
  { name: 'gzip with padding behind it', bytes: Buffer.concat([gzipSync(pcap), Buffer.alloc(512)]) },
  { name: 'zstd', bytes: zstdCompressSync(pcap) },
  {
    name: 'zstd, several frames',
    bytes: Buffer.concat(
      [0, 1, 2].map((part) =>
        zstdCompressSync(pcap.subarray(part * 5000, part === 2 ? undefined : part * 5000 + 5000)),
      ),
    ),
  },
  {
    name: 'zstd, skippable frame first',
    bytes: Buffer.concat([Buffer.from('5a2a4d1803000000616263', 'hex'), zstdCompressSync(pcapng)]),
  },
];

test.each(forms)('$name: all packets, in order', async ({ bytes }) => {
  const { packets, error } = await readBytes(bytes);
  expect(packets).toEqual(expected);
  expect(error).toBeUndefined();
});

test.each(forms)('$name from standard input, in pieces', async ({ bytes }) => {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 77) }, (_, index) =>
    bytes.subarray(index * 77, index * 77 + 77),
  );
  const run = await runInput(new CaptureFileInput({ path: '-', stdin: Readable.from(pieces) }));
  expect(run.packets).toEqual(expected);
  expect(run.error).toBeUndefined();
});

test('the size of reads and of batches does not matter', async () => {
  const form = constantFrom(pcap, pcapng, gzipSync(pcap));
  const chunk = integer({ min: 1, max: 5000 });
  await assert(
    asyncProperty(form, chunk, integer({ min: 1, max: 400 }), async (bytes, chunkBytes, batchPackets) => {
      const run = await readBytes(bytes, { chunkBytes: Math.max(chunkBytes, 50), batchPackets });
      expect(run.packets).toEqual(expected);
      expect(Math.max(...run.batches)).toBeLessThanOrEqual(batchPackets);
      expect(run.error).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});

test('standard input arrives as it comes', async () => {
  await assert(
    asyncProperty(array(integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 }), async (sizes) => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < pcapng.length; at += pieces.at(-1)?.length ?? 0) {
        const size = sizes[pieces.length % sizes.length] ?? 1;
        pieces.push(pcapng.subarray(at, at + size));
      }
      const run = await runInput(new CaptureFileInput({ path: '-', stdin: Readable.from(pieces) }));
      expect(run.packets).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test('progress is told in stored bytes', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'capture.pcap');
    const bytes = gzipSync(pcap);
    writeFileSync(path, bytes);
    const input = new CaptureFileInput({ path });
    expect([input.bytesRead, input.totalBytes]).toEqual([0, undefined]);
    await input.open();
    expect([input.bytesRead, input.totalBytes]).toEqual([0, bytes.length]);
    await input.run(() => Promise.resolve());
    expect([input.bytesRead, input.totalBytes]).toEqual([bytes.length, bytes.length]);
  });
});

const packetsUpTo = (streamBytes: number): number => {
  let at = 24;
  let count = 0;
  while (count < COUNT && at + 16 + dataOf(count).length <= streamBytes) at += 16 + dataOf(count++).length;
  return count;
};

test('a cut file: everything before, and the offset of the record that is cut', async () => {
  const { packets, error } = await readBytes(pcap.subarray(0, 10_000), { chunkBytes: 512 });
  const count = packetsUpTo(10_000);
  const offset = expected.slice(0, count).reduce((sum, packet) => sum + 16 + packet.data.length / 2, 24);
  expect(packets).toEqual(expected.slice(0, count));
  expect(error?.code).toBe('CAPTURE_DAMAGED');
  expect(error?.context).toMatchObject({
    offset,
    kind: 'cut',
    found: 10_000 - offset,
    path: expect.stringContaining('capture'),
  });
});

test('a damaged file: everything before, however small the batches', async () => {
  const bytes = Buffer.concat([
    pcapng.subarray(0, 28 + 32),
    pcapng.subarray(28 + 32, -8),
    Buffer.alloc(80, 0xff),
  ]);
  const { packets, error } = await readBytes(bytes, { chunkBytes: 4096, batchPackets: 7 });
  expect(packets).toEqual(expected.slice(0, COUNT - 1));
  expect(error?.code).toBe('CAPTURE_DAMAGED');
  expect(error?.context).toMatchObject({ kind: 'damaged' });
});

test.each([
  { name: 'gzip', bytes: gzipSync(pcap) },
  { name: 'zstd', bytes: zstdCompressSync(pcap) },
])('$name cut in its middle: what could be decompressed, and one error', async ({ bytes }) => {
  const { packets, error } = await readBytes(bytes.subarray(0, bytes.length - 9));
  expect(packets).toEqual(expected.slice(0, packets.length));
  expect(error?.code).toBe('CAPTURE_DAMAGED');
  expect(error?.context).toMatchObject({ offset: expect.any(Number) });
});

test.each([
  { name: 'gzip with a wrong checksum', bytes: gzipSync(pcap), at: -6 },
  {
    name: 'gzip followed by something else',
    bytes: Buffer.concat([gzipSync(pcap), Buffer.from('rubbish')]),
    at: -1,
  },
  { name: 'zstd with a wrong checksum', bytes: zstdCompressSync(pcap, checksummed), at: -2 },
  {
    name: 'zstd followed by something else',
    bytes: Buffer.concat([zstdCompressSync(pcap), Buffer.from('rubbish')]),
    at: -1,
  },
])('$name: all of its packets, and one error', async ({ bytes, at }) => {
  bytes.writeInt8(~bytes.readInt8(bytes.length + at), bytes.length + at);
  const { packets, error } = await readBytes(bytes);
  expect(packets).toEqual(expected);
  expect(error?.code).toBe('CAPTURE_DAMAGED');
  expect(error?.context).toMatchObject({ offset: pcap.length });
});

test('damage far inside a compressed file: everything before it, found again from the beginning', async () => {
  const records = Array.from({ length: 60 }, (_, index) =>
    pcapRecord(true, { seconds: index, fraction: 0, data: noiseOf(5000, index) }),
  );
  const whole = Buffer.concat([
    pcapHeader({ littleEndian: true, nanoseconds: true, linkType: 1 }),
    ...records,
  ]);
  const good = gzipSync(whole.subarray(0, 24 + 30 * 5016 + 100));
  const compressed = Buffer.concat([
    good,
    Buffer.from('rubbish'),
    gzipSync(whole.subarray(24 + 30 * 5016 + 100)),
  ]);
  expect(good.length).toBeGreaterThan(65_536);
  const { packets, error } = await readBytes(compressed);
  expect(packets.map((packet) => packet.data)).toEqual(
    Array.from({ length: 30 }, (_, index) => noiseOf(5000, index).toString('hex')),
  );
  // The second letter shows the engine that this is no further member.
  const damage = { code: 'CAPTURE_DAMAGED', offset: 24 + 30 * 5016 + 100, compressedOffset: good.length + 2 };
  expect({ code: error?.code, ...error?.context }).toMatchObject({ ...damage, compression: 'gzip' });
});

const unknown = [
  { name: 'empty', bytes: Buffer.alloc(0), message: /it is empty/ },
  { name: 'two bytes', bytes: Buffer.from('xx'), message: /it has only 2 bytes/ },
  { name: 'text', bytes: Buffer.from('text, and no capture'), message: /begins with 74657874/ },
  { name: 'compressed text', bytes: gzipSync('text, and no capture'), message: /begins with 74657874/ },
  { name: 'compressed nothing', bytes: zstdCompressSync(''), message: /it is empty/ },
];

test.each(unknown)('$name is no capture', async ({ bytes, message }) => {
  const { packets, error } = await readBytes(bytes);
  expect(packets).toEqual([]);
  expect(error?.code).toBe('CAPTURE_FORMAT_UNKNOWN');
  expect(error?.message).toMatch(message);
});

test('a file that is not there and a folder cannot be read', async () => {
  await withFolder(async (folder) => {
    for (const path of [join(folder, 'missing'), folder]) {
      const { error } = await runInput(new CaptureFileInput({ path }));
      expect(error?.code).toBe('CAPTURE_UNREADABLE');
      expect(error?.context).toMatchObject({ path });
    }
  });
});

test('a stream that fails: everything before, and one error', async () => {
  const stdin = new PassThrough();
  stdin.write(pcap.subarray(0, 5000));
  setImmediate(() => setImmediate(() => stdin.destroy(new Error('gone'))));
  const { packets, error } = await runInput(new CaptureFileInput({ path: '-', stdin }));
  expect(error?.code).toBe('CAPTURE_UNREADABLE');
  expect(error?.message).toBe('standard input cannot be read.');
  expect(packets).toEqual(expected.slice(0, packetsUpTo(5000)));
});

test('a file that grows is read as long as it was, and a record over that border is no damage', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'capture');
    writeFileSync(path, pcap.subarray(0, 10_000));
    const input = new CaptureFileInput({ path, chunkBytes: 1000 });
    const run = await runInput(input, () => appendFileSync(path, pcap.subarray(0, 10_000)));
    expect(run.error).toBeUndefined();
    expect(run.packets).toEqual(expected.slice(0, packetsUpTo(10_000)));
  });
});

test('a file that shrinks ends with an error', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'capture');
    writeFileSync(path, pcap);
    const input = new CaptureFileInput({ path, chunkBytes: 1000 });
    const run = await runInput(input, () => truncateSync(path, 3000));
    expect(run.error?.code).toBe('CAPTURE_UNREADABLE');
    expect(run.packets).toEqual(expected.slice(0, run.packets.length));
    expect(run.packets.length).toBeGreaterThan(0);
  });
});

test('closed in the middle, a run settles without an error', async () => {
  await withFolder(async (folder) => {
    for (const bytes of [pcap, gzipSync(pcap), zstdCompressSync(pcapng)]) {
      const path = join(folder, 'capture');
      writeFileSync(path, bytes);
      const input = new CaptureFileInput({ path, chunkBytes: 2000, batchPackets: 10 });
      const run = await runInput(input, () => input.close());
      expect(run.error).toBeUndefined();
      expect(run.packets).toEqual(expected.slice(0, run.packets.length));
      expect(run.packets.length).toBeLessThan(COUNT);
    }
  });
});

test.each([
  { form: 'plain', bytes: pcap },
  { form: 'gzip', bytes: gzipSync(pcap) },
])('closed while standard input is silent ($form), a run settles', async ({ bytes }) => {
  const stdin = new PassThrough();
  stdin.write(bytes.subarray(0, 40));
  const input = new CaptureFileInput({ path: '-', stdin });
  setImmediate(() => setImmediate(() => void input.close()));
  const run = await runInput(input);
  expect(run).toEqual({ packets: [], batches: [], error: undefined });
});

test.skipIf(!requires('mkfifo'))('a named pipe is read when somebody writes to it', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const input = new CaptureFileInput({ path });
    const run = runInput(input);
    createWriteStream(path).end(pcap);
    expect((await run).packets).toEqual(expected);
  }),
);

test.skipIf(!requires('mkfifo'))('closed while nobody writes to a named pipe, a run settles', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const input = new CaptureFileInput({ path });
    await input.open();
    setImmediate(() => void input.close());
    const packets: unknown[] = [];
    await expect(input.run(async (batch) => void packets.push(batch))).resolves.toBeUndefined();
    expect(packets).toEqual([]);
  }),
);
