import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TEST_SECONDS } from '../../../support/batches.ts';
import { flowFiles, LiveFlows, numbersIn } from '../../../support/live-flows.ts';
import { withFolder } from '../../../support/tshark.ts';

const START = '20261121T040000Z';
const upTo = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i);

test('a file is called .part while it grows', () =>
  withFolder(async (directory) => {
    const flows = new LiveFlows(directory);
    const { sink, context } = flows;
    await sink.open();
    flows.give(3);
    await sink.flush();
    expect(flowFiles(directory)).toEqual([`${START}-000001-w0.ndjson.part`]);
    expect(context.files).toEqual([]);
    await sink.close();
    expect(flowFiles(directory)).toEqual([`${START}-000001-w0.ndjson`]);
    expect(context.files).toEqual([`${START}-000001-w0.ndjson`]);
    expect(numbersIn(flows.directory, `${START}-000001-w0.ndjson`)).toEqual([0, 1, 2]);
  }));

test('its folder and itself are closed to others', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'a/flows');
    const flows = new LiveFlows(directory);
    const { sink } = flows;
    await sink.open();
    flows.give(1);
    await sink.close();
    expect(statSync(directory).mode & 0o027).toBe(0);
    expect(statSync(join(directory, flowFiles(directory)[0] ?? '')).mode & 0o027).toBe(0);
  }));

test('by bytes: no file grows past the limit, and nothing is lost between two', () =>
  withFolder(async (directory) => {
    const flows = new LiveFlows(directory, { rotateBytes: 65_536 });
    const { sink, context } = flows;
    await sink.open();
    flows.give(500);
    await sink.close();
    const sizes = context.files.map((name) => statSync(join(directory, name)).size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(64_000);
    expect(context.files.flatMap((name) => numbersIn(directory, name))).toEqual(upTo(500));
    expect(context.counters).toMatchObject({ written: 500, pending: 0, pendingBytes: 0 });
  }));

test('by time: a record that comes late begins the next file', () =>
  withFolder(async (directory) => {
    const flows = new LiveFlows(directory, { rotateSeconds: 300 });
    const { sink, context } = flows;
    await sink.open();
    flows.give(2);
    context.clock.ms += 299_999;
    flows.give(1, 2);
    context.clock.ms += 1;
    flows.give(1, 3);
    await sink.close();
    expect(context.files).toEqual([`${START}-000001-w0.ndjson`, '20261121T040500Z-000002-w0.ndjson']);
    expect(context.files.map((name) => numbersIn(directory, name))).toEqual([[0, 1, 2], [3]]);
  }));

test('by time: a file is finished although no record comes any more', () =>
  withFolder(async (directory) => {
    const flows = new LiveFlows(directory, { rotateSeconds: 300 });
    await flows.sink.open();
    flows.give(1);
    await flows.pass(299_000);
    expect(flows.context.files).toEqual([]);
    await flows.pass(1000);
    expect(flows.context.files).toEqual([`${START}-000001-w0.ndjson`]);
    await flows.sink.close();
    expect(flowFiles(directory)).toHaveLength(1);
  }));

test('what is a second old is written, also where little comes', () =>
  withFolder(async (directory) => {
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    flows.give(1);
    await flows.pass(500);
    expect(flows.context.counters.written).toBe(0);
    await flows.pass(500);
    expect(flows.context.counters.written).toBe(1);
    await flows.sink.close();
  }));

test('numbers go on after a restart, a number of its own for each worker', () =>
  withFolder(async (directory) => {
    for (const [worker, after] of [
      [0, 0],
      [0, 1],
      [1, 2],
      [0, 3],
    ] as const) {
      const flows = new LiveFlows(directory, {}, { worker, atMs: (TEST_SECONDS + after) * 1000 });
      await flows.sink.open();
      flows.give(1);
      await flows.sink.close();
    }
    expect(flowFiles(directory)).toEqual([
      '20261121T040000Z-000001-w0.ndjson',
      '20261121T040001Z-000002-w0.ndjson',
      '20261121T040002Z-000001-w1.ndjson',
      '20261121T040003Z-000003-w0.ndjson',
    ]);
  }));

test('a name that another process has taken meanwhile is passed over', () =>
  withFolder(async (directory) => {
    const flows = new LiveFlows(directory, { rotateSeconds: 300 });
    await flows.sink.open();
    flows.give(1);
    await flows.pass(300_000);
    writeFileSync(join(directory, '20261121T040500Z-000002-w0.ndjson'), 'of another process\n');
    flows.give(1, 1);
    await flows.sink.close();
    expect(flows.context.files).toEqual([`${START}-000001-w0.ndjson`, '20261121T040500Z-000003-w0.ndjson']);
  }));
