import { assert, integer, property } from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CaptureWalk } from '../../../src/format/capture-walk.ts';
import { MAX_RECORD_BYTES } from '../../../src/format/limits.ts';
import { recoveredStatistics } from '../../../src/format/recovered-statistics.ts';
import { TEST_SECONDS } from '../../support/batches.ts';
import { variedPackets, writeCaptures } from '../../support/live-captures.ts';
import { walkPcapng } from '../../support/pcapng-walk.ts';
import { withFolder } from '../../support/tshark.ts';

async function sample(directory: string, settings = {}, lanes = 3): Promise<Buffer> {
  const packets = variedPackets(50, lanes, TEST_SECONDS);
  const [file] = await writeCaptures({ directory, settings: { rotateSeconds: 0, ...settings }, packets });
  return readFileSync(join(directory, file?.path ?? ''));
}

/** Feeds a file in windows of `step` bytes more each time. */
function walk(bytes: Buffer, format: 'pcapng' | 'pcap', step = bytes.length): CaptureWalk {
  const found = new CaptureWalk(format);
  let at = 0;
  for (let end = step; found.problem === undefined; end += step) {
    at = found.feed(bytes, at, Math.min(end, bytes.length));
    if (end >= bytes.length) break;
  }
  return found;
}

test('a pcapng with three lanes: packets, times, statistics', () =>
  withFolder(async (directory) => {
    const bytes = await sample(directory, { split: 'none' });
    const found = walk(bytes, 'pcapng');
    expect(found.problem).toBeUndefined();
    expect(found.wholeBytes).toBe(bytes.length);
    const told = walkPcapng(bytes);
    expect(found.packets).toBe(told.packets.length);
    expect(found.interfaces.map(({ name }) => name)).toEqual(['vni-0', 'vni-1', 'vni-2']);
    expect(found.interfaces.map(({ packets }) => packets)).toEqual([17, 17, 16]);
    expect(found.interfaces.map(({ dropped }) => dropped)).toEqual([0, 0, 0]);
    expect(found.interfaces[1]?.first).toEqual({ seconds: TEST_SECONDS + 1, nanoseconds: 1 });
    expect(found.interfaces[1]?.last).toEqual({ seconds: TEST_SECONDS + 49, nanoseconds: 49 });
    expect(bytes.readUInt32LE(found.packetBytes)).toBe(5);
  }));

test('a pcap: one interface without a name', () =>
  withFolder(async (directory) => {
    const bytes = await sample(directory, { format: 'pcap' }, 1);
    const found = walk(bytes, 'pcap');
    expect(found.wholeBytes).toBe(bytes.length);
    expect(found.interfaces).toHaveLength(1);
    expect(found.interfaces[0]).toMatchObject({ name: '', linkType: 1, packets: 50 });
    expect(found.interfaces[0]?.last).toEqual({ seconds: TEST_SECONDS + 49, nanoseconds: 49 });
  }));

test.each(['pcapng', 'pcap'] as const)(
  '%s: however it is cut and fed, the whole records are counted',
  (format) =>
    withFolder(async (directory) => {
      const bytes = await sample(directory, { format }, 1);
      const whole = walk(bytes, format);
      assert(
        property(integer({ min: 0, max: bytes.length }), integer({ min: 1, max: 500 }), (length, step) => {
          const found = walk(bytes.subarray(0, length), format, step);
          expect(found.problem).toBeUndefined();
          expect(found.wholeBytes).toBeLessThanOrEqual(length);
          expect(found.packets).toBeLessThanOrEqual(whole.packets);
          const again = walk(bytes.subarray(0, found.wholeBytes), format);
          expect([again.wholeBytes, again.packets]).toEqual([found.wholeBytes, found.packets]);
        }),
      );
    }),
);

test('bytes that contradict themselves end the walk before them, whatever they are', () =>
  withFolder(async (directory) => {
    const bytes = await sample(directory);
    const whole = walk(bytes, 'pcapng');
    assert(
      property(integer({ min: 0, max: bytes.length - 1 }), integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        const found = walk(damaged, 'pcapng');
        expect(found.packets).toBeLessThanOrEqual(whole.packets);
        expect(found.packetBytes).toBeLessThanOrEqual(found.wholeBytes);
      }),
      { numRuns: 500 },
    );
  }));

test.each([
  { name: 'zeros', bytes: Buffer.alloc(100), format: 'pcapng', problem: 'foreign' },
  {
    name: 'a pcap that claims to be a pcapng',
    bytes: Buffer.from('4d3cb2a1'.repeat(8), 'hex'),
    format: 'pcapng',
    problem: 'foreign',
  },
  {
    name: 'big-endian',
    bytes: Buffer.from('0a0d0d0a0000001c1a2b3c4d00010000ffffffffffffffff0000001c', 'hex'),
    format: 'pcapng',
    problem: 'foreign',
  },
  {
    name: 'pcap with microseconds',
    bytes: Buffer.from('d4c3b2a1'.repeat(8), 'hex'),
    format: 'pcap',
    problem: 'foreign',
  },
  { name: 'nothing', bytes: Buffer.alloc(0), format: 'pcapng', problem: undefined },
  { name: 'too little to tell', bytes: Buffer.alloc(3), format: 'pcap', problem: undefined },
] as const)('$name: $problem', ({ bytes, format, problem }) => {
  expect(walk(bytes, format).problem).toBe(problem);
});

test('a block longer than any of ours is damage, not something to wait for', () => {
  const bytes = Buffer.concat([
    Buffer.from('0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000', 'hex'),
    Buffer.alloc(12),
  ]);
  bytes.writeUInt32LE(6, 28);
  bytes.writeUInt32LE(MAX_RECORD_BYTES + 4, 32);
  expect(walk(bytes, 'pcapng').problem).toBe('damaged');
});

test('recovered statistics say what was found, and that drops are not known', () =>
  withFolder(async (directory) => {
    const bytes = await sample(directory, {}, 1);
    const cut = walk(bytes, 'pcapng');
    const again = walk(
      Buffer.concat([
        bytes.subarray(0, cut.packetBytes),
        ...unknownDrops(bytes.subarray(0, cut.packetBytes)),
      ]),
      'pcapng',
    );
    expect(again.problem).toBeUndefined();
    expect(again.interfaces[0]).toMatchObject({ packets: 50, hasStatistics: true, dropped: undefined });
  }));

function unknownDrops(bytes: Buffer): Buffer[] {
  return walk(bytes, 'pcapng').interfaces.map((found, id) => recoveredStatistics(id, found));
}
