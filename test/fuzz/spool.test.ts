import * as fc from 'fast-check';
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HEAD_BYTES, HEADER_BYTES } from '../../src/sinks/kafka/spool/layout.ts';
import { sequenceOf } from '../../src/sinks/kafka/spool/segment.ts';
import { scaled } from '../support/scale.ts';
import { SpoolTwin } from '../support/spool-twin.ts';
import {
  numberedBlock,
  numbersOf,
  numbersFrom as range,
  openSpool,
  readAll,
  segmentsIn,
} from '../support/spooling.ts';
import { withFolder } from '../support/tshark.ts';

const step = fc.oneof(
  fc.array(fc.integer({ min: 8, max: 300 }), { minLength: 1, maxLength: 6 }).map((lengths) => ({ lengths })),
  fc.integer({ min: 1, max: 800 }).map((maxBytes) => ({ maxBytes })),
  fc.double({ min: 0, max: 0.99, noNaN: true }).map((share) => ({ share })),
  fc.integer({ min: 0, max: 6 }).map((seconds) => ({ seconds })),
  fc.constant({ rewind: true }),
  fc.boolean().map((killed) => ({ killed })),
);

test('whatever is done in whatever order, a spool is a queue', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) =>
      withFolder(async (folder) => {
        const twin = new SpoolTwin(folder);
        await twin.open(false);
        for (const next of steps) {
          if ('lengths' in next) await twin.append(next.lengths);
          else if ('maxBytes' in next) await twin.read(next.maxBytes);
          else if ('share' in next) await twin.acknowledge(next.share);
          else if ('seconds' in next) await twin.expire(next.seconds);
          else if ('rewind' in next) twin.rewind();
          else await twin.open(next.killed);
          twin.check();
        }
        await twin.spool.close();
      }),
    ),
    { numRuns: scaled(1000) },
  ));

const LENGTHS = [20, 61, 8, 90, 33];
const lengthOf = (number: number) => LENGTHS[number % LENGTHS.length]!;
const blocks = (first: number, end: number) => range(first, end).map((n) => numberedBlock(n, lengthOf(n)));

/** A folder as a killed process leaves it: blocks 0 to 29 in three segments or more, of which 3 are acknowledged. */
async function leftBehind(directory: string, options: { closed: boolean }): Promise<void> {
  const working = `${directory}-working`;
  const { spool } = await openSpool(working, { segmentBytes: 1000 });
  for (let number = 0; number < 30; number += 3) await spool.append(blocks(number, number + 3));
  const entries = await readAll(spool);
  await spool.acknowledge(entries[0]!);
  await spool.acknowledge(entries[2]!);
  if (options.closed) await spool.close();
  cpSync(working, directory, { recursive: true });
  await spool.close();
  rmSync(working, { recursive: true });
}

/** Opens a folder, reads and acknowledges all that is there, and checks that it is as good as new then. */
async function readOut(directory: string): Promise<{ numbers: number[]; cutBytes: number; lost: number }> {
  const { spool, recovered } = await openSpool(directory, { segmentBytes: 1000 });
  const entries = await readAll(spool);
  const numbers = numbersOf(entries);
  if (entries.length > 0) await spool.acknowledge(entries.at(-1)!);
  expect([spool.isEmpty, spool.records, spool.bytes]).toEqual([true, 0, 0]);
  expect(await spool.append([numberedBlock(77)])).toBe('kept');
  expect(numbersOf(await spool.read(1000))).toEqual([77]);
  await spool.close();
  expect(recovered.records).toBe(entries.length + spool.lost.records);
  return { numbers, cutBytes: recovered.cutBytes, lost: recovered.damaged + spool.lost.blocks };
}

test('killed at any byte of a write: all blocks before it are there, and nothing else', () =>
  withFolder(async (folder) => {
    const left = join(folder, 'left');
    await leftBehind(left, { closed: false });
    const name = segmentsIn(left).at(-1)!;
    const size = readFileSync(join(left, name)).length;
    const firstNumber = sequenceOf(name)! - 1;
    for (let cut = 0; cut < size; cut++) {
      const directory = join(folder, `${cut}`);
      cpSync(left, directory, { recursive: true });
      truncateSync(join(directory, name), cut);
      let whole = firstNumber;
      let end = HEADER_BYTES;
      while (end + HEAD_BYTES + lengthOf(whole) <= cut) end += HEAD_BYTES + lengthOf(whole++);
      const { numbers, cutBytes, lost } = await readOut(directory);
      expect(numbers).toEqual(range(3, whole));
      expect([cutBytes, lost]).toEqual([cut < HEADER_BYTES ? cut : cut - end, 0]);
      rmSync(directory, { recursive: true });
    }
  }));

/** The number of the block that has this byte of a segment; undefined for bytes of none. */
function blockAt(names: readonly string[], name: string, at: number): number | undefined {
  const next = names[names.indexOf(name) + 1];
  const before = next === undefined ? 30 : sequenceOf(next)! - 1;
  let number = sequenceOf(name)! - 1;
  let end = HEADER_BYTES;
  if (at < end) return undefined;
  while (number < before) {
    end += HEAD_BYTES + lengthOf(number);
    if (at < end) return number;
    number++;
  }
  return undefined;
}

test.each([{ closed: true }, { closed: false }])('one wrong byte costs one block at most: %j', (options) =>
  withFolder(async (folder) => {
    const left = join(folder, 'left');
    await leftBehind(left, options);
    const names = segmentsIn(left);
    const files = names.map((name) => ({ name, bytes: readFileSync(join(left, name)) }));
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, where, flip) => {
        const { name, bytes } = files[which % files.length]!;
        const directory = join(folder, 'damaged');
        rmSync(directory, { recursive: true, force: true });
        cpSync(left, directory, { recursive: true });
        const at = where % bytes.length;
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= flip;
        writeFileSync(join(directory, name), damaged);
        const hit = blockAt(names, name, at);
        const { numbers, lost } = await readOut(directory);
        const waiting = range(3, 30).filter((number) => number !== hit);
        expect(numbers).toEqual(waiting);
        expect(lost).toBeLessThanOrEqual(1);
        rmSync(directory, { recursive: true });
      }),
      { numRuns: scaled(3000) },
    );
  }),
);

const harm = fc.record({
  file: fc.nat(),
  at: fc.nat(),
  what: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => ({ bytes })),
    fc.nat(3000).map((zeros) => ({ zeros })),
    fc.constant({ cut: true }),
    fc.constant({ gone: true }),
    fc.uint8Array({ maxLength: 200 }).map((more) => ({ more })),
    fc.nat().map((from) => ({ from })),
  ),
});

function doHarm(
  directory: string,
  { file, at, what }: typeof harm extends fc.Arbitrary<infer T> ? T : never,
) {
  const names = readdirSync(directory).sort();
  const path = join(directory, names[file % names.length]!);
  const bytes = readFileSync(path);
  const where = bytes.length === 0 ? 0 : at % bytes.length;
  if ('bytes' in what) bytes.set(what.bytes.subarray(0, bytes.length - where), where);
  else if ('zeros' in what) bytes.fill(0, where, Math.min(bytes.length, where + what.zeros));
  else if ('from' in what && bytes.length > 0) bytes.copyWithin(where, what.from % bytes.length);
  if ('gone' in what) rmSync(path);
  else if ('cut' in what) truncateSync(path, where);
  else if ('more' in what) appendFileSync(path, what.more);
  else writeFileSync(path, bytes);
}

test('whatever happened to its files, a spool opens, gives each whole block once at most, and goes on', () =>
  withFolder(async (folder) => {
    const left = join(folder, 'left');
    await leftBehind(left, { closed: false });
    await fc.assert(
      fc.asyncProperty(fc.array(harm, { minLength: 1, maxLength: 5 }), async (harms) => {
        const directory = join(folder, 'damaged');
        rmSync(directory, { recursive: true, force: true });
        cpSync(left, directory, { recursive: true });
        for (const one of harms) doHarm(directory, one);
        const { numbers } = await readOut(directory);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        expect(numbers.every((number) => number >= 0 && number < 30)).toBe(true);
      }),
      { numRuns: scaled(3000) },
    );
  }));
