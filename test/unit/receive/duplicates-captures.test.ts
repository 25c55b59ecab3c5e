import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CaptureFileInput } from '../../../src/inputs/capture-file.ts';
import { DuplicateBench, type Source } from '../../support/duplicate-bench.ts';
import { makeBench } from '../../support/receiving.ts';
import { requiresCaptures } from '../../support/requires.ts';
import { change } from '../../support/tunnels.ts';

/** A frame that a capture delivers, and when: microseconds since its first. */
interface Delivered {
  readonly frame: Buffer;
  readonly timeUs: number;
}

async function framesOf(path: string): Promise<Delivered[]> {
  const { receiver } = makeBench({ maxLanes: 64 });
  const frames: Delivered[] = [];
  let startUs: number | undefined;
  const input = new CaptureFileInput({ path });
  await input.open();
  await input.run(async (batch) => {
    receiver.process(batch);
    for (const slot of batch.delivered.subarray(0, batch.deliveredCount)) {
      const us = batch.seconds[slot]! * 1e6 + Math.floor(batch.nanoseconds[slot]! / 1000);
      startUs ??= us;
      const frame = Buffer.from(batch.bytes.subarray(batch.frameAt[slot], batch.frameEnd[slot]));
      frames.push({ frame, timeUs: us - startUs });
    }
  });
  return frames;
}

/** What the other end sees of a frame: other hardware addresses, and IPv4 one hop further. */
function atOtherEnd(frame: Buffer): Buffer {
  const copy = change(frame, 0, '0a0000000001 0a0000000002');
  if (copy.length < 34 || copy.readUInt16BE(12) !== 0x0800) return copy;
  copy[22]!--;
  // RFC 1624: one less in the upper byte of a word, one more in the sum
  const sum = copy.readUInt16BE(24) + 0x0100;
  copy.writeUInt16BE((sum & 0xffff) + (sum >>> 16), 24);
  return copy;
}

const near: Source = { mirror: 1, vni: 42 };

/** Delivers each packet twice, the second time so much later; how many first and second ones were called copies. */
function twice(frames: readonly Delivered[], far: Source, laterUs: number) {
  const bench = new DuplicateBench({ memoryBytes: 1 << 20 });
  const events = frames.flatMap(({ frame, timeUs }) => [
    { frame, timeUs, source: near },
    { frame: atOtherEnd(frame), timeUs: timeUs + laterUs, source: far },
  ]);
  const copies = { near: 0, far: 0 };
  for (const { frame, timeUs, source } of events.toSorted((a, b) => a.timeUs - b.timeUs)) {
    if (bench.see(frame, source, timeUs)) copies[source === near ? 'near' : 'far']++;
  }
  return copies;
}

const folder = requiresCaptures();

describe.skipIf(folder === undefined)('real captures, mirrored at both ends', () => {
  const names = readdirSync(folder ?? '.').filter((name) => /^(aws|zeek-vxlan).*\.pcap$/.test(name));

  test.each(names)('%s: every copy is found, and nothing else is', async (name) => {
    const frames = await framesOf(join(folder!, name));
    expect(frames.length).toBeGreaterThan(0);
    for (const far of [
      { mirror: 2, vni: 42 },
      { mirror: 1, vni: 43 },
      { mirror: 2, vni: 4242 },
    ]) {
      for (const laterUs of [0, 700, 99_000]) {
        expect(twice(frames, far, laterUs)).toEqual({ near: 0, far: frames.length });
      }
      expect(twice(frames, far, 1e9)).toEqual({ near: 0, far: 0 });
    }
    expect(twice(frames, near, 700)).toEqual({ near: 0, far: 0 });
  });
});

test('the frames of vxlan-sessions.pcapng, mirrored at both ends', async () => {
  const frames = await framesOf(join(import.meta.dirname, '../../../samples/vxlan-sessions.pcapng'));
  const own = frames.filter(({ frame }, i) => frames.findIndex((other) => other.frame.equals(frame)) === i);
  expect(own.length).toBeGreaterThan(100);
  for (const far of [
    { mirror: 2, vni: 42 },
    { mirror: 2, vni: 4242 },
  ]) {
    expect(twice(own, far, 300)).toEqual({ near: 0, far: own.length });
  }
});
