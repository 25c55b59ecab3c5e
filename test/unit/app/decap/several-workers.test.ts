import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecapRun } from '../../../../src/app/decap/options.ts';
import { ledgerDifference, type Report } from '../../../../src/observe/report.ts';
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
    expect(several.unread).toEqual(one.unread);
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

test('more lanes than a thread expects, and than files stay open', { timeout: TIMEOUT_MS }, async () => {
  const crowded = join(home, 'crowded.pcap');
  writeLargeCapture(crowded, 4_000_000, 2000);
  await expectSame([crowded], {}, [[3, 1_000_000]]);
});

test('more lanes than the process may open files', { timeout: TIMEOUT_MS }, () => {
  const crowded = join(home, 'many-lanes.pcap');
  const { packets } = writeLargeCapture(crowded, 4_000_000, 1000);
  const program = join(import.meta.dirname, '../../../support/programs/decap-in-chunks.ts');
  const command = 'ulimit -n 64 && exec "$0" "$@"';
  const out = join(home, 'few-open');
  const stdout = execFileSync('sh', ['-c', command, process.execPath, program, crowded, out], {
    encoding: 'utf8',
  });
  const report = JSON.parse(stdout) as Report;
  expect(report.lanes.length).toBe(1000);
  expect(report.sinks).toMatchObject([{ delivered: packets, written: packets }]);
  expect(readdirSync(out).length).toBe(1000);
});

describe('stopped early', () => {
  test('what was read until then is there, and nothing behind it', { timeout: TIMEOUT_MS }, async () => {
    const long = join(home, 'long.pcap');
    writeLargeCapture(long, 60_000_000, 9);
    const size = { workers: 3, chunkBytes: 20_000 };
    const stopped = await seenOfDecap([long, zipped, join(home, 'missing.pcap')], { during: stopSoon }, size);
    expect([stopped.errors, stopped.failure]).toEqual([[], undefined]);
    const { packets } = (JSON.parse(stopped.report) as Report).input;
    expect(packets).toBeGreaterThan(0);
    const beginning = join(home, 'beginning.pcap');
    writeFileSync(beginning, firstPackets(readFileSync(long), packets));
    const one = await seenOfDecap([beginning], {}, 'one');
    expect(one.report).toBe(stopped.report);
    expect(stopped.files).toEqual(one.files);
  });

  test('a compressed file ends where it is', { timeout: TIMEOUT_MS }, async () => {
    const size = { workers: 2, chunkBytes: 20_000 };
    const files = Array.from({ length: 20 }, () => zipped);
    const { errors, report } = await seenOfDecap(files, { during: stopSoon }, size);
    expect(errors).toEqual([]);
    const { input, lanes } = JSON.parse(report) as Report;
    expect(input.packets).toBeGreaterThan(0);
    expect(lanes.reduce((sum, lane) => sum + lane.packets, 0)).toBe(input.packets);
  });
});

/** Stops a run once it has read something. */
function stopSoon(run: DecapRun): void {
  const timer = setInterval(() => {
    if (run.progress().packets === 0) return;
    clearInterval(timer);
    void run.stop();
  }, 1);
}

function firstPackets(bytes: Buffer, packets: number): Buffer {
  let at = 24;
  for (let packet = 0; packet < packets; packet++) at += 16 + bytes.readUInt32LE(at + 8);
  return bytes.subarray(0, at);
}

test('packets of a link type that is not read: the file and the type are told', {
  timeout: TIMEOUT_MS,
}, async () => {
  const radio = join(home, 'radio.pcap');
  copyFileSync(large, radio);
  const file = openSync(radio, 'r+');
  writeSync(file, Buffer.from([127]), 0, 1, 20);
  closeSync(file);
  await expectSame([large, radio]);
  const { unread } = await seenOfDecap([large, radio], {}, 'one');
  expect(unread).toEqual(['radio.pcap: 127']);
});

describe('the output cannot be written', () => {
  const size = { workers: 3, chunkBytes: 65_536 };

  test.each(['vni-3.pcapng', 'vni-2.pcapng.part'])(
    '%s is in the way: it stays, and nothing else does',
    async (name) => {
      const asked = { prepare: (folder: string) => writeFileSync(join(folder, name), 'mine') };
      const { failure, files, report } = await seenOfDecap([large], asked, size);
      expect(failure).toMatch(/in the way.*OUTPUT_EXISTS/);
      expect((JSON.parse(report) as Report).sinks[0]).toMatchObject({ written: 0, pending: 0 });
      expect(files).toEqual({ '-': Buffer.alloc(0), [name]: Buffer.from('mine') });
    },
    TIMEOUT_MS,
  );

  test('--force replaces what is in the way', { timeout: TIMEOUT_MS }, () =>
    expectSame([large], {
      force: true,
      prepare: (folder) => {
        writeFileSync(join(folder, 'vni-3.pcapng'), 'old');
        writeFileSync(join(folder, 'vni-4.pcapng.part'), 'older');
      },
    }),
  );

  test('the folder is a file', { timeout: TIMEOUT_MS }, async () => {
    const prepare = (folder: string): void => {
      rmSync(folder, { recursive: true });
      writeFileSync(folder, '');
    };
    const { failure, report } = await seenOfDecap([large], { prepare }, size);
    expect(failure).toMatch(/OUTPUT_UNWRITABLE/);
    expect(JSON.parse(report)).toMatchObject({ input: { packets: 0 } });
  });

  test('a full disk: the ledger adds up', { timeout: TIMEOUT_MS }, async () => {
    const { failure, report } = await seenOfDecap([large], { stream: true, stdout: '/dev/full' }, size);
    expect(failure).toMatch(/no room left to write the output.*DISK_FULL/);
    const told = JSON.parse(report) as Report;
    expect(ledgerDifference(told)).toBe(0);
    const [sink] = told.sinks;
    expect(sink?.delivered).toBeGreaterThan(0);
    expect(sink).toMatchObject({ written: 0, pending: 0, dropped: { diskFull: sink?.delivered } });
  });
});
