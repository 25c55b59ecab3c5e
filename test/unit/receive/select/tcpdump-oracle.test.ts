import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { type CompiledFilter, compileFilter } from '../../../../src/receive/select/compile-filter.ts';
import { FilterError } from '../../../../src/receive/select/filter-error.ts';
import { pcapHeader, pcapRecord } from '../../../support/capture-bytes.ts';
import { conversation, fragmentsOf, nestedFrame, single } from '../../../support/hostile-frames.ts';
import { randomFilter } from '../../../support/random-filter.ts';
import { requires } from '../../../support/requires.ts';
import { scaled } from '../../../support/scale.ts';
import { mutated, Seeded } from '../../../support/seeded.ts';

/** Expressions for each set of frames: one call of tcpdump each. */
const FILTERS = scaled(1000);
/** Change it to walk another way; a seed that failed is added to the list. */
const SEEDS = [20_261_121];
const TAGGED = 12;

interface Frame {
  readonly bytes: Buffer;
  readonly wireLen: number;
}

/** Frames of every kind; `cut`: many of them shortened, and some changed. */
function framesFor(random: Seeded, isEthernet: boolean, isHostile: boolean): Frame[] {
  const plain = [
    ...Array.from({ length: 12 }, () => conversation(random)).flat(),
    ...Array.from({ length: 120 }, () => single(random)),
    ...Array.from({ length: 8 }, () => fragmentsOf(random)).flat(),
    ...Array.from({ length: 10 }, () => nestedFrame(random, single(random))),
  ].map(({ bytes }) => (random.below(10) === 0 ? tagged(random, bytes) : bytes));
  const hostile = plain.map((bytes) => {
    const changed = random.below(3) === 0 ? mutated(random, bytes) : bytes;
    return changed.subarray(
      0,
      random.below(3) === 0 ? changed.length : random.below(Math.min(changed.length, 120) + 1),
    );
  });
  return plain.flatMap((bytes, i) => {
    const kept = isHostile ? (hostile[i] ?? bytes) : bytes;
    const frame = isEthernet ? kept : kept.subarray(14);
    return [{ bytes: frame, wireLen: Math.max(frame.length, bytes.length - (isEthernet ? 0 : 14)) }];
  });
}

/** With one to three VLAN tags of each kind. */
function tagged(random: Seeded, bytes: Buffer): Buffer {
  const tags = Array.from({ length: 1 + random.below(3) }, () => {
    const tag = Buffer.alloc(4);
    tag.writeUInt16BE(random.pick([0x8100, 0x88a8, 0x9100]), 0);
    tag.writeUInt16BE(random.pick([5, 7, 100, 0xe007]), 2);
    return tag;
  });
  return Buffer.concat([bytes.subarray(0, TAGGED), ...tags, bytes.subarray(TAGGED)]);
}

const shape = { littleEndian: true, nanoseconds: false } as const;

function captureOf(frames: readonly Frame[], linkType: number): Buffer {
  const records = frames.map(({ bytes, wireLen }, seconds) =>
    pcapRecord(true, { seconds, fraction: 0, data: bytes, wireLen }),
  );
  return Buffer.concat([pcapHeader({ ...shape, linkType }), ...records]);
}

/** Numbers of the frames that tcpdump writes; undefined where it refuses to divide by 0. */
function tcpdumpSays(capture: Buffer, filter: string, options: readonly string[]): number[] | undefined {
  const args = [...options, '-r', '-', '-w', '-', filter];
  const { status, stdout, stderr } = spawnSync('tcpdump', args, { input: capture, maxBuffer: 2 ** 26 });
  const said = stderr.toString();
  if (said.includes('rejects all packets')) return [];
  if (said.includes('by zero')) return undefined;
  if (status !== 0) throw new Error(`tcpdump refused ${filter}: ${said}`);
  const numbers: number[] = [];
  for (let at = 24; at < stdout.length; at += 16 + stdout.readUInt32LE(at + 8))
    numbers.push(stdout.readUInt32LE(at));
  return numbers;
}

function compiledOrNothing(filter: string): CompiledFilter | undefined {
  try {
    return compileFilter(filter);
  } catch (error) {
    if (error instanceof FilterError && error.message.startsWith('no packet')) return undefined;
    throw error;
  }
}

/** Numbers of the frames that our filter takes; each lies between bytes that are not its own. */
function weSay(frames: readonly Frame[], filter: string, isEthernet: boolean): number[] {
  const compiled = compiledOrNothing(filter);
  if (compiled === undefined) return [];
  const program = isEthernet ? compiled.ethernet : compiled.raw;
  return frames.flatMap(({ bytes, wireLen }, i) => {
    const block = Buffer.alloc(bytes.length + 40, 0xa5);
    block.set(bytes, 7);
    // it ends with the frame: reading past it throws
    const view = new DataView(block.buffer, block.byteOffset, 7 + bytes.length);
    return program.matches(view, 7, 7 + bytes.length, wireLen) ? [i] : [];
  });
}

/** Where bytes are missing, the order of the tests decides: -O keeps tcpdump from changing it. */
const sets = [
  { name: 'whole Ethernet frames', isEthernet: true, isHostile: false, options: [] },
  { name: 'hostile Ethernet frames, cut anywhere', isEthernet: true, isHostile: true, options: ['-O'] },
  { name: 'whole IP packets', isEthernet: false, isHostile: false, options: [] },
  { name: 'hostile IP packets, cut anywhere', isEthernet: false, isHostile: true, options: ['-O'] },
];

test.skipIf(!requires('tcpdump')).each(SEEDS.flatMap((seed) => sets.map((set) => ({ ...set, seed }))))(
  `$name: ${FILTERS} random filters take what tcpdump takes, seed $seed`,
  ({ isEthernet, isHostile, options, seed }) => {
    const random = new Seeded(seed);
    const frames = framesFor(random, isEthernet, isHostile);
    const capture = captureOf(frames, isEthernet ? LinkType.ethernet : LinkType.raw);
    let undecided = 0;
    for (let count = 0; count < FILTERS; count++) {
      const filter = randomFilter(random, { isEthernet, reachesFar: isHostile });
      const expected = tcpdumpSays(capture, filter, options);
      if (expected === undefined) continue;
      expect(weSay(frames, filter, isEthernet), filter).toEqual(expected);
      if (expected.length === 0 || expected.length === frames.length) undecided++;
    }
    // many expressions tell frames apart
    expect(undecided).toBeLessThan(0.7 * FILTERS);
  },
  600_000,
);
