import { expect, test } from 'vitest';
import { CaptureFile, Track } from '../../../../src/sinks/files/capture-file.ts';
import { ChunkPool } from '../../../../src/sinks/files/chunk-pool.ts';
import type { Destination, OutFile } from '../../../../src/sinks/files/destination.ts';
import { Writer } from '../../../../src/sinks/files/writer.ts';

const LIMITS = { bytes: Infinity, seconds: Infinity, packets: Infinity };

/** A writer whose every write and finish takes a turn of the event loop, and what it did in which order. */
function makeWriter(): { writer: Writer; done: string[]; pool: ChunkPool } {
  const done: string[] = [];
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const out = (path: string): OutFile => ({
    path,
    append: async () => {
      await turn();
      done.push(`write ${path}`);
    },
    sync: turn,
    finish: turn,
    discard: turn,
  });
  const destination: Destination = {
    open: turn,
    create: async (stem) => out(stem),
    close: turn,
  };
  const events = {
    settled: () => {},
    failed: () => {},
    finish: async (file: CaptureFile) => {
      await turn();
      done.push(`finish ${file.track.stem}`);
    },
  };
  return { writer: new Writer(destination, events, 2), done, pool: new ChunkPool(64 * 1024 * 1024) };
}

function addFile(writer: Writer, pool: ChunkPool, track: Track): void {
  const file = new CaptureFile(track, LIMITS, 0, 0);
  const chunk = pool.take(4096, 4096);
  if (chunk === undefined) throw new Error('no memory');
  writer.add(track, { file, chunk });
  writer.add(track, { file, chunk: undefined });
}

test('a file is finished after its last chunk', async () => {
  const { writer, done, pool } = makeWriter();
  addFile(writer, pool, new Track('a', 4096));
  await writer.whenIdle();
  expect(done).toEqual(['write a', 'finish a']);
});

test('thousands of files that end at once hold up neither other lanes nor their own next file', async () => {
  const { writer, done, pool } = makeWriter();
  const tracks = Array.from({ length: 4096 }, (_, i) => new Track(`lane${i}`, 4096));
  for (const track of tracks) addFile(writer, pool, track);
  // all is written but the ends
  while (done.filter((what) => what.startsWith('write')).length < tracks.length) await writer.progress();
  const before = done.length;
  addFile(writer, pool, new Track('busy', 4096));
  addFile(writer, pool, tracks[4095] as Track);
  await writer.whenIdle();
  const later = done.slice(before);
  expect(later.indexOf('write busy')).toBeLessThan(20);
  expect(later.indexOf('write lane4095')).toBeLessThan(20);
  expect(done.filter((what) => what.startsWith('finish'))).toHaveLength(4098);
});

test('files end while writes go on without a pause', async () => {
  const { writer, done, pool } = makeWriter();
  const busy = new Track('busy', 4096);
  const file = new CaptureFile(busy, LIMITS, 0, 0);
  for (let i = 0; i < 20; i++) addFile(writer, pool, new Track(`lane${i}`, 4096));
  for (let i = 0; i < 400; i++) {
    const chunk = pool.take(4096, 4096);
    if (chunk !== undefined) writer.add(busy, { file, chunk });
  }
  while (done.filter((what) => what.startsWith('finish')).length < 20) await writer.progress();
  expect(done.filter((what) => what === 'write busy').length).toBeLessThan(400);
  await writer.whenIdle();
});
