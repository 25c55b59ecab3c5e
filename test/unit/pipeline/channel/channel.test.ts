import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  allocateChannel,
  CHANNEL_BLOCK_BYTES,
  FullReason,
} from '../../../../src/pipeline/channel/channel-memory.ts';
import { type ChannelBlock, ChannelReader } from '../../../../src/pipeline/channel/channel-reader.ts';
import { ChannelWriter } from '../../../../src/pipeline/channel/channel-writer.ts';

const BLOCKS = 4;

function channel(maxRecords = 1e9) {
  const memory = allocateChannel(BLOCKS * CHANNEL_BLOCK_BYTES, maxRecords);
  return { memory, writer: new ChannelWriter(memory), reader: new ChannelReader(memory) };
}

/** Writes one entry that says its number; false where there is no room. */
function put(writer: ChannelWriter, number: number, bytes: number): boolean {
  const at = writer.reserve(bytes);
  if (at < 0) return false;
  writer.block.bytes.writeUInt32LE(number, at);
  writer.block.bytes.writeUInt32LE(bytes, at + 4);
  writer.commit(at + bytes, 1);
  return true;
}

function numbersIn({ bytes }: ChannelBlock): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) numbers.push(bytes.readUInt32LE(at));
  return numbers;
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ put: fc.constantFrom(8, 64, 1000, 60_000, CHANNEL_BLOCK_BYTES) }) },
  { weight: 1, arbitrary: fc.constant('publish' as const) },
  { weight: 3, arbitrary: fc.constant('take' as const) },
  { weight: 3, arbitrary: fc.record({ giveBack: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.constant('new writer' as const) },
);

test('what is put in comes out once and in order, whatever is given back when, and nothing is overwritten', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const { memory, reader } = channel();
      let { writer } = channel();
      writer = new ChannelWriter(memory);
      const held: { block: ChannelBlock; numbers: number[] }[] = [];
      const out: number[] = [];
      let next = 0;
      const take = (): void => {
        const block = reader.next();
        if (block === undefined) return;
        const numbers = numbersIn(block);
        expect(block.records).toBe(numbers.length);
        out.push(...numbers);
        held.push({ block, numbers });
      };
      for (const action of steps) {
        if (action === 'publish') writer.publish();
        else if (action === 'take') take();
        else if (action === 'new writer') writer = new ChannelWriter(memory);
        else if ('put' in action) next += put(writer, next, action.put) ? 1 : 0;
        else {
          const [given] = held.splice(action.giveBack % Math.max(1, held.length), 1);
          if (given === undefined) continue;
          // nobody has written over it while it was not given back
          expect(numbersIn(given.block)).toEqual(given.numbers);
          reader.giveBack(given.block);
        }
      }
      writer.close();
      while (reader.waiting > 0 || held.length > 0) {
        take();
        for (const { block } of held.splice(0)) reader.giveBack(block);
      }
      expect(out).toEqual(Array.from({ length: next }, (_, number) => number));
      expect([reader.ended, reader.filled, reader.bytes, writer.records]).toEqual([true, 0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('a full ring takes nothing until a block is given back', () => {
  const { writer, reader } = channel();
  let taken = 0;
  while (put(writer, taken, CHANNEL_BLOCK_BYTES)) taken++;
  expect(taken).toBe(BLOCKS);
  expect(reader.filled).toBe(1);
  const first = reader.next()!;
  const second = reader.next()!;
  expect(put(writer, 9, 8)).toBe(false);
  // the ring goes on where it stopped: the second one is not next
  reader.giveBack(second);
  expect(put(writer, 9, 8)).toBe(false);
  reader.giveBack(first);
  expect(put(writer, 9, 8)).toBe(true);
});

test('at most so many entries wait', () => {
  const { writer, reader } = channel(3);
  expect([0, 1, 2, 3].map((number) => put(writer, number, 8))).toEqual([true, true, true, false]);
  writer.publish();
  expect(put(writer, 4, 8)).toBe(false);
  expect(reader.filled).toBe(1);
  reader.giveBack(reader.next()!);
  expect(put(writer, 5, 8)).toBe(true);
});

test('an entry larger than a block has no room', () => {
  expect(channel().writer.reserve(CHANNEL_BLOCK_BYTES + 4)).toBe(-1);
});

test('a reader that takes the place of another begins with the first block that was not given back', () => {
  const { memory, writer, reader } = channel();
  for (const number of [0, 1, 2]) {
    put(writer, number, 8);
    writer.publish();
  }
  const [first, second] = [reader.next()!, reader.next()!];
  reader.giveBack(first);
  expect(numbersIn(second)).toEqual([1]);
  const next = new ChannelReader(memory);
  expect([next.next(), next.next(), next.next()].map((block) => block && numbersIn(block))).toEqual([
    [1],
    [2],
    undefined,
  ]);
});

test('the writer knows whether somebody waits, and why the ring is full', () => {
  const { writer, reader } = channel();
  expect(writer.isAwaited).toBe(true);
  put(writer, 0, 8);
  writer.publish();
  expect(writer.isAwaited).toBe(false);
  reader.next();
  expect(writer.isAwaited).toBe(true);
  expect(writer.fullReason).toBe(FullReason.queue);
  reader.setFullReason(FullReason.spool);
  expect(writer.fullReason).toBe(FullReason.spool);
});

const writingThread = `
const { workerData, parentPort } = require('node:worker_threads');
import(workerData.module).then(async ({ ChannelWriter }) => {
  const writer = new ChannelWriter(workerData.memory);
  for (let number = 0; number < workerData.count; ) {
    const at = writer.reserve(1000);
    if (at < 0) { await new Promise((resolve) => setTimeout(resolve, 1)); continue; }
    writer.block.bytes.writeUInt32LE(number++, at);
    writer.block.bytes.writeUInt32LE(1000, at + 4);
    writer.commit(at + 1000, 1);
    if (number % 97 === 0 && writer.isAwaited) writer.publish();
  }
  writer.close();
});`;

test('numbers of blocks wrap', () => {
  const { memory } = channel();
  new Int32Array(memory.state).fill(0x7fff_fffe, 0, 2);
  const [writer, reader] = [new ChannelWriter(memory), new ChannelReader(memory)];
  const held: ChannelBlock[] = [];
  for (let number = 0; number < 12; number++) {
    expect(put(writer, number, 8)).toBe(true);
    writer.publish();
    expect(numbersIn(new ChannelReader(memory).next()!)[0]).toBe(Math.max(0, number - 1));
    held.push(reader.next()!);
    if (held.length > 1) reader.giveBack(held.shift()!);
    expect(numbersIn(held[0]!)).toEqual([number]);
  }
});

test('from thread to thread: 50,000 entries through a ring of four blocks', async () => {
  const count = 50_000;
  const { memory, reader } = channel();
  const module = new URL('../../../../src/pipeline/channel/channel-writer.ts', import.meta.url).href;
  const thread = new Worker(writingThread, { eval: true, workerData: { memory, count, module } });
  let next = 0;
  while (!reader.ended) {
    const block = reader.next();
    if (block === undefined) {
      await reader.wait(1000);
      continue;
    }
    for (const number of numbersIn(block)) expect(number).toBe(next++);
    reader.giveBack(block);
  }
  expect(next).toBe(count);
  await thread.terminate();
}, 60_000);
