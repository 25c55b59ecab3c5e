import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { array, assert, asyncProperty, constantFrom, integer, nat, oneof, record } from 'fast-check';
import { expect, test } from 'vitest';
import { makeLane } from '../../../../src/packet/lane.ts';
import { LinkType } from '../../../../src/packet/link-type.ts';
import { livePipe } from '../../../../src/sinks/pipe/create.ts';
import { pipeDropReasons } from '../../../../src/sinks/pipe/drop-reasons.ts';
import type { PipeSink } from '../../../../src/sinks/pipe/pipe-sink.ts';
import { batchOf, numbered, numberedFrame } from '../../../support/batches.ts';
import { PipeReader, pipeSettingsWith } from '../../../support/pipe-reader.ts';
import { sinkContext, type TestSinkContext } from '../../../support/sink-context.ts';
import { withFolder } from '../../../support/tshark.ts';

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const PACKET = 6;

interface Bench {
  readonly sink: PipeSink;
  readonly reader: PipeReader;
  readonly context: TestSinkContext;
  /** What the reader was given, block by block: `section`, names of interfaces, `name number` of packets. */
  read(): string[];
  /** Hands over a batch and counts it as delivered, as the pipeline does. */
  deliver(batch: ReturnType<typeof numbered>): Promise<void>;
}

function onBench(
  work: (bench: Bench) => Promise<void>,
  { queueBytes = 1_048_576, isThere = true } = {},
): Promise<void> {
  return withFolder(async (folder) => {
    const file = join(folder, 'read');
    const reader = new PipeReader(file);
    reader.isThere = isThere;
    const context = sinkContext(pipeDropReasons);
    const settings = pipeSettingsWith({ queueBytes });
    const sink = livePipe(settings, context, { source: reader, tickMs: 0, patienceMs: 50 });
    await sink.open();
    const deliver: Bench['deliver'] = (batch) => {
      context.counters.addDelivered(batch.deliveredCount);
      return sink.write(batch);
    };
    const read = (): string[] => (existsSync(file) ? blocksOf(readFileSync(file)) : []);
    await work({ sink, reader, context, read, deliver });
  });
}

function blocksOf(bytes: Buffer): string[] {
  const blocks: string[] = [];
  let names: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32LE(at + 4)) {
    const type = bytes.readUInt32LE(at);
    if (type === SECTION) {
      names = [];
      blocks.push('section');
    } else if (type === INTERFACE) {
      const name = bytes.toString('utf8', at + 20, at + 20 + bytes.readUInt16LE(at + 18));
      names.push(name);
      blocks.push(name);
    } else if (type === PACKET && at + bytes.readUInt32LE(at + 4) <= bytes.length) {
      blocks.push(`${names[bytes.readUInt32LE(at + 8)]} ${bytes.readUInt32BE(at + 28)}`);
    }
  }
  return blocks;
}

test('a reader is given a section at once, an interface when it first has a packet, and packets without delay', () =>
  onBench(async ({ sink, read, deliver }) => {
    await sink.flush();
    expect(read()).toEqual(['section']);
    await deliver(numbered(2));
    await sink.flush();
    await deliver(numbered(1, 2, 9));
    await sink.flush();
    await deliver(numbered(1, 3));
    await sink.flush();
    expect(read()).toEqual(['section', 'vni-0', 'vni-0 0', 'vni-0 1', 'vni-9', 'vni-9 2', 'vni-0 3']);
    await sink.close();
  }));

test('a lane that takes the slot of another is another interface', () =>
  onBench(async ({ sink, context, read, deliver }) => {
    await deliver(numbered(1));
    context.lanes.replace(0, makeLane(2, 5, false, 0, 0, LinkType.raw));
    await deliver(numbered(1, 1));
    await sink.close();
    expect(read()).toEqual(['section', 'vni-0', 'vni-0 0', 'geneve-5-ip', 'geneve-5-ip 1']);
  }));

test('while nobody reads, packets are dropped as noReader, and the sink says so', () =>
  onBench(
    async ({ sink, reader, context, read, deliver }) => {
      await deliver(numbered(3));
      expect(context.dropped()).toEqual({ noReader: 3 });
      expect(context.counters.failingReason).toBe('noReader');
      expect(context.lines).toEqual([
        'warn: Nobody reads the pipe yet: packets are dropped until somebody does.',
      ]);
      reader.isThere = true;
      context.clock.ms += 1000;
      await deliver(numbered(1, 3));
      await sink.flush();
      expect(context.counters.failingReason).toBeUndefined();
      expect(context.lines.at(-1)).toBe('info: The pipe has a reader.');
      expect(read()).toEqual(['section', 'vni-0', 'vni-0 3']);
      await sink.close();
    },
    { isThere: false },
  ));

test('a reader that comes after another is given a section of its own', () =>
  onBench(async ({ sink, reader, context, read, deliver }) => {
    await deliver(numbered(1));
    await sink.flush();
    reader.isThere = false;
    await deliver(numbered(1, 1));
    await sink.flush();
    reader.isThere = true;
    context.clock.ms += 1000;
    await deliver(numbered(1, 2));
    await sink.close();
    expect(read()).toEqual(['section', 'vni-0', 'vni-0 0', 'section', 'vni-0', 'vni-0 2']);
    expect(context.dropped()).toEqual({ noReader: 1 });
    expect(reader.closed).toBe(2);
  }));

test('a reader that takes nothing costs packets, no memory and no time', () =>
  onBench(async ({ sink, reader, context, read, deliver }) => {
    reader.isReading = false;
    const frames = Array.from({ length: 100 }, (_, i) => ({ frame: numberedFrame(i, 1400) }));
    for (let i = 0; i < 50; i++) await deliver(batchOf(frames));
    const { counters } = context;
    expect(counters.failingReason).toBe('queueFull');
    expect(counters.pendingBytes).toBeLessThanOrEqual(1_048_576);
    expect(counters.pending).toBeGreaterThan(500);
    expect(counters.pending + (context.dropped()['queueFull'] ?? 0)).toBe(5000);
    reader.isReading = true;
    await sink.flush();
    expect(counters).toMatchObject({ pending: 0, pendingBytes: 0, failingReason: undefined });
    expect(read().filter((block) => block.startsWith('vni-0 '))).toHaveLength(counters.written);
    await sink.close();
  }));

test('at the end a reader that takes nothing is waited for a while, then its packets are dropped as notRead', () =>
  onBench(async ({ sink, reader, context, deliver }) => {
    await sink.flush();
    reader.isReading = false;
    await deliver(numbered(7));
    await sink.close();
    expect(context.dropped()).toEqual({ notRead: 7 });
    expect(context.counters).toMatchObject({ pending: 0, pendingBytes: 0 });
    expect(reader.closed).toBe(1);
  }));

test('of a chunk that was half taken, the whole packets count as written', () =>
  onBench(async ({ sink, reader, context, read, deliver }) => {
    await sink.flush();
    reader.leavesAfterBytes = 500;
    await deliver(numbered(10));
    await sink.flush();
    const written = read().filter((block) => block.startsWith('vni-0 ')).length;
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(10);
    expect(context.counters).toMatchObject({ written, pending: 0, pendingBytes: 0 });
    expect(context.dropped()).toEqual({ noReader: 10 - written });
    await sink.close();
  }));

test('whatever a reader does, what it reads is whole blocks in order, and the ledger adds up', () =>
  assert(
    asyncProperty(
      array(
        oneof(
          record({ packets: integer({ min: 1, max: 40 }), lane: nat(3) }),
          constantFrom('stop', 'go', 'leave', 'come', 'flush'),
          record({ bytesAtATime: integer({ min: 1, max: 3000 }) }),
        ),
        { maxLength: 30 },
      ),
      (steps) =>
        onBench(async ({ sink, reader, context, read, deliver }) => {
          let number = 0;
          for (const step of steps) {
            context.clock.ms += 200;
            if (step === 'stop' || step === 'go') reader.isReading = step === 'go';
            else if (step === 'leave' || step === 'come') reader.isThere = step === 'come';
            else if (step === 'flush') await sink.flush();
            else if ('bytesAtATime' in step) reader.bytesAtATime = step.bytesAtATime;
            else {
              await deliver(numbered(step.packets, number, step.lane));
              number += step.packets;
            }
          }
          await sink.close();
          const { counters } = context;
          expect(counters).toMatchObject({ delivered: number, pending: 0, pendingBytes: 0 });
          expect(counters.written + counters.droppedTotal).toBe(number);
          const isCut = reader.opened > 1 || !reader.isThere || !reader.isReading;
          if (isCut) return;
          const numbers = read().flatMap((block) => /^vni-\d+ (\d+)$/.exec(block)?.[1] ?? []);
          expect(numbers.map(Number)).toEqual(numbers.map(Number).toSorted((a, b) => a - b));
          expect(numbers).toHaveLength(counters.written);
        }),
    ),
    { numRuns: 60 },
  ));
