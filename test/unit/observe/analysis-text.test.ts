import { expect, test } from 'vitest';
import { analysisTotals } from '../../../src/app/analysis-totals.ts';
import { allocateMemory } from '../../../src/app/shared-memory.ts';
import { analysisLines } from '../../../src/observe/analysis-text.ts';
import { type LaneReport, noClosedLanes } from '../../../src/observe/report.ts';
import { sampleLane, sampleReport } from '../../support/sample-report.ts';

const none = analysisTotals(allocateMemory(1, 1, []));

function lines(lanes: readonly LaneReport[], changed: Partial<typeof none> = {}): string[] {
  return analysisLines({ ...sampleReport(lanes), closedLanes: noClosedLanes, ...none, ...changed });
}

function lane(vni: number, upstream: Partial<LaneReport['upstream']>): LaneReport {
  const nothing = { tcpFlows: 0, oneSidedFlows: 0, ackedBytes: 0, unseenBytes: 0 };
  return { ...sampleLane(vni), upstream: { ...nothing, ...upstream } };
}

test('nothing found, nothing said', () => {
  expect(lines([])).toEqual([]);
  expect(lines([lane(1, {})])).toEqual([]);
});

test.each([
  { name: 'flows', changed: { flows: { ...none.flows, opened: 1200 } }, line: 'Flows: 1,200 opened' },
  {
    name: 'flows that ended',
    changed: { flows: { ...none.flows, opened: 2, records: 3, ended: { ...none.flows.ended, rst: 2 } } },
    line: 'Flows: 2 opened, 3 records; ended: 2 rst',
  },
  {
    name: 'a fragment',
    changed: { fragments: { ...none.fragments, packets: 1, tiny: 1 } },
    line: 'Fragments: 1 packets, 1 tiny',
  },
  {
    name: 'order',
    changed: { order: { ...none.order, reordered: 2, displacement: [{ upTo: null, packets: 2 }] } },
    line: 'Order: 2 reordered',
  },
])('$name: what is 0 is left out', ({ changed, line }) => {
  expect(lines([], changed)[0]).toBe(line);
});

test.each([
  {
    name: 'one lane that lost something',
    lanes: [lane(1, { tcpFlows: 40, oneSidedFlows: 3, ackedBytes: 1_234_567, unseenBytes: 1_481 })],
    said: [
      'Lost upstream: 0.12 % of 1,234,567 bytes that were acknowledged never came; 3 of 40 TCP flows were one-sided.',
    ],
  },
  {
    name: 'nothing lost',
    lanes: [lane(1, { tcpFlows: 2, ackedBytes: 10 })],
    said: [
      'Lost upstream: 0.00 % of 10 bytes that were acknowledged never came; 0 of 2 TCP flows were one-sided.',
    ],
  },
  {
    name: 'a very small part',
    lanes: [lane(1, { tcpFlows: 2, ackedBytes: 1_000_000, unseenBytes: 1 })],
    said: [
      'Lost upstream: under 0.01 % of 1,000,000 bytes that were acknowledged never came; 0 of 2 TCP flows were one-sided.',
    ],
  },
  {
    name: 'one direction only',
    lanes: [lane(1, { tcpFlows: 2, oneSidedFlows: 2 })],
    said: [
      'Lost upstream: no bytes were acknowledged between data that came; 2 of 2 TCP flows were one-sided.',
    ],
  },
  {
    name: 'several lanes: those that lost something by themselves, the most first',
    lanes: [
      lane(1, { tcpFlows: 1, ackedBytes: 100, unseenBytes: 1 }),
      lane(2, { tcpFlows: 1, ackedBytes: 100 }),
      lane(3, { tcpFlows: 1, ackedBytes: 100, unseenBytes: 50 }),
    ],
    said: [
      'Lost upstream: 17.00 % of 300 bytes that were acknowledged never came; 0 of 3 TCP flows were one-sided.',
      '  vni-3: 50.00 % of 100 bytes that were acknowledged never came; 0 of 1 TCP flows were one-sided.',
      '  vni-1: 1.00 % of 100 bytes that were acknowledged never came; 0 of 1 TCP flows were one-sided.',
    ],
  },
])('lost upstream: $name', ({ lanes, said }) => {
  expect(lines(lanes)).toEqual(said);
});

test('lost upstream: what closed lanes have counted is in the sum', () => {
  const upstream = { tcpFlows: 3, oneSidedFlows: 1, ackedBytes: 300, unseenBytes: 3 };
  const closedLanes = { ...noClosedLanes, count: 1, upstream };
  const open = [lane(1, { tcpFlows: 1, ackedBytes: 100, unseenBytes: 1 })];
  expect(analysisLines({ ...sampleReport(open), ...none, closedLanes })).toEqual([
    'Lost upstream: 1.00 % of 400 bytes that were acknowledged never came; 1 of 4 TCP flows were one-sided.',
  ]);
});

test('of many lanes ten are told', () => {
  const lanes = Array.from({ length: 25 }, (_, vni) =>
    lane(vni, { tcpFlows: 1, ackedBytes: 100, unseenBytes: 1 }),
  );
  const said = lines(lanes);
  expect(said.length).toBe(12);
  expect(said.at(-1)).toBe('  and 15 more lanes');
});

test.each([
  { name: 'six of a hundred', bad: 6, valid: 94, said: ['  vni-1: 6.00 % of 100 transport checksums'] },
  { name: 'five of a hundred', bad: 5, valid: 95, said: [] },
  { name: 'all of too few', bad: 99, valid: 0, said: [] },
])('bad checksums, $name', ({ bad, valid, said }) => {
  const transport = { valid, bad, partial: 0, zero: 0, unverifiable: 1000 };
  const { checksum } = sampleLane(1);
  const [remedy, ...told] = lines([{ ...lane(1, {}), checksum: { ...checksum, transport } }]);
  expect(told).toEqual(said);
  if (said.length > 0) expect(remedy).toMatch(/^Bad checksums\. .*ethtool -K/);
});
