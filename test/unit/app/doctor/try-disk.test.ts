import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tryDisks } from '../../../../src/app/doctor/try-disk.ts';
import { loadConfig } from '../../../../src/config/load.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mirrortap-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function disksOf(...set: string[]): ReturnType<typeof tryDisks> {
  return tryDisks(loadConfig({ environment: {}, set: ['sinks.captures.kind=files', ...set] }));
}

test('a disk is written to, and nothing stays', async () => {
  mkdirSync(join(folder, 'captures'));
  const directory = join(folder, 'captures');
  const [fact] = await disksOf(`sinks.captures.directory=${directory}`, 'sinks.captures.keepFreePercent=0');
  expect(fact).toMatchObject({ sink: 'captures', directory, keepFreePercent: 0, refusal: undefined });
  expect(fact?.bytesPerSecond).toBeGreaterThan(0);
  const { blocks, bsize } = statfsSync(directory);
  expect(fact?.totalBytes).toBe(blocks * bsize);
  expect(fact?.freeBytes).toBeLessThanOrEqual(blocks * bsize);
  expect(readdirSync(directory)).toEqual([]);
});

test('a folder that is not there yet is not made', async () => {
  const directory = join(folder, 'a', 'b');
  const [fact] = await disksOf(`sinks.captures.directory=${directory}`, 'sinks.captures.keepFreePercent=0');
  expect(fact).toMatchObject({ directory, refusal: undefined });
  expect(readdirSync(folder)).toEqual([]);
});

test('a disk without the room is left alone', async () => {
  const [fact] = await disksOf(`sinks.captures.directory=${folder}`, 'sinks.captures.keepFreePercent=90');
  expect(fact).toMatchObject({ refusal: undefined, bytesPerSecond: undefined });
  expect(readdirSync(folder)).toEqual([]);
});

test('a file in the place of a folder is said', async () => {
  const directory = join(folder, 'file');
  writeFileSync(directory, '');
  const [fact] = await disksOf(`sinks.captures.directory=${directory}`);
  expect(fact).toMatchObject({ refusal: 'ENOTDIR', totalBytes: 0 });
});

test('the folder of flow records is tried too, but not how fast it is', async () => {
  const [, fact] = await disksOf('sinks.flows.kind=flow-files', `sinks.flows.directory=${folder}`);
  expect(fact).toMatchObject({
    sink: 'flows',
    keeps: 'records',
    refusal: undefined,
    bytesPerSecond: undefined,
  });
  expect(fact?.totalBytes).toBeGreaterThan(0);
});

test('a sink that is off has no disk', async () => {
  expect(await disksOf('sinks.captures.enabled=false')).toEqual([]);
});
