import { expect, test } from 'vitest';
import { noClosedLanes } from '../../../src/observe/report.ts';
import { buildReport, laneTotals } from '../../../src/app/build-report.ts';
import { FileList } from '../../../src/app/file-list.ts';
import { sinkCountersOf, tallyOf } from '../../../src/app/shared-memory.ts';
import {
  ledgerBytesDifference,
  ledgerDifference,
  type Report,
  REPORT_FILES_MAX,
} from '../../../src/observe/report.ts';
import { LaneCounter } from '../../../src/receive/lane-counters.ts';
import { count, Tally } from '../../../src/receive/tally.ts';
import { Fault } from '../../../src/wire/fault.ts';
import { CountedMemory } from '../../support/counted-memory.ts';

const plan = { name: 'captures', kind: 'files', takes: 'packets', dropReasons: ['diskFull'] } as const;

function reportOf(counted: CountedMemory, more: Partial<Parameters<typeof buildReport>[2]> = {}): Report {
  return buildReport(counted.memory, counted.lanes, {
    kernelDrops: 0,
    closedLanes: noClosedLanes,
    files: new FileList(),
    behindGwlb: false,
    running: true,
    ...more,
  });
}

test('nothing received: nothing in the report, and it adds up', () => {
  const report = reportOf(new CountedMemory(3, 4, [plan]));
  expect(report.input).toEqual({ packets: 0, bytes: 0 });
  expect(report.lanes).toEqual([]);
  expect(report.sinks).toEqual([
    {
      name: 'captures',
      kind: 'files',
      delivered: 0,
      written: 0,
      filtered: 0,
      dropped: {},
      pending: 0,
      pendingBytes: 0,
    },
  ]);
  expect(ledgerDifference(report)).toBe(0);
});

test('counters of all workers are summed, and every bucket is told', () => {
  const counted = new CountedMemory(2, 4);
  counted.frame(0, 42, 1);
  counted.frame(1, 42, 2);
  counted.frame(1, 7, 3);
  for (const worker of [0, 1]) {
    counted.other(worker, Tally.notTunnel, 0);
    counted.other(worker, Tally.filteredSource);
    counted.other(worker, Tally.filteredMirrorSource);
    counted.other(worker, Tally.filteredVni);
    counted.other(worker, Tally.duplicate);
    counted.other(worker, Tally.held);
    counted.other(worker, Tally.lost);
    counted.other(worker, Tally.fault + 2 * Fault.vxlanNoVni);
  }
  counted.other(1, Tally.fault + 2 * Fault.geneveVersion);

  const report = reportOf(counted, { kernelDrops: 5 });
  expect(report.ledger).toEqual({
    received: 20,
    delivered: 3,
    notTunnel: 2,
    filtered: 6,
    duplicate: 2,
    fault: { vxlanNoVni: 2, geneveVersion: 1 },
    held: 2,
    dropped: { kernel: 5, worker: 2 },
  });
  expect(report.ledgerBytes).toMatchObject({ received: 3 * 108 + 15 * 30, delivered: 324, notTunnel: 0 });
  expect(report.ledgerBytes.dropped).toEqual({ kernel: 0, worker: 60 });
  expect(report.filteredBy).toEqual({ source: 2, mirrorSource: 2, vni: 2 });
  expect(report.input).toEqual({ packets: 20, bytes: 3 * 150 + 2 * 42 + 15 * 72 });
  expect([ledgerDifference(report), ledgerBytesDifference(report)]).toEqual([0, 0]);
});

const times = [
  {
    name: 'one after the other',
    frames: [
      [0, 10, 5],
      [1, 20, 6],
    ],
    first: [10, 5],
    last: [20, 6],
  },
  {
    name: 'the other way round',
    frames: [
      [0, 20, 6],
      [1, 10, 5],
    ],
    first: [10, 5],
    last: [20, 6],
  },
  {
    name: 'one within the other',
    frames: [
      [0, 10, 0],
      [0, 40, 0],
      [1, 20, 0],
      [1, 30, 0],
    ],
    first: [10, 0],
    last: [40, 0],
  },
  {
    name: 'the same second',
    frames: [
      [0, 10, 700],
      [1, 10, 600],
      [1, 10, 800],
    ],
    first: [10, 600],
    last: [10, 800],
  },
  { name: 'only the second worker', frames: [[1, 10, 1]], first: [10, 1], last: [10, 1] },
  {
    name: 'at the beginning of time',
    frames: [
      [0, 0, 0],
      [1, 5, 0],
    ],
    first: [0, 0],
    last: [5, 0],
  },
] as const;

test.each(times)('earliest and latest of a lane on two workers: $name', ({ frames, first, last }) => {
  const counted = new CountedMemory(2, 4);
  for (const [worker, seconds, nanoseconds] of frames) counted.frame(worker, 42, seconds, nanoseconds);
  const slot = [0, 1, 2, 3].find((candidate) => counted.lanes.isUsed(candidate)) ?? -1;
  const totals = laneTotals(counted.memory, counted.lanes, slot);
  const at = (index: number): (number | undefined)[] => [totals[index], totals[index + 1]];
  expect(at(LaneCounter.firstSeconds)).toEqual(first);
  expect(at(LaneCounter.lastSeconds)).toEqual(last);
  expect(totals[LaneCounter.packets]).toBe(frames.length);
  expect(totals[LaneCounter.bytes]).toBe(100 * frames.length);
  expect(totals[LaneCounter.wireBytes]).toBe(107 * frames.length);
});

test('a lane is told with its files: all of them in number, the newest by name', () => {
  const counted = new CountedMemory(1, 4);
  counted.frame(0, 42, 1_561_629_600, 250_000_000);
  const files = new FileList();
  const [lane] = reportOf(counted).lanes;
  expect(lane?.first).toBe('2019-06-27T10:00:00.250000000Z');
  expect([lane?.fileCount, lane?.files]).toEqual([0, []]);
  for (let number = 0; number <= REPORT_FILES_MAX; number++) {
    files.add({
      path: `vni-42/${number}`,
      bytes: 1,
      packets: 1,
      lanes: [
        {
          name: 'vni-42',
          packets: 1,
          dropped: 0,
          firstSeconds: 0,
          firstNanoseconds: 0,
          lastSeconds: 0,
          lastNanoseconds: 0,
        },
      ],
    });
  }
  const told = reportOf(counted, { files }).lanes[0];
  expect(told?.fileCount).toBe(REPORT_FILES_MAX + 1);
  expect(told?.files.length).toBe(REPORT_FILES_MAX);
  expect(told?.files[0]).toBe('vni-42/1');
  expect(told?.files.at(-1)).toBe(`vni-42/${REPORT_FILES_MAX}`);
});

test('what analysis says of a lane is told over all workers', () => {
  const counted = new CountedMemory(2, 4);
  for (const worker of [0, 1]) {
    counted.frame(worker, 42, 1);
    const row = counted.lanes.counters(worker);
    const { late, gaps, duplicates, reordered, tcpFlows, oneSidedFlows, ackedBytes, unseenBytes } =
      LaneCounter;
    const indexes = [late, gaps, duplicates, reordered, tcpFlows, oneSidedFlows, ackedBytes, unseenBytes];
    for (const [place, index] of indexes.entries()) row[index] = 10 ** worker * (place + 1);
  }
  expect(reportOf(counted).lanes[0]).toMatchObject({
    late: 11,
    gaps: 22,
    duplicates: 33,
    reordered: 44,
    upstream: { tcpFlows: 55, oneSidedFlows: 66, ackedBytes: 77, unseenBytes: 88 },
  });
});

test('what a kind of sink counts besides is told over all workers, also what is 0; other kinds tell nothing', () => {
  const further = { ...plan, counters: ['padded', 'passed', 'waiting'] };
  const counted = new CountedMemory(2, 4, [further, plan]);
  for (const worker of [0, 1]) {
    const sink = sinkCountersOf(counted.memory, worker, 0);
    sink.add('padded', 5);
    sink.add('padded', worker);
    sink.set('waiting', 9);
    sink.set('waiting', 2);
  }
  const [sink, other] = reportOf(counted).sinks;
  expect(sink?.counters).toEqual({ padded: 11, passed: 0, waiting: 4 });
  expect(other).not.toHaveProperty('counters');
});

test('a sink is told over all workers, its reasons summed by name', () => {
  const counted = new CountedMemory(2, 4, [{ ...plan, name: 'other' }, plan]);
  for (const worker of [0, 1]) {
    const sink = sinkCountersOf(counted.memory, worker, 1);
    sink.addDelivered(100);
    sink.addWritten(60 + worker);
    sink.addFiltered(3);
    sink.addDropped('diskFull', 10);
    if (worker === 1) sink.addDropped('queueFull', 4);
    sink.addPendingBytes(500);
  }
  const [other, sink] = reportOf(counted).sinks;
  expect(other).toMatchObject({ name: 'other', delivered: 0, pending: 0 });
  expect(sink).toEqual({
    name: 'captures',
    kind: 'files',
    delivered: 200,
    written: 121,
    filtered: 6,
    dropped: { diskFull: 20, queueFull: 4 },
    pending: 200 - 121 - 6 - 24,
    pendingBytes: 1000,
  });
});

test('GENEVE without VXLAN is misrouted traffic only behind a Gateway Load Balancer', () => {
  const counted = new CountedMemory(2, 4);
  counted.other(0, Tally.delivered);
  for (const worker of [0, 1]) {
    new Float64Array(counted.memory.tallies)[
      (worker * counted.memory.tallies.byteLength) / 16 + Tally.geneveOnly
    ] = 4;
  }
  expect(reportOf(counted).misrouted).toBe(0);
  expect(reportOf(counted, { behindGwlb: true }).misrouted).toBe(8);
});

test('a packet in no bucket is seen where nothing runs any more, and not yet received where it may be in hand', () => {
  const counted = new CountedMemory(1, 4);
  counted.frame(0, 42, 1);
  count(tallyOf(counted.memory, 0), Tally.received, 8);
  expect(ledgerDifference(reportOf(counted, { running: false }))).toBe(1);
  expect(ledgerDifference(reportOf(counted, { running: true }))).toBe(0);
});
