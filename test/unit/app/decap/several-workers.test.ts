import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DecapAsked, seenOfDecap } from '../../../support/decap-both-ways.ts';
import { writeLargeCapture } from '../../../support/large-capture.ts';
import { requiresCaptures } from '../../../support/requires.ts';

const TIMEOUT_MS = 120_000;
const home = mkdtempSync(join(tmpdir(), 'mirrortap-several-'));
const samples = new URL('../../../../samples/', import.meta.url).pathname;
const large = join(home, 'large.pcap');
const cut = join(home, 'cut.pcap');
const damaged = join(home, 'damaged.pcap');
const zipped = join(home, 'large.pcap.gz');
const cutZipped = join(home, 'cut.pcapng.zst');
const text = join(home, 'notes.txt');

beforeAll(() => {
  writeLargeCapture(large, 3_000_000, 9);
  copyFileSync(large, cut);
  truncateSync(cut, 1_500_001);
  const bytes = readFileSync(large);
  // a record's length, in the middle of the file
  let at = 24;
  while (at < 700_000) at += 16 + bytes.readUInt32LE(at + 8);
  bytes.writeUInt32LE(0x7fff_ffff, at + 8);
  writeFileSync(damaged, bytes);
  writeFileSync(zipped, gzipSync(readFileSync(large)));
  const sessions = zstdCompressSync(readFileSync(join(samples, 'vxlan-sessions.pcapng')));
  writeFileSync(cutZipped, sessions.subarray(0, sessions.length - 20));
  writeFileSync(text, 'no capture at all');
});

afterAll(() => {
  rmSync(home, { recursive: true });
});

function capturesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((file) => /\.pcap(ng)?$/.test(file));
  return names.toSorted().map((name) => join(folder, name));
}

async function expectSame(
  files: readonly string[],
  asked: DecapAsked = {},
  sizes: readonly [workers: number, chunkBytes: number][] = [
    [2, 65_536],
    [3, 10_007],
    [5, 300_000],
  ],
): Promise<void> {
  const one = await seenOfDecap(files, asked, 'one');
  for (const [workers, chunkBytes] of sizes) {
    const several = await seenOfDecap(files, asked, { workers, chunkBytes });
    expect(several.errors).toEqual(one.errors);
    expect(several.failure).toEqual(one.failure);
    expect(several.report).toBe(one.report);
    expect(Object.keys(several.files)).toEqual(Object.keys(one.files));
    for (const [name, bytes] of Object.entries(one.files)) {
      expect(several.files[name]?.equals(bytes), `${name}, ${workers} workers`).toBe(true);
    }
  }
}

const outputs: readonly (readonly [string, DecapAsked])[] = [
  ['pcapng', {}],
  ['pcap', { format: 'pcap' }],
  ['one stream', { stream: true }],
];

describe.each(outputs)('several workers write what one writes: %s', (_name, asked) => {
  test('a large file', () => expectSame([large], asked), TIMEOUT_MS);

  test('samples, in chunks smaller than a packet', { timeout: TIMEOUT_MS }, () =>
    expectSame(capturesIn(samples), asked, [[2, 64]]),
  );

  test('several files of all kinds, some of them damaged or missing', { timeout: TIMEOUT_MS }, () =>
    expectSame(
      [
        join(samples, 'vxlan-sessions.pcapng'),
        damaged,
        join(home, 'missing.pcap'),
        zipped,
        cut,
        text,
        join(samples, 'gwlb.pcap'),
        cutZipped,
        home,
        large,
        join(samples, 'hostile.pcap'),
      ],
      asked,
    ),
  );

  test('more lanes than the limit', { timeout: TIMEOUT_MS }, () =>
    expectSame([large, join(samples, 'gwlb.pcap'), zipped], { ...asked, set: ['admission.maxLanes=5'] }),
  );

  test('a filter, and checksums that are not verified', { timeout: TIMEOUT_MS }, () =>
    expectSame([large], {
      ...asked,
      set: ['admission.vnis=[2,4-6]', 'analysis.checksums.verify=off'],
    }),
  );
});

const captures = requiresCaptures();
describe.skipIf(captures === undefined)('real captures', () => {
  test('all of them', { timeout: TIMEOUT_MS }, () =>
    expectSame(capturesIn(captures ?? ''), {}, [[2, 3_000]]),
  );
});

describe('the output cannot be written', () => {
  const sizes: [number, number][] = [[3, 65_536]];

  test('a file is in the way: it is refused, and nothing is left behind', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const asked = { prepare: (folder: string) => writeFileSync(join(folder, 'vni-3.pcapng'), 'mine') };
    const seen = await seenOfDecap([large], asked, { workers: 3, chunkBytes: 65_536 });
    expect(seen.failure).toMatch(/OUTPUT_EXISTS/);
    expect(Object.keys(seen.files).toSorted()).toEqual(['-', 'vni-3.pcapng']);
    expect(seen.files['vni-3.pcapng']?.toString()).toBe('mine');
  });

  test('--force replaces it', { timeout: TIMEOUT_MS }, () =>
    expectSame(
      [large],
      {
        force: true,
        prepare: (folder) => {
          writeFileSync(join(folder, 'vni-3.pcapng'), 'old');
          writeFileSync(join(folder, 'vni-4.pcapng.part'), 'older');
        },
      },
      sizes,
    ),
  );
});
