import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../../../src/store/file-system.ts';
import { ownerName, register, thisProcess } from '../../../../src/store/owner.ts';
import { flowFiles, LiveFlows } from '../../../support/live-flows.ts';
import { withFolder } from '../../../support/tshark.ts';

const LINE = '{"a":1}\n';
const self = thisProcess();
/** Init lives as long as we do. */
const other = { pid: 1, startTicks: startTicksOf(1), place: self.place };

function startTicksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

/** Leaves a file as a worker does that was killed. */
function leave(directory: string, name: string, text: string, ageSeconds = 3600): void {
  writeFileSync(join(directory, name), text);
  const seconds = Date.now() / 1000 - ageSeconds;
  utimesSync(join(directory, name), seconds, seconds);
}

function owners(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('.owner-'));
}

const name = (worker: number) => `20261121T030000Z-000007-w${worker}.ndjson`;

test.each([
  ['whole', LINE.repeat(3), LINE.repeat(3)],
  ['with half a record at its end', `${LINE}{"b":`, LINE],
  ['with a long half record', LINE + 'x'.repeat(200_000), LINE],
])('a file %s is finished when the worker begins again', (_what, left, want) =>
  withFolder(async (directory) => {
    leave(directory, `${name(0)}.part`, left);
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    expect(flowFiles(directory)).toEqual([name(0)]);
    expect(readFileSync(join(directory, name(0)), 'utf8')).toBe(want);
    expect(flows.context.lines).toEqual(['info: Flow files that an ended worker left were finished.']);
    expect(flows.context.news).toEqual([{ event: 'recovered', path: name(0), bytes: want.length }]);
    flows.give(1);
    await flows.sink.close();
    expect(flowFiles(directory)).toContain('20261121T040000Z-000008-w0.ndjson');
  }),
);

test.each([
  ['nothing', ''],
  ['half a record', '{"a":'],
])('a file that holds %s is removed', (_what, left) =>
  withFolder(async (directory) => {
    leave(directory, `${name(0)}.part`, left);
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    await flows.sink.close();
    expect(flowFiles(directory)).toEqual([]);
  }),
);

test('a run with fewer workers finishes what the others left', () =>
  withFolder(async (directory) => {
    leave(directory, `${name(5)}.part`, LINE);
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    await flows.sink.close();
    expect(flowFiles(directory)).toEqual([name(5)]);
  }));

test('what a worker of this process is writing is left alone', () =>
  withFolder(async (directory) => {
    const first = new LiveFlows(directory, {}, { worker: 1 });
    await first.sink.open();
    first.give(1);
    await first.sink.flush();
    const second = new LiveFlows(directory, {}, { worker: 0 });
    await second.sink.open();
    await second.pass(120_000);
    expect(flowFiles(directory)).toEqual(['20261121T040000Z-000001-w1.ndjson.part']);
    await second.sink.close();
    // the process still writes here
    expect(owners(directory)).toEqual([ownerName(self)]);
    await first.sink.close();
    expect(owners(directory)).toEqual([]);
    expect(flowFiles(directory)).toEqual(['20261121T040000Z-000001-w1.ndjson']);
  }));

test('what another living process may be writing is left alone, and finished once it has ended', () =>
  withFolder(async (directory) => {
    register(nodeFileSystem, directory, other);
    leave(directory, `${name(0)}.part`, LINE, -1);
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    await flows.pass(1000);
    expect(flowFiles(directory)).toEqual([`${name(0)}.part`]);
    // its owner has ended, and wrote last before we began
    writeFileSync(join(directory, `.owner-${2 ** 30}-1`), JSON.stringify({ place: self.place, sinceMs: 1 }));
    nodeFileSystem.unlinkSync(join(directory, ownerName(other)));
    utimesSync(join(directory, `${name(0)}.part`), 1000, 1000);
    await flows.pass(60_000);
    expect(flowFiles(directory)).toEqual([name(0)]);
    expect(owners(directory)).toEqual([ownerName(self)]);
    await flows.sink.close();
  }));

test('a finished file of that name is never replaced', () =>
  withFolder(async (directory) => {
    writeFileSync(join(directory, name(0)), 'finished\n');
    leave(directory, `${name(0)}.part`, LINE);
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    await flows.sink.close();
    expect(readFileSync(join(directory, name(0)), 'utf8')).toBe('finished\n');
    expect(existsSync(join(directory, `${name(0)}.part`))).toBe(true);
  }));

test.each(['.zst', '.gz'])('nor one that is compressed by now, and numbers go on after it: %s', (suffix) =>
  withFolder(async (directory) => {
    writeFileSync(join(directory, name(0) + suffix), 'compressed');
    leave(directory, `${name(0)}.part`, LINE);
    leave(directory, `${name(0)}${suffix}.part`, 'being compressed');
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    flows.give(1);
    await flows.sink.close();
    expect(flowFiles(directory)).toEqual(
      [
        `${name(0)}${suffix}`,
        `${name(0)}${suffix}.part`,
        `${name(0)}.part`,
        '20261121T040000Z-000008-w0.ndjson',
      ].toSorted(),
    );
    expect(readFileSync(join(directory, name(0) + suffix), 'utf8')).toBe('compressed');
  }),
);

test('files of others are left alone', () =>
  withFolder(async (directory) => {
    for (const odd of ['x.ndjson.part', '20261121T030000Z-000007-w0.pcapng.part', 'a.part']) {
      leave(directory, odd, 'half');
    }
    const flows = new LiveFlows(directory);
    await flows.sink.open();
    await flows.sink.close();
    expect(readdirSync(directory).sort()).toEqual([
      '20261121T030000Z-000007-w0.pcapng.part',
      'a.part',
      'x.ndjson.part',
    ]);
  }));
